//! How probable it is that a message is out of scope, from two logits: the best intent's and the rejection's.
//!
//! The softmax weighs the rejection against the intents alone, and a message like nothing that was learnt has small logits everywhere:
//! their differences say little, the size of the best one much (Hendrycks et al., 2022, "Scaling Out-of-Distribution Detection for
//! Real-World Settings"). A logistic regression on both, fitted on messages of either kind with equal weight of the kinds, tells them
//! apart better than each.

use super::decision::{Decision, count};
use super::rejection::Worth;
use crate::heads::sigmoid;

/// Weight of the best intent's logit, of the rejection's, and the constant.
pub type Weights = [f32; 3];

const FOLDS: usize = 5;
const STEPS: usize = 600;
/// Below 2 / (3 / 4), where the loss with standardised inputs is at its steepest, so that every step goes down.
const RATE: f64 = 1.3;
/// Keeps the weights finite where the two kinds do not overlap.
const PENALTY: f64 = 1e-3;

/// The probability by these weights.
pub fn probability(weights: Weights, decision: &Decision) -> f32 {
    sigmoid(score(weights, decision), 1.0)
}

/// The logit of the probability.
fn score([best, none, constant]: Weights, decision: &Decision) -> f32 {
    let [of_best, of_none] = decision.logits;
    best * of_best + none * of_none + constant
}

/// Fits the weights on right answers and messages out of scope; wrong answers cost nothing either way. Nothing without both.
fn fit(decisions: &[Decision]) -> Option<Weights> {
    let rows: Vec<([f64; 2], bool)> =
        decisions.iter().filter(|d| d.outside || d.right).map(|d| (d.logits.map(f64::from), d.outside)).collect();
    let (outside, right) = (count(decisions, |d| d.outside), count(decisions, |d| d.right));
    if outside == 0 || right == 0 {
        return None;
    }
    let [first, second] = [0, 1].map(|index| moments(rows.iter().filter_map(|(logits, _)| logits.get(index).copied())));
    #[expect(clippy::cast_precision_loss, reason = "counts of examples")]
    let weight = |kind: bool| 0.5 / if kind { outside as f64 } else { right as f64 };
    let (mut w, mut constant) = ([0.0; 2], 0.0);
    for _ in 0..STEPS {
        let (mut slope, mut shift) = (w.map(|w| w * PENALTY), 0.0);
        for ([a, b], kind) in &rows {
            let x = [(a - first.0) / first.1, (b - second.0) / second.1];
            let z: f64 = w[0] * x[0] + w[1] * x[1] + constant;
            let residual = (1.0 / (1.0 + (-z).exp()) - f64::from(u8::from(*kind))) * weight(*kind);
            slope = [slope[0] + residual * x[0], slope[1] + residual * x[1]];
            shift += residual;
        }
        w = [w[0] - RATE * slope[0], w[1] - RATE * slope[1]];
        constant -= RATE * shift;
    }
    let of = [w[0] / first.1, w[1] / second.1];
    let constant = constant - of[0] * first.0 - of[1] * second.0;
    #[expect(clippy::cast_possible_truncation, reason = "weights are stored in f32")]
    let weights = [of[0] as f32, of[1] as f32, constant as f32];
    Some(weights)
}

/// Mean and standard deviation.
#[expect(clippy::cast_precision_loss, reason = "counts of examples")]
fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (sum, squares, n) = values.fold((0.0, 0.0, 0usize), |(sum, squares, n), x| (sum + x, squares + x * x, n + 1));
    let mean = sum / n.max(1) as f64;
    (mean, (squares / n.max(1) as f64 - mean * mean).max(1e-12).sqrt())
}

/// The weights with the constant at which one half is the threshold of most worth.
pub fn choose(decisions: &[Decision], worth: Worth) -> Option<Weights> {
    let weights = fit(decisions)?;
    let scores: Vec<f32> = decisions.iter().map(|decision| score(weights, decision)).collect();
    let (_, cut) = cut(decisions, &scores, worth)?;
    Some([weights[0], weights[1], weights[2] - cut])
}

/// What the best cut is worth on scores of weights that were fitted without the messages they are for.
pub fn held_out(decisions: &[Decision], worth: Worth) -> Option<f64> {
    // Every kind in turn, so that each part has its share of either.
    let mut order: Vec<usize> = (0..decisions.len()).collect();
    order.sort_by_key(|index| decisions.get(*index).is_some_and(|d| d.outside));
    let mut parts = vec![0; decisions.len()];
    for (place, index) in order.into_iter().enumerate() {
        if let Some(part) = parts.get_mut(index) {
            *part = place % FOLDS;
        }
    }
    let others = |part: usize| decisions.iter().zip(&parts).filter(|(_, other)| **other != part).map(|(d, _)| *d).collect::<Vec<_>>();
    let weights: Vec<Weights> = (0..FOLDS).map(|part| fit(&others(part))).collect::<Option<_>>()?;
    let by = |(decision, part): (&Decision, &usize)| weights.get(*part).map(|weights| score(*weights, decision));
    let scores: Vec<f32> = decisions.iter().zip(&parts).map(by).collect::<Option<_>>()?;
    cut(decisions, &scores, worth).map(|(value, _)| value)
}

/// Value and place of the best cut: from it upwards is rejected. It lies between two scores.
fn cut(decisions: &[Decision], scores: &[f32], worth: Worth) -> Option<(f64, f32)> {
    let mut sorted: Vec<(f32, &Decision)> = scores.iter().copied().zip(decisions).filter(|(_, d)| d.outside || d.right).collect();
    sorted.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let (mut lost, mut caught) = (0, 0);
    // Nothing is rejected above the highest score.
    let mut best = (0.0, sorted.first()?.0 + 1.0);
    for pair in sorted.windows(2) {
        let [(above, decision), (below, _)] = pair else { continue };
        lost += usize::from(decision.right);
        caught += usize::from(decision.outside);
        let value = worth.of(lost, caught);
        if above > below && value > best.0 {
            best = (value, f32::midpoint(*above, *below));
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

    /// Messages out of scope have a smaller best logit and a somewhat larger one of the rejection.
    fn drawn() -> Vec<Decision> {
        let mut random = SmallRng::seed_from_u64(3);
        let row = |i: usize| {
            let outside = i.is_multiple_of(10);
            let mut around = |mean: f32| mean + random.random_range(-2.0..2.0f32) + random.random_range(-2.0..2.0f32);
            let logits = if outside { [around(3.0), around(1.0)] } else { [around(7.0), around(-1.0)] };
            Decision { best: 0, score: 0.9, second: 0.0, rejection: 0.1, logits, outside, right: !outside }
        };
        (0..1000).map(row).collect()
    }

    #[test]
    fn both_logits_count_and_the_kinds_weigh_the_same() {
        let decisions = drawn();
        let [best, none, constant] = fit(&decisions).unwrap();
        assert!(best < -0.5 && none > 0.2, "{best} {none} {constant}");
        // Equal weight of the kinds puts one half between them: at (5, 0).
        let middle = Decision { logits: [5.0, 0.0], ..decisions[0] };
        assert!((probability([best, none, constant], &middle) - 0.5).abs() < 0.15);
    }

    #[test]
    fn one_half_is_the_threshold_of_most_worth() {
        let decisions = drawn();
        let mut before = (0, 0);
        for share in [0.01, 0.1, 0.5] {
            let worth = Worth::new(&decisions, share).unwrap();
            let weights = choose(&decisions, worth).unwrap();
            let at = |cut: f32| {
                let rejected = |d: &Decision| probability(weights, d) >= cut;
                (count(&decisions, |d| d.right && rejected(d)), count(&decisions, |d| d.outside && rejected(d)))
            };
            let found = at(0.5);
            assert!(found >= before, "{share}: {found:?} after {before:?}");
            for other in [0.1, 0.3, 0.4, 0.6, 0.7, 0.9].map(at) {
                assert!(worth.of(found.0, found.1) >= worth.of(other.0, other.1), "{share}: {found:?}, but {other:?}");
            }
            assert!(held_out(&decisions, worth).unwrap() > 0.0);
            before = found;
        }
        assert!(before.1 > 80, "{before:?}");
    }

    #[test]
    fn kinds_that_do_not_overlap_keep_finite_weights() {
        let apart: Vec<_> =
            drawn().into_iter().map(|d| Decision { logits: if d.outside { [0.0, 5.0] } else { [9.0, -5.0] }, ..d }).collect();
        assert!(fit(&apart).unwrap().iter().all(|weight| weight.is_finite() && weight.abs() < 100.0));
        assert_eq!(fit(&apart.iter().filter(|d| d.right).copied().collect::<Vec<_>>()), None);
    }
}
