//! The report: every figure of every head, once, for people and for programs.

use super::classification::macro_f1;
use super::{CALIBRATION_BINS, Classification, Counts, SpanScores, area_under_roc, expected_calibration_error};
use crate::data::{Example, IntentLabel};
use crate::heads::{Prediction, Status};
use serde::Serialize;
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

/// Intents, with the rejection.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct IntentScores {
    /// All examples; a rejected message has the label `out_of_scope`.
    #[serde(flatten)]
    pub labels: Classification,
    /// Share of in-scope examples whose intent is right and not rejected.
    pub in_scope_accuracy: f64,
    /// Share of in-scope examples whose best intent is right, whatever the status.
    pub in_scope_top1: f64,
    /// Share of in-scope examples whose intent is among the best three.
    pub in_scope_top3: f64,
    /// Share of rejected messages that are out of scope.
    pub out_of_scope_precision: f64,
    /// Share of out-of-scope messages that are rejected.
    pub out_of_scope_recall: f64,
    /// Area under the ROC curve of the best intent's probability, in scope against out of scope.
    pub out_of_scope_auroc: Option<f64>,
    /// Expected calibration error of the best intent's probability.
    pub expected_calibration_error: f64,
}

/// Sentiment.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SentimentScores {
    /// The labels.
    #[serde(flatten)]
    pub labels: Classification,
    /// Mean absolute distance of the score in [−1, 1].
    pub mean_absolute_error: f64,
    /// Expected calibration error of the label's probability.
    pub expected_calibration_error: f64,
}

/// Several labels for each example.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct EmotionScores {
    /// Examples with known emotions.
    pub examples: usize,
    /// F1 over all labels.
    pub micro_f1: f64,
    /// Mean F1 over the labels that occur.
    pub macro_f1: f64,
    /// Expected calibration error of the labels' probabilities.
    pub expected_calibration_error: f64,
    /// Counts of each label.
    pub labels: BTreeMap<String, Counts>,
}

/// Whether a human should take over.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct EscalationScores {
    /// Examples where it is known.
    pub examples: usize,
    /// Precision.
    pub precision: f64,
    /// Recall.
    pub recall: f64,
    /// F1.
    pub f1: f64,
}

/// Every figure. A part that nothing is known of is absent.
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
}

/// Scores judged examples.
#[must_use]
pub fn report(judged: &[Judged<'_>]) -> Report {
    Report {
        intent: intents(judged),
        entities: entities(judged),
        sentiment: sentiments(judged),
        emotions: emotions(judged),
        escalation: escalations(judged),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), value| (sum + value, n + 1));
    sum / n.max(1) as f64
}

fn intents(judged: &[Judged<'_>]) -> Option<IntentScores> {
    let rows: Vec<_> = judged.iter().filter_map(|row| Some((row.example.intent.as_ref()?, row.prediction.intent.as_ref()?))).collect();
    if rows.is_empty() {
        return None;
    }
    let outside = IntentLabel::OutOfScope.name();
    let labels = Classification::of(rows.iter().map(|(known, said)| (known.name(), said.matched().unwrap_or(outside))));
    let share = |best: usize| {
        let rows = rows.iter().filter(|(known, _)| **known != IntentLabel::OutOfScope);
        mean(rows.map(|(known, said)| f64::from(said.ranking.iter().take(best).any(|(name, _)| name == known.name()))))
    };
    let in_scope = rows.iter().filter(|(known, _)| **known != IntentLabel::OutOfScope);
    let rejected = labels.labels.get(outside).copied().unwrap_or_default();
    let best = |ranking: &[(String, f32)]| ranking.first().map_or(0.0, |(_, score)| *score);
    let confidence: Vec<(f32, bool)> = rows
        .iter()
        .filter(|(_, said)| said.status != Status::OutOfScope)
        .map(|(known, said)| (best(&said.ranking), said.matched() == Some(known.name())))
        .collect();
    let separation: Vec<(f32, bool)> = rows.iter().map(|(known, said)| (best(&said.ranking), **known != IntentLabel::OutOfScope)).collect();
    Some(IntentScores {
        in_scope_accuracy: mean(in_scope.map(|(known, said)| f64::from(said.matched() == Some(known.name())))),
        in_scope_top1: share(1),
        in_scope_top3: share(3),
        out_of_scope_precision: rejected.precision(),
        out_of_scope_recall: rejected.recall(),
        out_of_scope_auroc: area_under_roc(&separation),
        expected_calibration_error: expected_calibration_error(&confidence, CALIBRATION_BINS),
        labels,
    })
}

fn entities(judged: &[Judged<'_>]) -> Option<SpanScores> {
    let pairs = judged.iter().filter_map(|row| {
        let known = row.example.entities.as_ref()?.iter().map(|entity| (entity.span, entity.label.as_str())).collect();
        let said = row.prediction.entities.as_ref()?.iter().map(|entity| (entity.span, entity.label.as_str())).collect();
        Some((known, said))
    });
    Some(SpanScores::of(pairs)).filter(|scores| scores.examples > 0)
}

fn sentiments(judged: &[Judged<'_>]) -> Option<SentimentScores> {
    let rows: Vec<_> = judged
        .iter()
        .filter_map(|row| Some((row.example.sentiment_label()?, row.example.sentiment?, row.prediction.sentiment.as_ref()?)))
        .collect();
    if rows.is_empty() {
        return None;
    }
    let confidence: Vec<_> =
        rows.iter().map(|(known, _, said)| (said.probabilities.iter().copied().fold(0.0, f32::max), *known == said.label)).collect();
    Some(SentimentScores {
        labels: Classification::of(rows.iter().map(|(known, _, said)| (known.name(), said.label.name()))),
        mean_absolute_error: mean(
            rows.iter().map(|(_, [negative, _, positive], said)| f64::from((positive - negative - said.score).abs())),
        ),
        expected_calibration_error: expected_calibration_error(&confidence, CALIBRATION_BINS),
    })
}

fn emotions(judged: &[Judged<'_>]) -> Option<EmotionScores> {
    let mut scores = EmotionScores::default();
    let mut confidence = Vec::new();
    for row in judged {
        let (Some(known), Some(said)) = (&row.example.emotions, &row.prediction.emotions) else { continue };
        scores.examples += 1;
        for emotion in said {
            let so = known.contains(&emotion.name);
            scores.labels.entry(emotion.name.clone()).or_default().add(so, emotion.present);
            confidence.push((emotion.score, so));
        }
        for missed in known.iter().filter(|name| !said.iter().any(|emotion| emotion.name == **name)) {
            scores.labels.entry(missed.clone()).or_default().add(true, false);
        }
    }
    let mut total = Counts::default();
    for counts in scores.labels.values() {
        total.merge(*counts);
    }
    scores.micro_f1 = total.f1();
    scores.macro_f1 = macro_f1(&scores.labels);
    scores.expected_calibration_error = expected_calibration_error(&confidence, CALIBRATION_BINS);
    Some(scores).filter(|scores| scores.examples > 0)
}

fn escalations(judged: &[Judged<'_>]) -> Option<EscalationScores> {
    let mut counts = Counts::default();
    let mut examples = 0;
    for (so, said) in judged.iter().filter_map(|row| Some((row.example.escalate?, row.escalated?))) {
        counts.add(so, said);
        examples += 1;
    }
    let scores = EscalationScores { examples, precision: counts.precision(), recall: counts.recall(), f1: counts.f1() };
    Some(scores).filter(|scores| scores.examples > 0)
}

impl Report {
    /// The figures that a gate or a log may name, by their dotted path.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let mut figures = BTreeMap::new();
        if let Ok(serde_json::Value::Object(parts)) = serde_json::to_value(self) {
            for (part, value) in parts {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if let Some(number) = value.as_f64() {
                        figures.insert(format!("{part}.{name}"), number);
                    }
                }
            }
        }
        figures
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

/// A figure and the least or most it may be, such as `intent.accuracy>=0.9`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// Dotted path of the figure.
    pub figure: String,
    /// Whether the bound is the least (or the most).
    pub at_least: bool,
    /// The bound.
    pub bound: f64,
}

impl std::str::FromStr for Gate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a gate; write FIGURE>=NUMBER or FIGURE<=NUMBER, such as intent.accuracy>=0.9");
        let (figure, at_least, bound) = match (text.split_once(">="), text.split_once("<=")) {
            (Some((figure, bound)), None) => (figure, true, bound),
            (None, Some((figure, bound))) => (figure, false, bound),
            _ => return Err(wrong()),
        };
        Ok(Self { figure: figure.trim().to_owned(), at_least, bound: bound.trim().parse().map_err(|_| wrong())? })
    }
}

impl Gate {
    /// Whether a report passes, or what is wrong.
    ///
    /// # Errors
    /// When the report has no such figure.
    pub fn passes(&self, report: &Report) -> Result<bool, String> {
        let figures = report.figures();
        let value = figures.get(&self.figure).ok_or_else(|| {
            let names: Vec<_> = figures.keys().map(String::as_str).collect();
            format!("the report has no figure `{}`; it has {}", self.figure, names.join(", "))
        })?;
        Ok(if self.at_least { *value >= self.bound } else { *value <= self.bound })
    }
}
