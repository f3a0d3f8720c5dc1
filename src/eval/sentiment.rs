//! Scores of the sentiment: its label, and its number.

use super::classification::Classification;
use super::confidence::{CALIBRATION_BINS, ReliabilityBin, calibration_error, reliability};
use super::correlation::{pearson, spearman};
use super::names::Names;
use super::report::{Judged, mean};
use crate::heads::Sentiment;
use serde::Serialize;

/// Sentiment.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SentimentScores {
    /// The labels.
    #[serde(flatten)]
    pub labels: Classification,
    /// Mean absolute distance of the score in [−1, 1].
    pub mean_absolute_error: f64,
    /// Root of the mean squared distance of the score in [−1, 1].
    pub root_mean_squared_error: f64,
    /// Pearson's correlation of the scores; none where they do not vary.
    pub pearson: Option<f64>,
    /// Spearman's rank correlation of the scores; none where they do not vary.
    pub spearman: Option<f64>,
    /// Expected calibration error of the label's probability.
    pub expected_calibration_error: f64,
    /// The bins of the calibration error.
    pub reliability: Vec<ReliabilityBin>,
}

/// What is scored of one example's sentiment.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentimentOutcome {
    known: Sentiment,
    said: Sentiment,
    /// Known and predicted score.
    scores: (f64, f64),
    confidence: f32,
}

impl SentimentOutcome {
    pub(super) fn of(row: &Judged<'_>) -> Option<Self> {
        let [negative, _, positive] = row.example.sentiment?;
        let said = row.prediction.sentiment?;
        Some(Self {
            known: row.example.sentiment_label()?,
            said: said.label,
            scores: (f64::from(positive - negative), f64::from(said.score)),
            confidence: said.probabilities.iter().copied().fold(0.0, f32::max),
        })
    }

    /// Whether the label is right.
    pub(super) fn right(&self) -> bool {
        self.known == self.said
    }
}

impl SentimentScores {
    pub(super) fn of(rows: &[&SentimentOutcome]) -> Option<Self> {
        if rows.is_empty() {
            return None;
        }
        let names = Names::of(Sentiment::ALL.map(Sentiment::name));
        let pairs = rows.iter().filter_map(|row| Some((names.number(row.known.name())?, names.number(row.said.name())?)));
        let bins = reliability(&rows.iter().map(|row| (row.confidence, row.right())).collect::<Vec<_>>(), CALIBRATION_BINS);
        let scores: Vec<_> = rows.iter().map(|row| row.scores).collect();
        Some(Self {
            labels: Classification::of_numbers(&names, pairs),
            mean_absolute_error: mean(scores.iter().map(|(known, said)| (known - said).abs())),
            root_mean_squared_error: mean(scores.iter().map(|(known, said)| (known - said).powi(2))).sqrt(),
            pearson: pearson(&scores),
            spearman: spearman(&scores),
            expected_calibration_error: calibration_error(&bins),
            reliability: bins,
        })
    }
}
