//! Entities as spans: right only when label, start and end are right (the CoNLL-2003 measure).

use super::classification::{Averages, Counts, occurring};
use super::confidence::{CALIBRATION_BINS, ReliabilityBin, calibration_error, reliability};
use super::names::Names;
use super::report::Judged;
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
    /// Mean F1 over the labels, each as heavy as it is frequent.
    pub weighted_f1: f64,
    /// F1 over all labels where a span of the right label counts when it overlaps.
    pub overlap_f1: f64,
    /// Share of the examples whose entities are all right and nothing else was said.
    pub exact_examples: f64,
    /// Expected calibration error of the spans that were said.
    pub expected_calibration_error: f64,
    /// Counts of each label.
    pub labels: BTreeMap<String, Counts>,
    /// Counts of each label where a span of the right label counts when it overlaps.
    pub overlap_labels: BTreeMap<String, Counts>,
    /// The bins of the calibration error.
    pub reliability: Vec<ReliabilityBin>,
}

/// A span and its label.
type Labelled<'a> = (Span, &'a str);

/// What is scored of one example's entities.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct SpanOutcome {
    /// Label and whether it was said exactly, whether anything of its label overlaps: one for each known span.
    known: Vec<(usize, bool, bool)>,
    /// Label and whether a known span of its label overlaps: one for each span that was said and is not exactly so.
    wrong: Vec<(usize, bool)>,
    /// Probability of each span that was said, and whether it is exactly so.
    confidence: Vec<(f32, bool)>,
}

/// Every label that is known or said of a span.
pub(super) fn names<'j>(judged: &'j [Judged<'_>]) -> Names<'j> {
    let known = judged.iter().flat_map(|row| row.example.entities.iter().flatten().map(|entity| entity.label.as_str()));
    let said = judged.iter().flat_map(|row| row.prediction.entities.iter().flatten().map(|entity| entity.label.as_str()));
    Names::of(known.chain(said))
}

impl SpanOutcome {
    pub(super) fn of(row: &Judged<'_>, names: &Names<'_>) -> Option<Self> {
        let known: Vec<Labelled<'_>> = row.example.entities.as_ref()?.iter().map(|entity| (entity.span, entity.label.as_str())).collect();
        let said = row.prediction.entities.as_ref()?.iter().map(|entity| ((entity.span, entity.label.as_str()), entity.score));
        Some(Self::compared(&known, &said.collect::<Vec<_>>(), names))
    }

    fn compared(known: &[Labelled<'_>], said: &[(Labelled<'_>, f32)], names: &Names<'_>) -> Self {
        let touches = |a: &Labelled<'_>, b: &Labelled<'_>| a.1 == b.1 && a.0.overlaps(b.0);
        let found = |entity: &Labelled<'_>| {
            let exact = said.iter().any(|(other, _)| other == entity);
            Some((names.number(entity.1)?, exact, said.iter().any(|(other, _)| touches(entity, other))))
        };
        let wrong = said.iter().filter(|(entity, _)| !known.contains(entity));
        Self {
            known: known.iter().filter_map(found).collect(),
            wrong: wrong
                .filter_map(|(entity, _)| Some((names.number(entity.1)?, known.iter().any(|other| touches(entity, other)))))
                .collect(),
            confidence: said.iter().map(|(entity, score)| (*score, known.contains(entity))).collect(),
        }
    }

    /// Whether every entity is right and nothing else was said.
    pub(super) fn right(&self) -> bool {
        self.wrong.is_empty() && self.known.iter().all(|(_, exact, _)| *exact)
    }
}

impl SpanScores {
    pub(super) fn of(names: &Names<'_>, rows: &[&SpanOutcome]) -> Option<Self> {
        let (mut exact, mut overlap): (Vec<Counts>, Vec<Counts>) = (names.values(), names.values());
        for row in rows {
            for (label, said, touched) in &row.known {
                exact.get_mut(*label).into_iter().for_each(|counts| counts.add(true, *said));
                overlap.get_mut(*label).into_iter().for_each(|counts| counts.add(true, *touched));
            }
            for (label, touching) in &row.wrong {
                exact.get_mut(*label).into_iter().for_each(|counts| counts.add(false, true));
                overlap.get_mut(*label).into_iter().for_each(|counts| counts.add(false, !touching));
            }
        }
        let averages = Averages::of(&exact);
        let confidence: Vec<_> = rows.iter().flat_map(|row| row.confidence.iter().copied()).collect();
        let bins = reliability(&confidence, CALIBRATION_BINS);
        let scores = Self {
            examples: rows.len(),
            total: averages.total,
            micro_precision: averages.total.precision(),
            micro_recall: averages.total.recall(),
            micro_f1: averages.total.f1(),
            macro_f1: averages.macro_f1,
            weighted_f1: averages.weighted_f1,
            overlap_f1: Averages::of(&overlap).total.f1(),
            exact_examples: super::report::mean(rows.iter().map(|row| f64::from(row.right()))),
            expected_calibration_error: calibration_error(&bins),
            labels: occurring(names, &exact),
            overlap_labels: occurring(names, &overlap),
            reliability: bins,
        };
        Some(scores).filter(|scores| scores.examples > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_spans_are_right() {
        let span = |start, end| Span { start, end };
        let names = Names::of(["size", "color"]);
        let known = [(span(0, 4), "size"), (span(6, 9), "color")];
        let said = [((span(0, 4), "size"), 0.9), ((span(6, 8), "color"), 0.6)];
        let outcome = SpanOutcome::compared(&known, &said, &names);
        let scores = SpanScores::of(&names, &[&outcome]).unwrap();
        assert_eq!(scores.total, Counts { true_positives: 1, false_positives: 1, false_negatives: 1 });
        assert!((scores.micro_f1 - 0.5).abs() < 1e-12 && (scores.overlap_f1 - 1.0).abs() < 1e-12 && scores.exact_examples == 0.0);
        assert_eq!(scores.labels["color"].f1(), 0.0);
        assert_eq!(scores.overlap_labels["color"], Counts { true_positives: 1, ..Counts::default() });
        // Two spans of confidence 0.9 (right) and 0.6 (wrong), each alone in its bin.
        assert!((scores.expected_calibration_error - f64::midpoint(0.1, 0.6)).abs() < 1e-6);
    }

    #[test]
    fn a_span_of_another_label_is_wrong_even_where_it_overlaps() {
        let names = Names::of(["size", "color"]);
        let span = Span { start: 0, end: 4 };
        let outcome = SpanOutcome::compared(&[(span, "size")], &[((span, "color"), 0.5)], &names);
        let scores = SpanScores::of(&names, &[&outcome]).unwrap();
        assert_eq!((scores.overlap_f1, scores.total.false_positives, scores.total.false_negatives), (0.0, 1, 1));
    }
}
