//! Which rows does a cross-validation hold back in which round? Folds that are alike in their labels and share no conversation.

use super::folding::folded;
use super::{Example, IntentLabel};
use rand::seq::SliceRandom as _;
use rand::{SeedableRng as _, rngs::SmallRng};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The fold of each row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    of: Vec<usize>,
    texts: Vec<String>,
}

impl Folds {
    /// Deals the rows out to `folds` folds. Rows of one conversation stay together, and so do rows without a conversation
    /// whose texts differ in case, punctuation or spacing only; each fold gets its share of every intent as far as that allows.
    #[must_use]
    pub fn new(examples: &[Example], conversations: &[Option<String>], folds: usize, seed: u64) -> Self {
        let texts: Vec<String> = examples.iter().map(|example| folded(&example.text)).collect();
        let mut groups: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
        for (row, text) in texts.iter().enumerate() {
            let conversation = conversations.get(row).and_then(Option::as_deref);
            groups.entry((conversation.is_some(), conversation.unwrap_or(text))).or_default().push(row);
        }
        let mut groups: Vec<Vec<usize>> = groups.into_values().collect();
        groups.shuffle(&mut SmallRng::seed_from_u64(seed));
        groups.sort_by_key(|group| std::cmp::Reverse(group.len()));
        let label = |row: &usize| examples.get(*row).and_then(|example| example.intent.as_ref()).map_or("", |intent| intent.name());
        let mut filled = vec![(0usize, BTreeMap::<&str, usize>::new()); folds.max(1)];
        let mut of = vec![0; examples.len()];
        for group in groups {
            // The fold that holds least of these labels, and of those the one that holds least.
            let held = |(rows, labels): &(usize, BTreeMap<&str, usize>)| {
                (group.iter().map(|row| labels.get(label(row)).copied().unwrap_or(0)).sum::<usize>(), *rows)
            };
            let Some((fold, (rows, labels))) = filled.iter_mut().enumerate().min_by_key(|(_, fold)| held(fold)) else { continue };
            *rows += group.len();
            for row in &group {
                *labels.entry(label(row)).or_default() += 1;
                if let Some(of) = of.get_mut(*row) {
                    *of = fold;
                }
            }
        }
        Self { of, texts }
    }

    /// Rows of the fold, and rows to train on: all others but those whose text stands in the fold too, in another conversation.
    #[must_use]
    pub fn round(&self, fold: usize) -> (Vec<usize>, Vec<usize>) {
        let (held, rest): (Vec<usize>, Vec<usize>) = (0..self.of.len()).partition(|row| self.of.get(*row) == Some(&fold));
        let seen: HashSet<&String> = held.iter().filter_map(|row| self.texts.get(*row)).collect();
        (held, rest.into_iter().filter(|row| self.texts.get(*row).is_some_and(|text| !seen.contains(text))).collect())
    }
}

/// `share` of the rows, and of each intent at least one row; a greater share holds all rows of a smaller one.
#[must_use]
pub fn part(examples: &[Example], rows: &[usize], share: f64, seed: u64) -> Vec<usize> {
    let mut of: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for row in rows {
        let intent = examples.get(*row).and_then(|example| example.intent.as_ref()).map(IntentLabel::name);
        of.entry(intent).or_default().push(*row);
    }
    let mut random = SmallRng::seed_from_u64(seed);
    let mut kept = BTreeSet::new();
    for mut rows in of.into_values() {
        rows.shuffle(&mut random);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let most = ((rows.len() as f64 * share).round() as usize).max(1);
        kept.extend(rows.into_iter().take(most));
    }
    kept.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Place, Row};

    fn examples(rows: &[(&str, &str)]) -> Vec<Example> {
        let place = Place { file: "here".into(), line: 1 };
        let row =
            |(text, intent): &(&str, &str)| serde_json::from_value::<Row>(serde_json::json!({"text": text, "intent": intent})).unwrap();
        rows.iter().map(|pair| Example::new(row(pair), place.clone()).unwrap()).collect()
    }

    fn many() -> Vec<Example> {
        let texts: Vec<(String, &str)> = (0..100).map(|i| (format!("message {i}"), if i % 5 == 0 { "rare" } else { "common" })).collect();
        examples(&texts.iter().map(|(text, intent)| (text.as_str(), *intent)).collect::<Vec<_>>())
    }

    #[test]
    fn every_row_is_held_back_once_and_folds_are_alike() {
        let examples = many();
        let folds = Folds::new(&examples, &vec![None; 100], 5, 3);
        let mut all = Vec::new();
        for fold in 0..5 {
            let (held, rest) = folds.round(fold);
            assert_eq!((held.len(), rest.len()), (20, 80));
            assert_eq!(held.iter().filter(|row| examples[**row].intent.as_ref().unwrap().name() == "rare").count(), 4);
            all.extend(held);
        }
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_ne!(folds, Folds::new(&examples, &vec![None; 100], 5, 4));
    }

    #[test]
    fn conversations_and_equal_texts_never_stand_on_both_sides() {
        let rows = examples(&[("Hi!", "a"), ("hi", "a"), ("thanks", "b"), ("one", "a"), ("thanks", "b"), ("two", "a"), ("three", "c")]);
        let conversations = [None, None, Some("x"), Some("x"), Some("y"), Some("y"), None].map(|c| c.map(str::to_owned));
        let folds = Folds::new(&rows, &conversations, 2, 1);
        assert_eq!(folds.of[0], folds.of[1]);
        assert_eq!((folds.of[2], folds.of[4]), (folds.of[3], folds.of[5]));
        for fold in 0..2 {
            let (held, rest) = folds.round(fold);
            let texts = |rows: &[usize]| rows.iter().map(|row| folded(&rows_text(*row, &folds))).collect::<HashSet<_>>();
            assert!(texts(&held).is_disjoint(&texts(&rest)), "{held:?} {rest:?}");
        }
    }

    fn rows_text(row: usize, folds: &Folds) -> String {
        folds.texts[row].clone()
    }

    #[test]
    fn a_part_holds_every_intent_and_the_smaller_parts() {
        let examples = many();
        let rows: Vec<usize> = (0..100).collect();
        let parts = [0.01, 0.1, 0.5, 1.0].map(|share| part(&examples, &rows, share, 7));
        assert_eq!(parts.each_ref().map(Vec::len), [2, 10, 50, 100]);
        assert!(parts.windows(2).all(|pair| pair[0].iter().all(|row| pair[1].contains(row))));
    }
}
