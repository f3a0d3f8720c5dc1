//! The report: every figure of every head, once, for people and for programs.

use super::detail::{Confused, Curves};
use super::outcomes::Outcomes;
use super::{EmotionScores, EscalationScores, IntentScores, Interval, SentimentScores, SpanScores};
use crate::data::Example;
use crate::heads::Prediction;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A prediction beside what is known of its example.
#[derive(Debug)]
pub struct Judged<'a> {
    /// What is known.
    pub example: &'a Example,
    /// What the model said.
    pub prediction: Prediction,
    /// Whether the policy would hand over, where one decided.
    pub escalated: Option<bool>,
}

/// Every figure. A part that nothing is known of is absent; what only [`super::detailed`] works out is empty otherwise.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Report {
    /// Intents.
    pub intent: Option<IntentScores>,
    /// Entities.
    pub entities: Option<SpanScores>,
    /// Sentiment.
    pub sentiment: Option<SentimentScores>,
    /// Emotions.
    pub emotions: Option<EmotionScores>,
    /// Escalation.
    pub escalation: Option<EscalationScores>,
    /// Where each main figure lies, by its dotted path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<String, Interval>,
    /// What a threshold would do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curves: Option<Curves>,
    /// What is most often taken for what, with examples.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub confused: Vec<Confused>,
}

/// Scores judged examples: every figure, nothing else.
#[must_use]
pub fn report(judged: &[Judged<'_>]) -> Report {
    Outcomes::of(judged).whole()
}

#[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    sum / n.max(1) as f64
}

impl Report {
    /// The parts by name, as JSON.
    fn parts(&self) -> [(&'static str, Value); 5] {
        let value = |part: serde_json::Result<Value>| part.unwrap_or_default();
        [
            ("intent", value(serde_json::to_value(&self.intent))),
            ("entities", value(serde_json::to_value(&self.entities))),
            ("sentiment", value(serde_json::to_value(&self.sentiment))),
            ("emotions", value(serde_json::to_value(&self.emotions))),
            ("escalation", value(serde_json::to_value(&self.escalation))),
        ]
    }

    /// The figures that a gate or a log may name, by their dotted path; those of single labels aside.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let mut figures = BTreeMap::new();
        for (part, value) in self.parts() {
            let numbers = value.as_object().into_iter().flatten().filter_map(|(name, value)| Some((name, value.as_f64()?)));
            figures.extend(numbers.map(|(name, number)| (format!("{part}.{name}"), number)));
        }
        figures
    }

    /// One figure by its dotted path, those of single labels too: `intent.labels.track_order.recall`.
    #[must_use]
    pub fn figure(&self, path: &str) -> Option<f64> {
        let (part, rest) = path.split_once('.')?;
        let (_, value) = self.parts().into_iter().find(|(name, _)| *name == part)?;
        // A label may have dots in its name, so the figure is what stands behind the last one.
        match rest.split_once('.') {
            None => value.get(rest),
            Some((group, rest)) => match rest.rsplit_once('.') {
                None => value.get(group)?.get(rest),
                Some((label, figure)) => value.get(group)?.get(label)?.get(figure),
            },
        }?
        .as_f64()
    }

    /// The mean of the heads' main figures: what training maximises on validation data.
    #[must_use]
    pub fn score(&self) -> f64 {
        let parts = [
            self.intent.as_ref().map(|part| part.labels.accuracy),
            self.entities.as_ref().map(|part| part.micro_f1),
            self.sentiment.as_ref().map(|part| part.labels.macro_f1),
            self.emotions.as_ref().map(|part| part.micro_f1),
        ];
        mean(parts.into_iter().flatten())
    }
}
