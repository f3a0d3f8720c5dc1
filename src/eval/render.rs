//! The report for people.

use super::{Classification, Counts, Report};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Confusions shown at most.
const CONFUSIONS: usize = 12;

/// The main figure of each part, on one line.
#[must_use]
pub fn line(report: &Report) -> String {
    let parts = [
        report.intent.as_ref().map(|part| format!("intent accuracy {:.3}", part.labels.accuracy)),
        report.entities.as_ref().map(|part| format!("entity F1 {:.3}", part.micro_f1)),
        report.sentiment.as_ref().map(|part| format!("sentiment macro-F1 {:.3}", part.labels.macro_f1)),
        report.emotions.as_ref().map(|part| format!("emotion micro-F1 {:.3}", part.micro_f1)),
        report.escalation.as_ref().map(|part| format!("escalation F1 {:.3}", part.f1)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Every figure, with a table for each part.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    let mut section = |title: &str, examples: usize, rows: &[(&str, Option<f64>)], tables: String| {
        let _ = writeln!(out, "{title} ({examples} examples)");
        for (name, value) in rows {
            if let Some(value) = value {
                let _ = writeln!(out, "  {name:<32} {value:.4}");
            }
        }
        out.push_str(&tables);
        out.push('\n');
    };
    if let Some(part) = &report.intent {
        let rows = [
            ("accuracy", Some(part.labels.accuracy)),
            ("macro-F1", Some(part.labels.macro_f1)),
            ("in-scope accuracy", Some(part.in_scope_accuracy)),
            ("in-scope top 1 / any status", Some(part.in_scope_top1)),
            ("in-scope top 3", Some(part.in_scope_top3)),
            ("out-of-scope precision", Some(part.out_of_scope_precision)),
            ("out-of-scope recall", Some(part.out_of_scope_recall)),
            ("out-of-scope AUROC", part.out_of_scope_auroc),
            ("expected calibration error", Some(part.expected_calibration_error)),
        ];
        section("Intent", part.labels.examples, &rows, labels(&part.labels.labels) + &confusions(&part.labels));
    }
    if let Some(part) = &report.entities {
        let rows = [
            ("micro-F1", Some(part.micro_f1)),
            ("micro precision", Some(part.micro_precision)),
            ("micro recall", Some(part.micro_recall)),
            ("macro-F1", Some(part.macro_f1)),
            ("F1 with overlap counted", Some(part.overlap_f1)),
        ];
        section("Entities", part.examples, &rows, labels(&part.labels));
    }
    if let Some(part) = &report.sentiment {
        let rows = [
            ("macro-F1", Some(part.labels.macro_f1)),
            ("accuracy", Some(part.labels.accuracy)),
            ("mean absolute error of the score", Some(part.mean_absolute_error)),
            ("expected calibration error", Some(part.expected_calibration_error)),
        ];
        section("Sentiment", part.labels.examples, &rows, labels(&part.labels.labels) + &confusions(&part.labels));
    }
    if let Some(part) = &report.emotions {
        let rows = [
            ("micro-F1", Some(part.micro_f1)),
            ("macro-F1", Some(part.macro_f1)),
            ("expected calibration error", Some(part.expected_calibration_error)),
        ];
        section("Emotions", part.examples, &rows, labels(&part.labels));
    }
    if let Some(part) = &report.escalation {
        let rows = [("F1", Some(part.f1)), ("precision", Some(part.precision)), ("recall", Some(part.recall))];
        section("Escalation", part.examples, &rows, String::new());
    }
    out
}

fn labels(labels: &BTreeMap<String, Counts>) -> String {
    let width = labels.keys().map(|name| name.chars().count()).max().unwrap_or(0).max(8);
    let mut out = format!("  {:<width$} precision  recall      F1  support\n", "label");
    for (name, counts) in labels {
        let _ = writeln!(
            out,
            "  {name:<width$}     {:.3}   {:.3}   {:.3}  {:>7}",
            counts.precision(),
            counts.recall(),
            counts.f1(),
            counts.support()
        );
    }
    out
}

fn confusions(scores: &Classification) -> String {
    let mut out = String::new();
    for (known, said, n) in scores.confusions.iter().take(CONFUSIONS) {
        let _ = writeln!(out, "  {n:>4} x {known} taken for {said}");
    }
    out
}
