//! The thresholds of a model's intents in words: what they give, and what others would.

use crate::model::{HeadsManifest, IntentManifest};
use std::fmt::Write as _;

/// Notes and intents shown at most.
const MOST: usize = 12;

/// What the thresholds gave on the data they were chosen on, and the share answered against precision.
#[must_use]
pub fn text(head: &IntentManifest) -> String {
    let mut out = String::new();
    let Some(point) = &head.operating_point else { return out };
    let _ = writeln!(
        out,
        "Thresholds, chosen on {} in-scope and {} out-of-scope messages, as if {:.3} of all were out of scope:\n  \
         answered {:.3}, right of these {:.3}, in-scope accuracy {:.3}, right answers given up {:.3}{}",
        point.in_scope,
        point.out_of_scope,
        point.out_of_scope_share,
        point.answered,
        point.precision,
        point.in_scope_accuracy,
        point.right_lost,
        point.out_of_scope_recall.map_or_else(String::new, |recall| format!(", out-of-scope recall {recall:.3}"))
    );
    let _ = writeln!(out, "  rejected from {:.2} of the rejection on and below a score of {:.2}", head.rejection_threshold, head.min_score);
    if !head.min_score_of.is_empty() {
        let some: Vec<_> = head.min_score_of.iter().take(MOST).map(|(name, least)| format!("{name} {least:.2}")).collect();
        let more = head.min_score_of.len().saturating_sub(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "  below another score: {}{more}", some.join(", "));
    }
    let _ = writeln!(out, "  min_score  answered  right of these");
    for [least, answered, precision] in &point.coverage {
        let _ = writeln!(out, "       {least:.2}     {answered:.3}           {precision:.3}");
    }
    for note in point.notes.iter().take(MOST) {
        let _ = writeln!(out, "  note: {note}");
    }
    out
}

/// Every number that differs between two calibrations of the same heads.
#[must_use]
pub fn changes(before: &HeadsManifest, after: &HeadsManifest) -> String {
    let (before, after) = (numbers(before), numbers(after));
    let mut out = String::new();
    for ((name, before), (_, after)) in before.iter().zip(&after).filter(|(before, after)| before != after) {
        let _ = writeln!(out, "{name}: {before} -> {after}");
    }
    out
}

/// Name and value of what a calibration chooses, in a fixed order.
fn numbers(heads: &HeadsManifest) -> Vec<(String, String)> {
    let mut numbers = Vec::new();
    let mut add = |name: &str, value: f32| numbers.push((name.to_owned(), format!("{value:.3}")));
    if let Some(head) = &heads.intent {
        add("intent temperature", head.calibration.temperature);
        add("intent rejection_threshold", head.rejection_threshold);
        add("intent min_score", head.min_score);
        add("intent ambiguity_margin", head.ambiguity_margin);
    }
    if let Some(head) = &heads.entities {
        add("entities temperature", head.calibration.temperature);
    }
    if let Some(head) = &heads.sentiment {
        add("sentiment temperature", head.calibration.temperature);
    }
    if let Some(head) = &heads.emotions {
        add("emotions temperature", head.calibration.temperature);
        for (name, threshold) in head.labels.iter().zip(&head.thresholds) {
            add(&format!("emotion {name}"), *threshold);
        }
    }
    if let Some(head) = &heads.intent {
        let rows = head.calibration.scale_and_bias.len();
        let kind = if rows == 0 { "the temperature alone".to_owned() } else { format!("a scale and a bias of {rows} rows") };
        numbers.push(("intent calibration".to_owned(), kind));
        let rejection = if head.calibration.rejection.is_some() { "fitted on the best and the rejection's logit" } else { "the softmax's" };
        numbers.push(("intent rejection".to_owned(), rejection.to_owned()));
    }
    numbers
}
