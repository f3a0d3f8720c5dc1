//! Which side does a group go to? Iterative stratification: the rarest label is dealt out first, each of its groups to the side that
//! lacks most of it (Sechidis, Tsoumakas, Vlahavas 2011, "On the Stratification of Multi-Label Data", for groups instead of rows).

use crate::data::{PerSplit, Split};
use rand::seq::SliceRandom as _;
use rand::{SeedableRng as _, rngs::SmallRng};
use std::collections::BTreeMap;

/// The side of each group. `labels` has the label of each row, `shares` sum to 1, and a side without a share gets nothing.
#[must_use]
pub fn assign(groups: &[Vec<usize>], labels: &[&str], shares: &PerSplit<f64>, seed: u64) -> Vec<Split> {
    let label_of = |row: &usize| labels.get(*row).copied().unwrap_or_default();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.shuffle(&mut SmallRng::seed_from_u64(seed));
    order.sort_by_key(|group| std::cmp::Reverse(groups.get(*group).map_or(0, Vec::len)));
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut holders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for &group in &order {
        for row in groups.get(group).into_iter().flatten() {
            *counts.entry(label_of(row)).or_default() += 1;
            let holders = holders.entry(label_of(row)).or_default();
            if holders.last() != Some(&group) {
                holders.push(group);
            }
        }
    }
    let mut rarest: Vec<(&str, usize)> = counts.into_iter().collect();
    rarest.sort_by_key(|&(label, count)| (count, label));
    let mut wanted = Wanted::new(shares, labels.len(), &rarest);
    let mut sides: Vec<Option<Split>> = vec![None; groups.len()];
    for (label, _) in rarest {
        for &group in holders.get(label).into_iter().flatten() {
            let (Some(side @ None), Some(rows)) = (sides.get_mut(group), groups.get(group)) else { continue };
            let split = wanted.neediest(label);
            *side = Some(split);
            for row in rows {
                wanted.take(split, label_of(row));
            }
        }
    }
    sides.into_iter().map(|side| side.unwrap_or(Split::Train)).collect()
}

/// How many rows each side still lacks.
struct Wanted<'l> {
    sides: Vec<Split>,
    rows: PerSplit<f64>,
    labels: BTreeMap<&'l str, PerSplit<f64>>,
}

impl<'l> Wanted<'l> {
    #[expect(clippy::cast_precision_loss, reason = "a count of rows")]
    fn new(shares: &PerSplit<f64>, rows: usize, counts: &[(&'l str, usize)]) -> Self {
        let of = |count: usize| {
            let count = count as f64;
            PerSplit { train: shares.train * count, valid: shares.valid * count, test: shares.test * count }
        };
        Self {
            sides: Split::ALL.into_iter().filter(|split| *shares.get(*split) > 0.0).collect(),
            rows: of(rows),
            labels: counts.iter().map(|&(label, count)| (label, of(count))).collect(),
        }
    }

    /// The side that lacks most of the label; of equals the one that lacks most rows, then the first.
    fn neediest(&self, label: &str) -> Split {
        let none = PerSplit::default();
        let label = self.labels.get(label).unwrap_or(&none);
        let need = |split: &Split| (*label.get(*split), *self.rows.get(*split));
        let by_need = |a: &Split, b: &Split| {
            let ((a_label, a_rows), (b_label, b_rows)) = (need(a), need(b));
            // Sums of shares differ in their last bits where they are equal.
            if (a_label - b_label).abs() > 1e-6 { a_label.total_cmp(&b_label) } else { a_rows.total_cmp(&b_rows) }
        };
        self.sides.iter().copied().rev().max_by(by_need).unwrap_or(Split::Train)
    }

    fn take(&mut self, split: Split, label: &str) {
        *self.rows.get_mut(split) -= 1.0;
        if let Some(wanted) = self.labels.get_mut(label) {
            *wanted.get_mut(split) -= 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARES: PerSplit<f64> = PerSplit { train: 0.8, valid: 0.1, test: 0.1 };

    fn counts(sides: &[Split], labels: &[&str], label: &str) -> [usize; 3] {
        Split::ALL.map(|split| sides.iter().zip(labels).filter(|(side, name)| **side == split && **name == label).count())
    }

    #[test]
    fn every_label_keeps_its_shares() {
        let labels: Vec<&str> = (0..400).map(|i| if i % 4 == 0 { "rare" } else { "common" }).collect();
        let groups: Vec<Vec<usize>> = (0..400).map(|i| vec![i]).collect();
        let sides = assign(&groups, &labels, &SHARES, 1);
        assert_eq!(counts(&sides, &labels, "rare"), [80, 10, 10]);
        assert_eq!(counts(&sides, &labels, "common"), [240, 30, 30]);
    }

    #[test]
    fn many_rare_labels_are_spread_over_the_small_sides() {
        let names: Vec<String> = (0..200).map(|i| format!("label {}", i / 5)).collect();
        let labels: Vec<&str> = names.iter().map(String::as_str).collect();
        let groups: Vec<Vec<usize>> = (0..200).map(|i| vec![i]).collect();
        let sides = assign(&groups, &labels, &SHARES, 1);
        let total = |split| sides.iter().filter(|side| **side == split).count();
        assert_eq!([total(Split::Train), total(Split::Valid), total(Split::Test)], [160, 20, 20]);
        assert!(labels.iter().all(|label| counts(&sides, &labels, label)[0] == 4));
    }

    #[test]
    fn a_seed_decides_and_a_side_without_share_stays_empty() {
        let labels = vec!["a"; 50];
        let groups: Vec<Vec<usize>> = (0..50).map(|i| vec![i]).collect();
        assert_eq!(assign(&groups, &labels, &SHARES, 7), assign(&groups, &labels, &SHARES, 7));
        assert_ne!(assign(&groups, &labels, &SHARES, 7), assign(&groups, &labels, &SHARES, 8));
        let halves = PerSplit { train: 0.5, valid: 0.5, test: 0.0 };
        let sides = assign(&[(0..30).collect(), (30..50).collect()], &labels, &halves, 1);
        assert_eq!(sides, [Split::Train, Split::Valid]);
    }
}
