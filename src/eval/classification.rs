//! Accuracy, precision, recall, F1 and confusions of one label per example.

use super::names::Names;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use std::collections::BTreeMap;

/// True and false positives and false negatives, and what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Counts {
    /// Right.
    pub true_positives: usize,
    /// Said, but not so.
    pub false_positives: usize,
    /// So, but not said.
    pub false_negatives: usize,
}

/// Division where nothing over nothing is zero.
#[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

impl Counts {
    /// Share of what was said that is right.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Share of what is so that was said.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Harmonic mean of precision and recall.
    #[must_use]
    pub fn f1(&self) -> f64 {
        ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)
    }

    /// How many there are.
    #[must_use]
    pub fn support(&self) -> usize {
        self.true_positives + self.false_negatives
    }

    /// Adds one decision.
    pub fn add(&mut self, so: bool, said: bool) {
        match (so, said) {
            (true, true) => self.true_positives += 1,
            (false, true) => self.false_positives += 1,
            (true, false) => self.false_negatives += 1,
            (false, false) => {}
        }
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: Self) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut counts = serializer.serialize_struct("Counts", 7)?;
        counts.serialize_field("precision", &self.precision())?;
        counts.serialize_field("recall", &self.recall())?;
        counts.serialize_field("f1", &self.f1())?;
        counts.serialize_field("support", &self.support())?;
        counts.serialize_field("true_positives", &self.true_positives)?;
        counts.serialize_field("false_positives", &self.false_positives)?;
        counts.serialize_field("false_negatives", &self.false_negatives)?;
        counts.end()
    }
}

/// F1 over several labels, in the three usual ways.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Averages {
    /// Of all counts together.
    pub total: Counts,
    /// Mean over the labels with support.
    pub macro_f1: f64,
    /// Mean over the labels, each as heavy as its support.
    pub weighted_f1: f64,
}

impl Averages {
    #[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
    pub(super) fn of<'a>(labels: impl IntoIterator<Item = &'a Counts>) -> Self {
        let (mut total, mut occurring, mut sum, mut weighted) = (Counts::default(), 0usize, 0.0, 0.0);
        for counts in labels {
            total.merge(*counts);
            if counts.support() > 0 {
                occurring += 1;
                sum += counts.f1();
                weighted += counts.f1() * counts.support() as f64;
            }
        }
        Self { total, macro_f1: sum / occurring.max(1) as f64, weighted_f1: weighted / total.support().max(1) as f64 }
    }
}

/// How often one label was taken for another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Confusion {
    /// What is known.
    pub known: String,
    /// What was said.
    pub said: String,
    /// How often.
    pub count: usize,
}

/// Scores of a head that gives one label to each example.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize)]
pub struct Classification {
    /// Examples with a known label.
    pub examples: usize,
    /// Share of right labels.
    pub accuracy: f64,
    /// Mean F1 over the labels that occur.
    pub macro_f1: f64,
    /// F1 of all decisions together; with one label for each example it is the accuracy.
    pub micro_f1: f64,
    /// Mean F1 over the labels, each as heavy as it is frequent.
    pub weighted_f1: f64,
    /// Counts of each label: the diagonal of the confusion matrix.
    pub labels: BTreeMap<String, Counts>,
    /// The confusion matrix off its diagonal, without zeros, most frequent first.
    pub confusions: Vec<Confusion>,
}

impl Classification {
    /// Scores pairs of known and predicted label.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let names = Names::of(pairs.iter().flat_map(|(known, said)| [*known, *said]));
        let numbers: Vec<_> = pairs.iter().filter_map(|(known, said)| Some((names.number(known)?, names.number(said)?))).collect();
        Self::of_numbers(&names, numbers.into_iter())
    }

    /// Scores pairs of the numbers of known and predicted label.
    pub(super) fn of_numbers(names: &Names<'_>, pairs: impl Iterator<Item = (usize, usize)>) -> Self {
        let mut counts: Vec<Counts> = names.values();
        let (mut examples, mut right) = (0, 0);
        let mut wrong: Vec<(usize, usize)> = Vec::new();
        for (known, said) in pairs {
            examples += 1;
            let mut at =
                |label: usize, so: bool, is_said: bool| counts.get_mut(label).into_iter().for_each(|counts| counts.add(so, is_said));
            if known == said {
                right += 1;
                at(known, true, true);
            } else {
                at(known, true, false);
                at(said, false, true);
                wrong.push((known, said));
            }
        }
        wrong.sort_unstable();
        let mut confusions: Vec<_> = wrong.chunk_by(|a, b| a == b).filter_map(|same| Some((same.len(), *same.first()?))).collect();
        confusions.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let confusion = |(count, (known, said)): (usize, (usize, usize))| Confusion {
            known: names.get(known).to_owned(),
            said: names.get(said).to_owned(),
            count,
        };
        let averages = Averages::of(&counts);
        Self {
            examples,
            accuracy: ratio(right, examples),
            macro_f1: averages.macro_f1,
            micro_f1: averages.total.f1(),
            weighted_f1: averages.weighted_f1,
            labels: occurring(names, &counts),
            confusions: confusions.into_iter().map(confusion).collect(),
        }
    }
}

/// The counts of the labels that were said or are so.
pub(super) fn occurring(names: &Names<'_>, counts: &[Counts]) -> BTreeMap<String, Counts> {
    let there = names.iter().zip(counts).filter(|(_, counts)| **counts != Counts::default());
    there.map(|(name, counts)| (name.to_owned(), *counts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let scores = Classification::of([("a", "a"), ("a", "b"), ("b", "b"), ("c", "b")]);
        assert_eq!((scores.examples, scores.accuracy, scores.micro_f1), (4, 0.5, 0.5));
        let f1 = |label: &str| scores.labels[label].f1();
        assert!((f1("a") - 2.0 / 3.0).abs() < 1e-12 && (f1("b") - 0.5).abs() < 1e-12 && f1("c") == 0.0);
        assert!((scores.macro_f1 - (2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12);
        assert!((scores.weighted_f1 - (2.0 * 2.0 / 3.0 + 0.5) / 4.0).abs() < 1e-12);
        assert_eq!(scores.confusions.len(), 2);
        assert_eq!(scores.confusions[0], Confusion { known: "a".into(), said: "b".into(), count: 1 });
    }

    #[test]
    fn nothing_is_zero_and_a_label_that_only_was_said_has_no_part_in_the_mean() {
        assert_eq!(Classification::of([]).macro_f1, 0.0);
        let scores = Classification::of([("a", "a"), ("a", "z")]);
        assert!((scores.macro_f1 - 2.0 / 3.0).abs() < 1e-12 && scores.labels["z"].support() == 0);
    }
}
