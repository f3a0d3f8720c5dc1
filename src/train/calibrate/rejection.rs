//! Which messages are out of scope: the two thresholds by which most messages are treated right.
//!
//! Rejecting more always costs right answers. What is worth more depends on how many of the customers' messages are out of scope: that share
//! is the one number, and the thresholds maximise the share of all messages, weighed by it, that are answered right or rejected
//! rightly. Without the number it is the validation data's own, which seldom holds as many messages out of scope as customers write.

use super::decision::{Decision, count, grid};

/// The two thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rejection {
    /// Rejected from this probability of the rejection on.
    pub threshold: f32,
    /// Rejected below this probability of the best intent.
    pub min_score: f32,
    /// What it is worth; see [`Worth::of`].
    pub value: f64,
}

/// What a rejection is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// Of each out-of-scope message that is rejected.
    caught: f64,
    /// Of each right answer that is lost.
    lost: f64,
}

impl Worth {
    /// For messages of which `share` is out of scope, measured on decisions; nothing without either kind.
    #[expect(clippy::cast_precision_loss, reason = "counts of examples")]
    pub fn new(decisions: &[Decision], share: f32) -> Option<Self> {
        let outside = count(decisions, |d| d.outside);
        let inside = decisions.len() - outside;
        let share = f64::from(share);
        let either = outside > 0 && count(decisions, |d| d.right) > 0;
        either.then(|| Self { caught: share / outside as f64, lost: (1.0 - share) / inside as f64 })
    }

    /// Change of the share of messages that are treated right, when so many right answers are lost and messages out of scope rejected.
    #[expect(clippy::cast_precision_loss, reason = "counts of examples")]
    pub fn of(self, lost: usize, caught: usize) -> f64 {
        self.caught * caught as f64 - self.lost * lost as f64
    }
}

/// Thresholds on a grid, of most worth. Several that are equally good give the middle of their range, and the threshold nearest
/// one half.
pub fn choose(decisions: &[Decision], has_row: bool, worth: Worth) -> Option<Rejection> {
    let least = grid();
    let thresholds: Vec<f32> = if has_row { grid().into_iter().skip(2).step_by(2).collect() } else { vec![0.5] };
    let mut best: Option<(f32, Rejection)> = None;
    for threshold in thresholds {
        let cells = sweep(decisions, has_row.then_some(threshold), &least);
        let value = |(lost, caught): (usize, usize)| worth.of(lost, caught);
        let Some(cell) = cells.iter().copied().reduce(|best, cell| if value(cell) > value(best) { cell } else { best }) else { continue };
        let equal: Vec<usize> = (0..cells.len()).filter(|index| cells.get(*index) == Some(&cell)).collect();
        let Some(min_score) = equal.get(equal.len() / 2).and_then(|index| least.get(*index)) else { continue };
        // With nothing caught by the score alone, the score is left out of it.
        let min_score = if equal.first() == Some(&0) { 0.0 } else { *min_score };
        let (distance, value) = ((threshold - 0.5).abs(), value(cell));
        if best.is_none_or(|(nearest, best)| value > best.value || (value == best.value && distance < nearest)) {
            best = Some((distance, Rejection { threshold, min_score, value }));
        }
    }
    best.map(|(_, rejection)| rejection)
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
        let unsure = (0..10u8).map(|i| inside(0.5 + f32::from(i) * 0.02, 0.1));
        let caught = std::iter::repeat_n(outside(0.2, 0.7), 8);
        let hidden = (0..12u8).map(|i| outside(0.5 + f32::from(i) * 0.02, 0.1));
        sure.chain(unsure).chain(caught).chain(hidden).collect()
    }

    fn measured(decisions: &[Decision], chosen: Rejection) -> (usize, usize) {
        let rejected = |d: &Decision| d.rejection >= chosen.threshold || d.score < chosen.min_score;
        (count(decisions, |d| d.right && rejected(d)), count(decisions, |d| d.outside && rejected(d)))
    }

    fn chosen(decisions: &[Decision], has_row: bool, share: f32) -> Rejection {
        choose(decisions, has_row, Worth::new(decisions, share).unwrap()).unwrap()
    }

    #[test]
    fn the_more_is_out_of_scope_the_more_is_rejected() {
        let decisions = few();
        // One right answer for one message out of scope is worth it from 0.02 on, where there are fifty times as many in scope.
        for (share, lost, caught) in [(0.001, 0, 8), (0.015, 0, 8), (0.3, 10, 20)] {
            let chosen = chosen(&decisions, true, share);
            assert_eq!(measured(&decisions, chosen), (lost, caught), "{share}: {chosen:?}");
        }
    }

    #[test]
    fn few_out_of_scope_rows_weigh_as_much_as_many() {
        let few = few();
        let many: Vec<Decision> = few.iter().flat_map(|d| std::iter::repeat_n(*d, if d.outside { 32 } else { 1 })).collect();
        let (few, many) = (chosen(&few, true, 0.125), chosen(&many, true, 0.125));
        assert_eq!((few.threshold, few.min_score), (many.threshold, many.min_score));
    }

    #[test]
    fn what_is_told_apart_costs_nothing_and_lies_in_the_middle() {
        let decisions: Vec<_> = [inside(0.9, 0.1), outside(0.3, 0.2)].into_iter().cycle().take(60).collect();
        let apart = chosen(&decisions, true, 0.5);
        assert_eq!(measured(&decisions, apart), (0, 30));
        assert!(apart.min_score == 0.0 || (0.5..0.7).contains(&apart.min_score), "{apart:?}");
        let alone = chosen(&decisions, false, 0.5);
        assert!((0.5..0.7).contains(&alone.min_score), "{alone:?}");
    }

    #[test]
    fn without_either_kind_there_is_no_choice() {
        assert_eq!(Worth::new(&[inside(0.9, 0.1)], 0.1), None);
        assert_eq!(Worth::new(&[outside(0.9, 0.1)], 0.1), None);
    }
}
