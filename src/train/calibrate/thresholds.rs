//! The thresholds of the intents in their order, and the record of what they give.

use super::CalibrationOptions;
use super::LEAST;
use super::decision::{Decision, count, share};
use super::rejection::{Rejection, Worth};
use super::{margin, outside, precision, rejection};
use crate::model::{IntentManifest, OperatingPoint};

/// Least scores at which the coverage is recorded.
const COVERAGE: [f32; 12] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];

/// Chooses the rejection first, then the precision among what it lets through, then the margin; what there is too little for
/// stays as it is and is noted.
pub fn choose(head: &mut IntentManifest, decisions: &[Decision], options: &CalibrationOptions) {
    let mut notes = Vec::new();
    // Least scores that an earlier target raised say nothing of the rejection.
    if head.operating_point.as_ref().is_some_and(|point| point.target_precision.is_some()) {
        head.min_score = 0.0;
        head.min_score_of.clear();
    }
    let outside = count(decisions, |d| d.outside);
    let mut decisions = decisions.to_vec();
    let expected = options.out_of_scope_share.unwrap_or_else(|| share(outside, decisions.len()));
    if outside >= LEAST
        && let Some(worth) = Worth::new(&decisions, expected)
        && let Some(chosen) = reject(head, &mut decisions, worth)
    {
        (head.rejection_threshold, head.min_score) = (chosen.threshold, chosen.min_score);
        head.min_score_of.clear();
    } else {
        notes.push(format!("{outside} out-of-scope messages are too few to choose the rejection by, {LEAST} are the least"));
    }
    if let Some(target) = options.target_precision {
        notes.extend(demand(head, &decisions, target));
    }
    head.ambiguity_margin = margin::choose(&decisions);
    let point = OperatingPoint {
        out_of_scope_share: rounded(expected),
        target_precision: options.target_precision,
        notes,
        ..measure(head, &decisions)
    };
    head.operating_point = Some(point);
}

/// The thresholds of the rejection: by the softmax's two probabilities, or by a probability fitted for this where it rejects more of
/// the messages that it was not fitted on.
fn reject(head: &mut IntentManifest, decisions: &mut [Decision], worth: Worth) -> Option<Rejection> {
    let plain = rejection::choose(decisions, head.rejection, worth)?;
    let better = head.rejection && outside::held_out(decisions, worth).is_some_and(|value| value > plain.value);
    let Some(weights) = better.then(|| outside::choose(decisions, worth)).flatten() else { return Some(plain) };
    head.calibration.rejection = Some(weights);
    for decision in decisions.iter_mut() {
        decision.rejection = outside::probability(weights, decision);
    }
    Some(Rejection { threshold: 0.5, min_score: 0.0, ..plain })
}

/// Raises the least scores until the answers are as right as wanted. Gives what stands against it.
fn demand(head: &mut IntentManifest, decisions: &[Decision], target: f32) -> Option<String> {
    let through: Vec<Decision> = decisions.iter().filter(|d| !rejected_by_row(head, d)).copied().collect();
    let Some(chosen) = precision::choose(&through, head.labels.len(), head.min_score, target) else {
        return Some(format!("{} messages are too few to reach a precision of {target} by", through.len()));
    };
    head.min_score = chosen.of_all;
    let named = chosen.of.into_iter().filter_map(|(row, least)| Some((head.labels.get(row)?.clone(), least)));
    head.min_score_of = named.collect();
    (!chosen.reached).then(|| format!("no least score gives a precision of {target}; the one of most precision is kept"))
}

fn rejected_by_row(head: &IntentManifest, decision: &Decision) -> bool {
    head.rejection && decision.rejection >= head.rejection_threshold
}

/// What the thresholds give.
fn measure(head: &IntentManifest, decisions: &[Decision]) -> OperatingPoint {
    let least = |d: &Decision| head.labels.get(d.best).and_then(|name| head.min_score_of.get(name)).copied().unwrap_or(head.min_score);
    let answered = |d: &Decision| !rejected_by_row(head, d) && d.score >= least(d);
    let outside = count(decisions, |d| d.outside);
    let point = |least: f32| {
        let above = |d: &Decision| !rejected_by_row(head, d) && d.score >= least;
        let all = count(decisions, above);
        [least, rounded(share(all, decisions.len())), rounded(share(count(decisions, |d| above(d) && d.right), all))]
    };
    let answers = count(decisions, answered);
    let right = count(decisions, |d| answered(d) && d.right);
    OperatingPoint {
        in_scope: decisions.len() - outside,
        out_of_scope: outside,
        in_scope_accuracy: rounded(share(right, decisions.len() - outside)),
        out_of_scope_recall: (outside > 0).then(|| rounded(share(count(decisions, |d| d.outside && !answered(d)), outside))),
        answered: rounded(share(answers, decisions.len())),
        precision: rounded(share(right, answers)),
        right_lost: rounded(share(count(decisions, |d| d.right && !answered(d)), count(decisions, |d| d.right))),
        coverage: COVERAGE.map(point).to_vec(),
        ..OperatingPoint::default()
    }
}

/// To four digits.
fn rounded(value: f32) -> f32 {
    (value * 1e4).round() / 1e4
}
