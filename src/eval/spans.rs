//! Entities as spans: right only when label, start and end are right (the CoNLL-2003 measure).

use super::Counts;
use super::classification::macro_f1;
use crate::text::Span;
use serde::Serialize;
use std::collections::BTreeMap;

/// Scores of a head that gives spans.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SpanScores {
    /// Examples with known entities.
    pub examples: usize,
    /// Counts over all labels.
    pub total: Counts,
    /// Precision over all labels.
    pub micro_precision: f64,
    /// Recall over all labels.
    pub micro_recall: f64,
    /// F1 over all labels.
    pub micro_f1: f64,
    /// Mean F1 over the labels that occur.
    pub macro_f1: f64,
    /// F1 over all labels where a span of the right label counts when it overlaps.
    pub overlap_f1: f64,
    /// Counts of each label.
    pub labels: BTreeMap<String, Counts>,
}

/// Known and predicted spans of one example, with their labels.
pub type Pair<'a> = (Vec<(Span, &'a str)>, Vec<(Span, &'a str)>);

impl SpanScores {
    /// Scores examples.
    pub fn of<'a>(pairs: impl IntoIterator<Item = Pair<'a>>) -> Self {
        let mut scores = Self::default();
        let mut overlap = Counts::default();
        for (known, said) in pairs {
            scores.examples += 1;
            for entity in &known {
                let right = said.contains(entity);
                let counts = scores.labels.entry(entity.1.to_owned()).or_default();
                counts.true_positives += usize::from(right);
                counts.false_negatives += usize::from(!right);
                let touched = said.iter().any(|other| touches(entity, other));
                overlap.true_positives += usize::from(touched);
                overlap.false_negatives += usize::from(!touched);
            }
            for entity in said.iter().filter(|entity| !known.contains(entity)) {
                scores.labels.entry(entity.1.to_owned()).or_default().false_positives += 1;
                overlap.false_positives += usize::from(!known.iter().any(|other| touches(entity, other)));
            }
        }
        for counts in scores.labels.values() {
            scores.total.merge(*counts);
        }
        let total = scores.total;
        Self {
            micro_precision: total.precision(),
            micro_recall: total.recall(),
            micro_f1: total.f1(),
            macro_f1: macro_f1(&scores.labels),
            overlap_f1: overlap.f1(),
            ..scores
        }
    }
}

fn touches(a: &(Span, &str), b: &(Span, &str)) -> bool {
    a.1 == b.1 && a.0.overlaps(b.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_spans_are_right() {
        let span = |start, end| Span { start, end };
        let scores =
            SpanScores::of([(vec![(span(0, 4), "size"), (span(6, 9), "color")], vec![(span(0, 4), "size"), (span(6, 8), "color")])]);
        assert_eq!(scores.total, Counts { true_positives: 1, false_positives: 1, false_negatives: 1 });
        assert!((scores.micro_f1 - 0.5).abs() < 1e-12 && (scores.overlap_f1 - 1.0).abs() < 1e-12);
    }
}
