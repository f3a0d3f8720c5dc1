//! Which messages are out of scope: the two thresholds that reject most of what is out of scope for few right answers lost.
//!
//! Rejecting more always costs right answers. How many it may cost is the one number that the recipe gives; within it the
//! thresholds maximise the balanced accuracy of the rejection (Youden's J: the share of the out-of-scope messages that are rejected,
//! less the share of the right answers that are lost). Shares, not counts: validation data seldom holds as many messages out of
//! scope as customers write, and a rule that counts mistakes would then reject almost nothing.

use super::decision::{Decision, count, grid};

/// The two thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rejection {
    /// Rejected from this probability of the rejection on.
    pub threshold: f32,
    /// Rejected below this probability of the best intent.
    pub min_score: f32,
    /// Share of the out-of-scope messages that are rejected, less the share of the right answers that are lost.
    pub value: f64,
}

/// Thresholds on a grid, of most rejected at no more than `loss` of the right answers lost. Several that are equally good give
/// the middle of their range, and the threshold nearest one half.
pub fn choose(decisions: &[Decision], has_row: bool, loss: f32) -> Option<Rejection> {
    let (outside, right) = (count(decisions, |d| d.outside), count(decisions, |d| d.right));
    if outside == 0 || right == 0 {
        return None;
    }
    let allowed = allowed(right, loss);
    let least = grid();
    let thresholds: Vec<f32> = if has_row { grid().into_iter().skip(2).step_by(2).collect() } else { vec![0.5] };
    let mut best: Option<(i128, f32, Rejection)> = None;
    for threshold in thresholds {
        let cells = sweep(decisions, has_row.then_some(threshold), &least);
        // The shares over their common denominator, so that equal ones are equal.
        let value = |(lost, caught): (usize, usize)| (caught * right) as i128 - (lost * outside) as i128;
        let allowed = cells.iter().copied().enumerate().filter(|(_, (lost, _))| *lost <= allowed);
        let Some((_, cell)) = allowed.max_by_key(|(index, cell)| (value(*cell), std::cmp::Reverse(*index))) else { continue };
        let equal: Vec<usize> = (0..cells.len()).filter(|index| cells.get(*index) == Some(&cell)).collect();
        let Some(min_score) = equal.get(equal.len() / 2).and_then(|index| least.get(*index)) else { continue };
        // With nothing caught by the score alone, the score is left out of it.
        let min_score = if equal.first() == Some(&0) { 0.0 } else { *min_score };
        let distance = (threshold - 0.5).abs();
        if best.is_none_or(|(most, nearest, _)| value(cell) > most || (value(cell) == most && distance < nearest)) {
            #[expect(clippy::cast_precision_loss, reason = "counts of examples")]
            let share = value(cell) as f64 / (outside * right) as f64;
            best = Some((value(cell), distance, Rejection { threshold, min_score, value: share }));
        }
    }
    best.map(|(_, _, rejection)| rejection)
}

/// How many of the right answers may be lost.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
pub fn allowed(right: usize, loss: f32) -> usize {
    (f64::from(loss) * right as f64 + 1e-6).floor() as usize
}

/// Right answers lost and out-of-scope messages rejected, for each least score.
fn sweep(decisions: &[Decision], threshold: Option<f32>, least: &[f32]) -> Vec<(usize, usize)> {
    let mut cells = vec![(0, 0); least.len()];
    for decision in decisions {
        let rejected = threshold.is_some_and(|threshold| decision.rejection >= threshold);
        // The first least score that rejects it: it and all higher ones do.
        let from = if rejected { 0 } else { least.partition_point(|least| *least <= decision.score) };
        if let Some((lost, caught)) = cells.get_mut(from) {
            *lost += usize::from(decision.right);
            *caught += usize::from(decision.outside);
        }
    }
    let (mut lost, mut caught) = (0, 0);
    for cell in &mut cells {
        lost += cell.0;
        caught += cell.1;
        *cell = (lost, caught);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inside(score: f32, rejection: f32) -> Decision {
        Decision { best: 0, score, second: 0.0, rejection, logits: [0.0; 2], outside: false, right: true }
    }

    fn outside(score: f32, rejection: f32) -> Decision {
        Decision { outside: true, right: false, ..inside(score, rejection) }
    }

    /// 1,000 right answers, ten of them unsure, and 20 messages out of scope: few, as validation data holds them.
    fn few() -> Vec<Decision> {
        let sure = std::iter::repeat_n(inside(0.95, 0.01), 990);
        let unsure = (0..10u8).map(|i| inside(0.5 + f32::from(i) * 0.02, 0.05));
        let caught = std::iter::repeat_n(outside(0.2, 0.7), 8);
        let hidden = (0..12u8).map(|i| outside(0.5 + f32::from(i) * 0.02, 0.1));
        sure.chain(unsure).chain(caught).chain(hidden).collect()
    }

    fn measured(decisions: &[Decision], chosen: Rejection) -> (usize, usize) {
        let rejected = |d: &Decision| d.rejection >= chosen.threshold || d.score < chosen.min_score;
        (count(decisions, |d| d.right && rejected(d)), count(decisions, |d| d.outside && rejected(d)))
    }

    #[test]
    fn more_may_be_lost_more_is_rejected() {
        let decisions = few();
        let mut before = 0;
        for (loss, most_lost, least_caught) in [(0.0, 0, 8), (0.003, 3, 11), (0.02, 20, 20)] {
            let chosen = choose(&decisions, true, loss).unwrap();
            let (lost, caught) = measured(&decisions, chosen);
            assert!(lost <= most_lost && caught >= least_caught, "{loss}: {chosen:?} loses {lost}, rejects {caught}");
            assert!(caught >= before, "{loss}");
            before = caught;
        }
    }

    #[test]
    fn few_out_of_scope_rows_weigh_as_much_as_many() {
        let few = few();
        let many: Vec<Decision> = few.iter().flat_map(|d| std::iter::repeat_n(*d, if d.outside { 30 } else { 1 })).collect();
        assert_eq!(choose(&few, true, 0.005), choose(&many, true, 0.005));
    }

    #[test]
    fn what_is_told_apart_costs_nothing_and_lies_in_the_middle() {
        let decisions: Vec<_> = [inside(0.9, 0.1), outside(0.3, 0.2)].into_iter().cycle().take(60).collect();
        let chosen = choose(&decisions, true, 1.0).unwrap();
        assert_eq!(measured(&decisions, chosen), (0, 30));
        assert!(chosen.min_score == 0.0 || (0.5..0.7).contains(&chosen.min_score), "{chosen:?}");
        let alone = choose(&decisions, false, 0.0).unwrap();
        assert!((0.5..0.7).contains(&alone.min_score), "{alone:?}");
    }

    #[test]
    fn without_either_kind_there_is_no_choice() {
        assert_eq!(choose(&[inside(0.9, 0.1)], true, 0.01), None);
        assert_eq!(choose(&[outside(0.9, 0.1)], true, 0.01), None);
    }
}
