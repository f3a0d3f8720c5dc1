//! Is one model better than another? Both answer the same examples, so their figures are compared in pairs.

mod html;
mod mcnemar;
mod render;

pub use html::comparison_page;
pub use mcnemar::mcnemar;
pub use render::comparison_text;

use super::bootstrap::{Bootstrap, Interval};
use super::figures::FIGURES;
use super::intent::said;
use super::outcomes::Outcomes;
use super::report::Judged;
use serde::Serialize;
use std::collections::BTreeMap;

/// One figure of two models.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Dotted path of the figure.
    pub figure: &'static str,
    /// Of the first model.
    pub a: f64,
    /// Of the second model.
    pub b: f64,
    /// What the second has more.
    pub difference: f64,
    /// Where the difference lies, by resamples of the examples that are the same for both.
    pub interval: Option<Interval>,
    /// Whether more is better (or less).
    pub more_is_better: bool,
}

/// What can be said of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The second model is better, and the interval does not hold zero.
    Better,
    /// The second model is worse, and the interval does not hold zero.
    Worse,
    /// Chance alone would do it.
    Open,
}

impl Difference {
    /// Whether the second model is better, as far as these examples tell.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.interval {
            Some(interval) if !interval.has_zero() && (self.difference > 0.0) == self.more_is_better => Verdict::Better,
            Some(interval) if !interval.has_zero() => Verdict::Worse,
            _ => Verdict::Open,
        }
    }
}

/// An example that one model gets right and the other does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// File and line.
    pub place: String,
    /// The message.
    pub text: String,
    /// What is known.
    pub known: String,
    /// What the first model says.
    pub a: String,
    /// What the second model says.
    pub b: String,
}

/// What the second model does otherwise in one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changes {
    /// The part of the report.
    pub part: &'static str,
    /// Examples that both have an answer to.
    pub examples: usize,
    /// By McNemar's test: how probable it is that so many more are fixed than broken, or the other way round, if both are equally good.
    pub p_value: f64,
    /// Wrong before, right now.
    pub fixed: Vec<Change>,
    /// Right before, wrong now.
    pub broken: Vec<Change>,
}

/// Two models on the same examples.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Comparison {
    /// The main figures that both have, in the order of the report.
    pub figures: Vec<Difference>,
    /// Intent, sentiment and entities example by example.
    pub changes: Vec<Changes>,
}

/// Compares what two models said of the same examples, in the same order.
#[must_use]
pub fn compare(a: &[Judged<'_>], b: &[Judged<'_>], bootstrap: &Bootstrap<'_>) -> Comparison {
    let (first, second) = (Outcomes::of(a), Outcomes::of(b));
    let differences = |rows: &[usize]| -> Vec<Option<f64>> {
        let (a, b) = (first.report(rows), second.report(rows));
        FIGURES.iter().map(|figure| Some((figure.of)(&b)? - (figure.of)(&a)?)).collect()
    };
    let intervals = bootstrap.intervals(first.len().min(second.len()), FIGURES.len(), differences);
    let (whole_a, whole_b) = (first.whole(), second.whole());
    let figures = FIGURES.iter().zip(intervals).filter_map(|(figure, interval)| {
        let (a, b) = ((figure.of)(&whole_a)?, (figure.of)(&whole_b)?);
        Some(Difference { figure: figure.path, a, b, difference: b - a, interval, more_is_better: figure.more_is_better })
    });
    let right = |outcomes: &Outcomes<'_>| -> [Vec<Option<bool>>; 3] {
        [
            outcomes.intents.iter().map(|row| row.as_ref().map(super::intent::IntentOutcome::right)).collect(),
            outcomes.sentiments.iter().map(|row| row.as_ref().map(super::sentiment::SentimentOutcome::right)).collect(),
            outcomes.spans.iter().map(|row| row.as_ref().map(super::spans::SpanOutcome::right)).collect(),
        ]
    };
    let parts = PARTS.into_iter().zip(right(&first)).zip(right(&second));
    let changes = parts.filter_map(|((part, right_a), right_b)| changes(part, (a, &right_a), (b, &right_b)));
    Comparison { figures: figures.collect(), changes: changes.collect() }
}

/// A part whose answers are right or wrong as a whole: its name, what is known, what was said.
type Part = (&'static str, fn(&Judged<'_>) -> String, fn(&Judged<'_>) -> String);

/// In the order of the outcomes.
const PARTS: [Part; 3] = [
    (
        "intent",
        |row| row.example.intent.as_ref().map_or_else(String::new, |intent| intent.name().to_owned()),
        |row| row.prediction.intent.as_ref().map_or_else(String::new, |intent| said(intent).to_owned()),
    ),
    (
        "sentiment",
        |row| row.example.sentiment_label().map_or_else(String::new, |label| label.name().to_owned()),
        |row| row.prediction.sentiment.map_or_else(String::new, |sentiment| sentiment.label.name().to_owned()),
    ),
    (
        "entities",
        |row| listed(row, row.example.entities.iter().flatten().map(|entity| (entity.label.as_str(), entity.span))),
        |row| listed(row, row.prediction.entities.iter().flatten().map(|entity| (entity.label.as_str(), entity.span))),
    ),
];

fn listed<'e>(row: &Judged<'_>, entities: impl Iterator<Item = (&'e str, crate::text::Span)>) -> String {
    let list: Vec<_> = entities.map(|(label, span)| format!("{label} `{}`", span.slice(&row.example.text))).collect();
    if list.is_empty() { "nothing".to_owned() } else { list.join(", ") }
}

fn changes(part: Part, a: (&[Judged<'_>], &[Option<bool>]), b: (&[Judged<'_>], &[Option<bool>])) -> Option<Changes> {
    let (name, known, said) = part;
    let (mut fixed, mut broken, mut examples) = (Vec::new(), Vec::new(), 0);
    for ((row_a, right_a), (row_b, right_b)) in a.0.iter().zip(a.1).zip(b.0.iter().zip(b.1)) {
        let (Some(right_a), Some(right_b)) = (right_a, right_b) else { continue };
        examples += 1;
        if right_a != right_b {
            let (place, text) = (row_a.example.place.to_string(), row_a.example.text.to_string());
            let change = Change { place, text, known: known(row_a), a: said(row_a), b: said(row_b) };
            if *right_b { fixed.push(change) } else { broken.push(change) }
        }
    }
    (examples > 0).then(|| Changes { part: name, examples, p_value: mcnemar(fixed.len(), broken.len()), fixed, broken })
}

impl Comparison {
    /// What the second model has more of each main figure, by its dotted path: what gates are about.
    #[must_use]
    pub fn differences(&self) -> BTreeMap<String, f64> {
        self.figures.iter().map(|difference| (difference.figure.to_owned(), difference.difference)).collect()
    }
}
