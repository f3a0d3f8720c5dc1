//! Scores of the intent and of its rejection.

use super::classification::Classification;
use super::confidence::{CALIBRATION_BINS, ReliabilityBin, calibration_error, reliability};
use super::names::Names;
use super::report::{Judged, mean};
use super::roc::Roc;
use crate::data::{Example, IntentLabel};
use crate::heads::{IntentPrediction, Status};
use serde::Serialize;

/// Intents, with the rejection.
///
/// What is said of out-of-scope messages by rank (AUROC, recall at a false alarm) uses the score that decides the rejection,
/// [`IntentPrediction::out_of_scope_margin`]: how far the rejection's probability, or the lack of the best intent's, lies beyond its
/// threshold. The false alarm is the share of in-scope messages that would be rejected.
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
    /// Area under the ROC curve of the rejection's score, out of scope against in scope.
    pub out_of_scope_auroc: Option<f64>,
    /// Recall of out-of-scope messages at 1 % false alarm.
    pub out_of_scope_recall_at_1_percent: Option<f64>,
    /// Recall of out-of-scope messages at 5 % false alarm.
    pub out_of_scope_recall_at_5_percent: Option<f64>,
    /// Recall of out-of-scope messages at 10 % false alarm.
    pub out_of_scope_recall_at_10_percent: Option<f64>,
    /// Expected calibration error of the best intent's probability, over the messages that are not rejected.
    pub expected_calibration_error: f64,
    /// The bins of the calibration error.
    pub reliability: Vec<ReliabilityBin>,
}

/// The label that an intent is scored as: a rejection is a label too.
pub(super) fn said(prediction: &IntentPrediction) -> &str {
    prediction.matched().unwrap_or(IntentLabel::OutOfScope.name())
}

/// What is scored of one example's intent.
#[derive(Debug, Clone, Copy)]
pub(super) struct IntentOutcome {
    known: usize,
    said: usize,
    in_scope: bool,
    /// Place of the known intent in the ranking.
    rank: Option<usize>,
    rejected: bool,
    /// Probability of the best intent.
    pub score: f32,
    margin: f32,
}

fn both<'j>(row: &'j Judged<'_>) -> Option<(&'j IntentLabel, &'j IntentPrediction)> {
    Some((row.example.intent.as_ref()?, row.prediction.intent.as_ref()?))
}

/// Every label that is known or said of an intent.
pub(super) fn names<'j>(judged: &'j [Judged<'_>]) -> Names<'j> {
    Names::of(judged.iter().filter_map(both).flat_map(|(known, prediction)| [known.name(), said(prediction)]))
}

impl IntentOutcome {
    pub(super) fn of(row: &Judged<'_>, names: &Names<'_>) -> Option<Self> {
        let (known, prediction) = both(row)?;
        Some(Self {
            known: names.number(known.name())?,
            said: names.number(said(prediction))?,
            in_scope: *known != IntentLabel::OutOfScope,
            rank: prediction.ranking.iter().position(|(name, _)| name == known.name()),
            rejected: prediction.status == Status::OutOfScope,
            score: prediction.ranking.first().map_or(0.0, |(_, score)| *score),
            margin: prediction.out_of_scope_margin,
        })
    }

    /// Whether what was said is so.
    pub(super) fn right(&self) -> bool {
        self.known == self.said
    }

    /// Whether the message was found out of scope.
    pub(super) fn rejected(&self) -> bool {
        self.rejected
    }

    /// The best intent's probability and whether it is right, unless the message is rejected.
    pub(super) fn answer(&self) -> Option<(f32, bool)> {
        (!self.rejected).then_some((self.score, self.right()))
    }

    /// The rejection's score and whether the message is out of scope.
    pub(super) fn separation(&self) -> (f32, bool) {
        (self.margin, !self.in_scope)
    }
}

impl IntentScores {
    pub(super) fn of(names: &Names<'_>, rows: &[&IntentOutcome]) -> Option<Self> {
        if rows.is_empty() {
            return None;
        }
        let labels = Classification::of_numbers(names, rows.iter().map(|row| (row.known, row.said)));
        let in_scope = || rows.iter().filter(|row| row.in_scope);
        let best = |n: usize| mean(in_scope().map(|row| f64::from(row.rank.is_some_and(|rank| rank < n))));
        let rejected = labels.labels.get(IntentLabel::OutOfScope.name()).copied().unwrap_or_default();
        let roc = Roc::of(&rows.iter().map(|row| row.separation()).collect::<Vec<_>>());
        let recall_at = |false_alarm| roc.as_ref().map(|roc| roc.recall_at(false_alarm));
        let bins = reliability(&rows.iter().filter_map(|row| row.answer()).collect::<Vec<_>>(), CALIBRATION_BINS);
        Some(Self {
            in_scope_accuracy: mean(in_scope().map(|row| f64::from(row.right()))),
            in_scope_top1: best(1),
            in_scope_top3: best(3),
            out_of_scope_precision: rejected.precision(),
            out_of_scope_recall: rejected.recall(),
            out_of_scope_auroc: roc.as_ref().map(Roc::area),
            out_of_scope_recall_at_1_percent: recall_at(0.01),
            out_of_scope_recall_at_5_percent: recall_at(0.05),
            out_of_scope_recall_at_10_percent: recall_at(0.1),
            expected_calibration_error: calibration_error(&bins),
            reliability: bins,
            labels,
        })
    }
}

/// What is known and what was said of an example's intent.
pub(super) fn known_and_said<'j>(example: &'j Example, prediction: &'j IntentPrediction) -> Option<(&'j str, &'j str)> {
    Some((example.intent.as_ref()?.name(), said(prediction)))
}
