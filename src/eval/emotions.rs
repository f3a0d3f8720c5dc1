//! Scores of the emotions: several labels for each example, each there or not.

use super::classification::{Averages, Counts, occurring};
use super::confidence::{CALIBRATION_BINS, ReliabilityBin, calibration_error, reliability};
use super::names::Names;
use super::report::Judged;
use serde::Serialize;
use std::collections::BTreeMap;

/// Several labels for each example.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct EmotionScores {
    /// Examples with known emotions.
    pub examples: usize,
    /// F1 over all labels.
    pub micro_f1: f64,
    /// Mean F1 over the labels that occur.
    pub macro_f1: f64,
    /// Mean F1 over the labels, each as heavy as it is frequent.
    pub weighted_f1: f64,
    /// Precision over all labels.
    pub micro_precision: f64,
    /// Recall over all labels.
    pub micro_recall: f64,
    /// Expected calibration error of the labels' probabilities.
    pub expected_calibration_error: f64,
    /// Counts of each label.
    pub labels: BTreeMap<String, Counts>,
    /// The bins of the calibration error.
    pub reliability: Vec<ReliabilityBin>,
}

/// What is scored of one example's emotions.
#[derive(Debug, Clone)]
pub(super) struct EmotionOutcome {
    /// Label, whether it is so, whether it was said.
    decisions: Vec<(usize, bool, bool)>,
    /// Probability of each label that the model has, and whether it is so.
    confidence: Vec<(f32, bool)>,
}

/// Every emotion that is known or that the model has.
pub(super) fn names<'j>(judged: &'j [Judged<'_>]) -> Names<'j> {
    let known = judged.iter().flat_map(|row| row.example.emotions.iter().flatten().map(String::as_str));
    let said = judged.iter().flat_map(|row| row.prediction.emotions.iter().flatten().map(|emotion| emotion.name.as_str()));
    Names::of(known.chain(said))
}

impl EmotionOutcome {
    pub(super) fn of(row: &Judged<'_>, names: &Names<'_>) -> Option<Self> {
        let (known, said) = (row.example.emotions.as_ref()?, row.prediction.emotions.as_ref()?);
        let decision =
            |emotion: &crate::heads::EmotionScore| Some((names.number(&emotion.name)?, known.contains(&emotion.name), emotion.present));
        let foreign = known.iter().filter(|name| !said.iter().any(|emotion| emotion.name == **name));
        let missed = foreign.filter_map(|name| Some((names.number(name)?, true, false)));
        Some(Self {
            decisions: said.iter().filter_map(decision).chain(missed).collect(),
            confidence: said.iter().map(|emotion| (emotion.score, known.contains(&emotion.name))).collect(),
        })
    }
}

impl EmotionScores {
    pub(super) fn of(names: &Names<'_>, rows: &[&EmotionOutcome]) -> Option<Self> {
        let mut counts: Vec<Counts> = names.values();
        for (label, so, said) in rows.iter().flat_map(|row| &row.decisions) {
            counts.get_mut(*label).into_iter().for_each(|counts| counts.add(*so, *said));
        }
        let averages = Averages::of(&counts);
        let confidence: Vec<_> = rows.iter().flat_map(|row| row.confidence.iter().copied()).collect();
        let bins = reliability(&confidence, CALIBRATION_BINS);
        let scores = Self {
            examples: rows.len(),
            micro_f1: averages.total.f1(),
            macro_f1: averages.macro_f1,
            weighted_f1: averages.weighted_f1,
            micro_precision: averages.total.precision(),
            micro_recall: averages.total.recall(),
            expected_calibration_error: calibration_error(&bins),
            labels: occurring(names, &counts),
            reliability: bins,
        };
        Some(scores).filter(|scores| scores.examples > 0)
    }
}
