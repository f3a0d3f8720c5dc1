//! Thresholds by target precision: answer as many messages as may be while so many of the answers are right.

use super::decision::{Decision, count, grid, share};

/// Fewer answers than this are too few to measure a precision on.
const LEAST_ANSWERS: usize = 20;
/// Fewer answers of one intent than this leave it to the threshold of all.
const LEAST_ANSWERS_OF_INTENT: usize = 15;

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Least {
    /// Least score of every intent without one of its own.
    pub of_all: f32,
    /// Row of an intent and its own least score.
    pub of: Vec<(usize, f32)>,
    /// Whether the target is reached.
    pub reached: bool,
}

/// Least scores from `floor` up, of most answers at the target. `decisions` are of messages that the rejection lets through.
/// Intents with answers enough have one of their own; the rest share one that is measured on their own answers, or on all
/// answers where theirs are too few. Nothing when there are too few to choose.
pub fn choose(decisions: &[Decision], intents: usize, floor: f32, target: f32) -> Option<Least> {
    let mut least = Least { of_all: floor, of: Vec::new(), reached: true };
    let mut rest: Vec<Decision> = Vec::new();
    for intent in 0..intents {
        let own: Vec<Decision> = decisions.iter().filter(|d| d.best == intent).copied().collect();
        match lowest(&own, floor, target, LEAST_ANSWERS_OF_INTENT) {
            Some(score) => least.of.push((intent, score)),
            None => rest.extend(own),
        }
    }
    let rest = if count(&rest, |d| d.score >= floor) >= LEAST_ANSWERS { rest } else { decisions.to_vec() };
    if count(&rest, |d| d.score >= floor) < LEAST_ANSWERS {
        return None;
    }
    let lowest = lowest(&rest, floor, target, LEAST_ANSWERS);
    least.reached = lowest.is_some();
    least.of_all = lowest.unwrap_or_else(|| most_precise(&rest, floor));
    least.of.retain(|(_, score)| *score != least.of_all);
    Some(least)
}

fn answers(decisions: &[Decision], least: f32) -> (usize, usize) {
    (count(decisions, |d| d.score >= least && d.right), count(decisions, |d| d.score >= least))
}

/// The lowest least score at which the answers are as right as wanted.
fn lowest(decisions: &[Decision], floor: f32, target: f32, enough: usize) -> Option<f32> {
    let reached = |least: &f32| {
        let (right, all) = answers(decisions, *least);
        all >= enough && share(right, all) >= target
    };
    candidates(floor).find(reached)
}

/// The least score of most precision.
fn most_precise(decisions: &[Decision], floor: f32) -> f32 {
    let mut best = (floor, -1.0);
    for least in candidates(floor) {
        let (right, all) = answers(decisions, least);
        if all >= LEAST_ANSWERS && share(right, all) > best.1 {
            best = (least, share(right, all));
        }
    }
    best.0
}

fn candidates(floor: f32) -> impl Iterator<Item = f32> {
    std::iter::once(floor).chain(grid().into_iter().filter(move |least| *least > floor))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores that are what they say: of those at 0.9, nine of ten are right.
    fn honest(best: usize, each: u8) -> Vec<Decision> {
        let level = |tenths: u8| {
            (0..each).map(move |i| {
                let right = i % 10 < tenths;
                Decision { best, score: f32::from(tenths) / 10.0, second: 0.0, rejection: 0.0, logits: [0.0; 2], outside: false, right }
            })
        };
        (5..=10).flat_map(level).collect()
    }

    #[test]
    fn as_many_are_answered_as_are_right_enough() {
        let decisions = honest(0, 100);
        for (target, least, answered) in [(0.75, 0.0, 600), (0.85, 0.61, 400), (0.95, 0.81, 200), (1.0, 0.91, 100)] {
            let chosen = choose(&decisions, 0, 0.0, target).unwrap();
            assert!(chosen.reached && (chosen.of_all - least).abs() < 1e-6, "{target}: {chosen:?}");
            assert_eq!(answers(&decisions, chosen.of_all).1, answered);
        }
    }

    #[test]
    fn an_intent_has_its_own_where_it_is_measured() {
        let sure = |i: u8| Decision { best: 1, score: 0.5, second: 0.0, rejection: 0.0, logits: [0.0; 2], outside: false, right: i > 0 };
        let decisions: Vec<_> = honest(0, 100).into_iter().chain((0..50).map(sure)).collect();
        let chosen = choose(&decisions, 3, 0.0, 0.95).unwrap();
        let of = |intent| chosen.of.iter().find(|(row, _)| *row == intent).map_or(chosen.of_all, |(_, least)| *least);
        assert!((of(0) - 0.81).abs() < 1e-6 && of(1) == 0.0, "{chosen:?}");
        let (right, all) = decisions.iter().filter(|d| d.score >= of(d.best)).fold((0, 0), |(r, n), d| (r + usize::from(d.right), n + 1));
        assert!(share(right, all) >= 0.95, "{right} of {all}");
    }

    #[test]
    fn what_cannot_be_reached_is_said_and_too_few_are_no_choice() {
        let wrong: Vec<_> = honest(0, 100).into_iter().map(|d| Decision { right: d.right && d.score < 0.9, ..d }).collect();
        let chosen = choose(&wrong, 1, 0.0, 0.95).unwrap();
        assert!(!chosen.reached, "{chosen:?}");
        assert_eq!(choose(&honest(0, 3), 1, 0.0, 0.95), None);
    }
}
