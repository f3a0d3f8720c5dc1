//! Scores of the policy: whether a human should take over.

use super::classification::Counts;
use super::report::Judged;
use serde::Serialize;

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

/// Whether it is so, and whether it was said.
pub(super) fn outcome(row: &Judged<'_>) -> Option<(bool, bool)> {
    Some((row.example.escalate?, row.escalated?))
}

impl EscalationScores {
    pub(super) fn of(rows: &[&(bool, bool)]) -> Option<Self> {
        let mut counts = Counts::default();
        for (so, said) in rows {
            counts.add(*so, *said);
        }
        let scores = Self { examples: rows.len(), precision: counts.precision(), recall: counts.recall(), f1: counts.f1() };
        Some(scores).filter(|scores| scores.examples > 0)
    }
}
