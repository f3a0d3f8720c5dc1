//! Accuracy, precision, recall, F1 and confusions of one label per example.

use serde::Serialize;
use std::collections::BTreeMap;

/// True and false positives and false negatives, and what follows from them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
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

/// Scores of a head that gives one label to each example.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Classification {
    /// Examples with a known label.
    pub examples: usize,
    /// Share of right labels.
    pub accuracy: f64,
    /// Mean F1 over the labels that occur.
    pub macro_f1: f64,
    /// Counts of each label.
    pub labels: BTreeMap<String, Counts>,
    /// How often each known label (first) was taken for another (second), most frequent first.
    pub confusions: Vec<(String, String, usize)>,
}

impl Classification {
    /// Scores pairs of known and predicted label.
    pub fn of<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut labels: BTreeMap<String, Counts> = BTreeMap::new();
        let mut confusions: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let (mut examples, mut right) = (0, 0);
        for (known, said) in pairs {
            examples += 1;
            if known == said {
                right += 1;
                labels.entry(known.to_owned()).or_default().true_positives += 1;
            } else {
                labels.entry(known.to_owned()).or_default().false_negatives += 1;
                labels.entry(said.to_owned()).or_default().false_positives += 1;
                *confusions.entry((known, said)).or_default() += 1;
            }
        }
        let mut confusions: Vec<_> = confusions.into_iter().map(|((known, said), n)| (known.to_owned(), said.to_owned(), n)).collect();
        confusions.sort_by_key(|confusion| std::cmp::Reverse(confusion.2));
        Self { examples, accuracy: ratio(right, examples), macro_f1: macro_f1(&labels), labels, confusions }
    }
}

/// Mean F1 over the labels with support.
#[expect(clippy::cast_precision_loss, reason = "labels are few")]
pub(super) fn macro_f1(labels: &BTreeMap<String, Counts>) -> f64 {
    let scores: Vec<f64> = labels.values().filter(|counts| counts.support() > 0).map(Counts::f1).collect();
    if scores.is_empty() { 0.0 } else { scores.iter().sum::<f64>() / scores.len() as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let scores = Classification::of([("a", "a"), ("a", "b"), ("b", "b"), ("c", "b")]);
        assert_eq!((scores.examples, scores.accuracy), (4, 0.5));
        let f1 = |label: &str| scores.labels[label].f1();
        assert!((f1("a") - 2.0 / 3.0).abs() < 1e-12 && (f1("b") - 0.5).abs() < 1e-12 && f1("c") == 0.0);
        assert!((scores.macro_f1 - (2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12);
        assert_eq!(scores.confusions.len(), 2);
    }
}
