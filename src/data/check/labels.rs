//! Labels as such: too rare, unseen, spelt in two ways, out of balance.

use super::{Checked, Finding, FindingKind};
use crate::data::{PerSplit, Split};
use std::collections::BTreeMap;

/// Fewer examples than this are too few to learn a label from.
const RARE: usize = 5;
/// From here on the larger label drowns the smaller.
const UNBALANCED: usize = 50;

/// Examples of each label by what it labels and its name.
fn tally(examples: &[Checked]) -> BTreeMap<(&str, &str), PerSplit<usize>> {
    let mut counts: BTreeMap<(&str, &str), PerSplit<usize>> = BTreeMap::new();
    for Checked { split, example, .. } in examples {
        let intent = example.intent.iter().map(|intent| ("intent", intent.name()));
        let entities = example.entities.iter().flatten().map(|entity| ("entity", entity.label.as_str()));
        let emotions = example.emotions.iter().flatten().map(|name| ("emotion", name.as_str()));
        for label in intent.chain(entities).chain(emotions) {
            *counts.entry(label).or_default().get_mut(*split) += 1;
        }
    }
    counts
}

/// Labels with few examples in train, or none.
pub fn counts(examples: &[Checked]) -> Vec<Finding> {
    let finding = |((kind, name), counts): ((&str, &str), PerSplit<usize>)| {
        let PerSplit { train, valid, test } = counts;
        let (kind, message) = match train {
            0 => (FindingKind::UnseenLabel, format!("{kind} `{name}` stands in valid or test ({}) but never in train", valid + test)),
            1..RARE => {
                (FindingKind::RareLabel, format!("{kind} `{name}` has {train} examples in train; {RARE} are the least to learn from"))
            }
            _ => return None,
        };
        Some(Finding::overall(kind, message))
    };
    tally(examples).into_iter().filter_map(finding).collect()
}

/// Labels that are the same but for case and separators.
pub fn spelling(examples: &[Checked]) -> Vec<Finding> {
    let mut spellings: BTreeMap<(&str, String), Vec<(&str, usize)>> = BTreeMap::new();
    for ((kind, name), counts) in tally(examples) {
        let bare = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let total = Split::ALL.into_iter().map(|split| counts.get(split)).sum();
        spellings.entry((kind, bare)).or_default().push((name, total));
    }
    let finding = |((kind, _), names): ((&str, String), Vec<(&str, usize)>)| {
        let named: Vec<String> = names.iter().map(|(name, count)| format!("`{name}` ({count})")).collect();
        let message = format!("{kind} labels differ in case or separators only: {}", named.join(", "));
        (names.len() > 1).then(|| Finding::overall(FindingKind::LabelSpelling, message))
    };
    spellings.into_iter().filter_map(finding).collect()
}

/// The intent with most examples in train beside the one with fewest.
pub fn imbalance(examples: &[Checked]) -> Vec<Finding> {
    let counts: Vec<(&str, usize)> = tally(examples)
        .into_iter()
        .filter(|((kind, _), counts)| *kind == "intent" && counts.train > 0)
        .map(|((_, name), counts)| (name, counts.train))
        .collect();
    let (most, least) = (counts.iter().max_by_key(|(_, count)| *count), counts.iter().min_by_key(|(_, count)| *count));
    let (Some((most, many)), Some((least, few))) = (most, least) else { return Vec::new() };
    if *many < UNBALANCED * few {
        return Vec::new();
    }
    let message = format!("intent `{most}` has {many} examples in train, `{least}` {few}: more than {UNBALANCED} times as many");
    vec![Finding::overall(FindingKind::Imbalance, message)]
}
