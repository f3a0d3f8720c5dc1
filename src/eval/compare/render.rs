//! The comparison for people, on a terminal.

use super::{Change, Comparison, Difference, Verdict};
use crate::eval::figures::{FIGURES, PARTS};
use crate::eval::render::shortened;
use std::fmt::Write as _;

/// Examples shown of what was fixed, and of what was broken, in each part.
const EXAMPLES: usize = 8;
/// Characters of an example that are shown.
const WIDTH: usize = 100;

/// Every main figure of both models, and the examples that one of them alone gets right.
#[must_use]
pub fn comparison_text(comparison: &Comparison) -> String {
    let mut out = String::new();
    for (part, title) in PARTS {
        let of_part: Vec<_> = comparison.figures.iter().filter(|difference| part_of(difference.figure) == part).collect();
        if of_part.is_empty() {
            continue;
        }
        let _ = writeln!(out, "{title:<40}      A       B     B - A   95 % interval");
        for difference in of_part {
            out.push_str(&figure(difference));
        }
        if let Some(changes) = comparison.changes.iter().find(|changes| changes.part == part) {
            let (fixed, broken) = (changes.fixed.len(), changes.broken.len());
            let _ =
                writeln!(out, "  {fixed} fixed, {broken} broken of {}; McNemar's test: {}", changes.examples, probability(changes.p_value));
            out.push_str(&examples("fixed", &changes.fixed));
            out.push_str(&examples("broken", &changes.broken));
        }
        out.push('\n');
    }
    out
}

fn part_of(figure: &str) -> &str {
    figure.split_once('.').map_or(figure, |(part, _)| part)
}

/// What people call a figure.
pub(super) fn title(figure: &str) -> &'static str {
    FIGURES.iter().find(|known| known.path == figure).map_or("", |known| known.title)
}

/// The probability that chance alone would do it.
pub(super) fn probability(p: f64) -> String {
    if p < 1e-4 { "p < 0.0001".to_owned() } else { format!("p = {p:.4}") }
}

fn figure(difference: &Difference) -> String {
    let Difference { a, b, difference: more, interval, .. } = difference;
    let interval = interval.map_or_else(String::new, |interval| format!("   {:+.4} to {:+.4}", interval.low, interval.high));
    let verdict = match difference.verdict() {
        Verdict::Better => "  better",
        Verdict::Worse => "  worse",
        Verdict::Open => "",
    };
    format!("  {:<38} {a:.4}  {b:.4}  {more:+.4}{interval}{verdict}\n", title(difference.figure))
}

fn examples(what: &str, changes: &[Change]) -> String {
    let mut out = String::new();
    for change in changes.iter().take(EXAMPLES) {
        let Change { place, known, a, b, text } = change;
        let _ = writeln!(out, "    {what:<6} {place}: {}", shortened(text, WIDTH));
        let [known, a, b] = [known, a, b].map(|words| shortened(words, WIDTH / 2));
        let _ = writeln!(out, "           known {known}; A {a}; B {b}");
    }
    if changes.len() > EXAMPLES {
        let _ = writeln!(out, "    {what:<6} and {} more; --json and --html have them all", changes.len() - EXAMPLES);
    }
    out
}
