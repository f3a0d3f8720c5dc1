//! The report for people, on a terminal.

use super::{Classification, Confused, Counts, FIGURES, PARTS, Report, SpanScores};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Confusions shown at most.
const CONFUSIONS: usize = 12;
/// Characters of an example that are shown.
const WIDTH: usize = 100;

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

/// Every main figure, with a table for each part; intervals and examples where the report has them.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for (part, title) in PARTS {
        let Some(examples) = examples(report, part) else { continue };
        let _ = writeln!(out, "{title} ({examples} examples)");
        for figure in FIGURES.iter().filter(|figure| figure.part() == part) {
            let Some(value) = (figure.of)(report) else { continue };
            let interval = report.intervals.get(figure.path);
            let interval = interval.map_or_else(String::new, |interval| format!("   {:.4} to {:.4}", interval.low, interval.high));
            let _ = writeln!(out, "  {:<38} {value:.4}{interval}", figure.title);
        }
        out.push_str(&tables(report, part));
        out.push('\n');
    }
    out
}

/// Examples of a part, if it is there.
pub(super) fn examples(report: &Report, part: &str) -> Option<usize> {
    match part {
        "intent" => report.intent.as_ref().map(|part| part.labels.examples),
        "entities" => report.entities.as_ref().map(|part| part.examples),
        "sentiment" => report.sentiment.as_ref().map(|part| part.labels.examples),
        "emotions" => report.emotions.as_ref().map(|part| part.examples),
        _ => report.escalation.as_ref().map(|part| part.examples),
    }
}

fn tables(report: &Report, part: &str) -> String {
    let confused: Vec<_> = report.confused.iter().filter(|confused| confused.part == part).take(CONFUSIONS).collect();
    let confusions = |scores: &Classification| if confused.is_empty() { plain_confusions(scores) } else { with_examples(&confused) };
    match part {
        "intent" => report.intent.as_ref().map(|part| labels(&part.labels.labels) + &confusions(&part.labels)),
        "entities" => report.entities.as_ref().map(|part| span_labels(part) + &with_examples(&confused)),
        "sentiment" => report.sentiment.as_ref().map(|part| labels(&part.labels.labels) + &confusions(&part.labels)),
        "emotions" => report.emotions.as_ref().map(|part| labels(&part.labels)),
        _ => None,
    }
    .unwrap_or_default()
}

fn width(labels: &BTreeMap<String, Counts>) -> usize {
    labels.keys().map(|name| name.chars().count()).max().unwrap_or(0).max(8)
}

fn row(name: &str, width: usize, counts: &Counts) -> String {
    let (precision, recall, f1) = (counts.precision(), counts.recall(), counts.f1());
    format!("  {name:<width$}     {precision:.3}   {recall:.3}   {f1:.3}  {:>7}", counts.support())
}

fn labels(labels: &BTreeMap<String, Counts>) -> String {
    let width = width(labels);
    let mut out = format!("  {:<width$} precision  recall      F1  support\n", "label");
    for (name, counts) in labels {
        out.push_str(&row(name, width, counts));
        out.push('\n');
    }
    out
}

fn span_labels(scores: &SpanScores) -> String {
    let width = width(&scores.labels);
    let mut out = format!("  {:<width$} precision  recall      F1  support  F1 with overlap\n", "label");
    for (name, counts) in &scores.labels {
        let overlap = scores.overlap_labels.get(name).map_or(0.0, Counts::f1);
        let _ = writeln!(out, "{}            {overlap:.3}", row(name, width, counts));
    }
    out
}

fn plain_confusions(scores: &Classification) -> String {
    let mut out = String::new();
    for confusion in scores.confusions.iter().take(CONFUSIONS) {
        let _ = writeln!(out, "  {:>4} x {} taken for {}", confusion.count, confusion.known, confusion.said);
    }
    out
}

fn with_examples(confused: &[&Confused]) -> String {
    let mut out = String::new();
    for confusion in confused {
        let _ = writeln!(out, "  {:>4} x {}", confusion.count, what(confusion));
        for mistake in &confusion.examples {
            let focus = mistake.known.as_deref().or(mistake.said.as_deref());
            let words = match (&mistake.known, &mistake.said) {
                (Some(known), Some(said)) if known != said => format!("`{known}`, said `{said}` in "),
                (Some(words), _) | (None, Some(words)) => format!("`{words}` in "),
                (None, None) => String::new(),
            };
            let _ = writeln!(out, "         {}: {words}{}", mistake.place, excerpt(&mistake.text, focus, WIDTH));
        }
    }
    out
}

/// A confusion in words.
pub(super) fn what(confusion: &Confused) -> String {
    match (&confusion.known, &confusion.said) {
        (Some(known), Some(said)) if known == said => format!("{known} with other bounds"),
        (Some(known), Some(said)) => format!("{known} taken for {said}"),
        (Some(known), None) => format!("{known} missed"),
        (None, said) => format!("{} made up", said.as_deref().unwrap_or_default()),
    }
}

/// A text on one line, cut to so many characters around some of its words.
fn excerpt(text: &str, words: Option<&str>, width: usize) -> String {
    let at = words.and_then(|words| text.find(words)).map_or(0, |byte| text.get(..byte).unwrap_or_default().chars().count());
    let from = if at + width / 2 <= width { 0 } else { at - width / 3 };
    let rest: String = text.chars().skip(from).collect();
    format!("{}{}", if from > 0 { "…" } else { "" }, shortened(&rest, width))
}

/// A text on one line, cut at so many characters.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let mut line: String = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).take(width).collect();
    if text.chars().nth(width).is_some() {
        line.push('…');
    }
    line
}
