//! Texts that stand somewhere else, too: in another split, with another label, or simply again.

use super::{Checked, Finding, FindingKind, again};
use crate::data::folding::without_numbers;
use crate::data::{Example, Split};
use std::collections::{HashMap, HashSet};

/// Rows whose folded texts, context included, are the same.
pub fn repeated(examples: &[Checked]) -> Vec<Finding> {
    again(examples, |checked| Some(checked.key.as_str())).into_iter().map(|(first, again)| repetition(first, again)).collect()
}

fn repetition(first: &Checked, again: &Checked) -> Finding {
    let (place, first_place) = (&again.example.place, &first.example.place);
    if first.split != again.split {
        let message = format!("the text stands in {} too ({first_place}): a score on it means nothing", first.split);
        return Finding::at(FindingKind::Leak, place, message);
    }
    let conflicts = conflicts(&first.example, &again.example);
    if !conflicts.is_empty() {
        return Finding::at(FindingKind::Conflict, place, format!("{} at {first_place}", conflicts.join("; ")));
    }
    let texts =
        |example: &Example| example.context.iter().map(|turn| turn.text.to_string()).chain([example.text.to_string()]).collect::<Vec<_>>();
    if texts(&first.example) == texts(&again.example) {
        return Finding::at(FindingKind::Duplicate, place, format!("duplicate of {first_place}"));
    }
    Finding::at(FindingKind::NearDuplicate, place, format!("duplicate of {first_place} but for case and punctuation"))
}

/// Labels that both examples have and that differ.
fn conflicts(first: &Example, again: &Example) -> Vec<String> {
    let mut conflicts = Vec::new();
    if let (Some(a), Some(b)) = (&first.intent, &again.intent)
        && a != b
    {
        conflicts.push(format!("intent `{}`, but `{}`", b.name(), a.name()));
    }
    if let (Some(a), Some(b)) = (first.sentiment_label(), again.sentiment_label())
        && a != b
    {
        conflicts.push(format!("sentiment {}, but {}", b.name(), a.name()));
    }
    if first.entities.is_some() && again.entities.is_some() {
        let (a, b) = (entities(first), entities(again));
        if a.to_lowercase() != b.to_lowercase() {
            conflicts.push(format!("entities {b}, but {a}"));
        }
    }
    conflicts
}

fn entities(example: &Example) -> String {
    let named = |entity: &crate::data::LabelledSpan| format!("{} `{}`", entity.label, entity.span.slice(&example.text));
    let all: Vec<String> = example.entities.iter().flatten().map(named).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// Rows that are the same but for the words with digits in them, and are not the same with them.
pub fn but_for_numbers(examples: &[Checked]) -> Vec<Finding> {
    let mut exact: HashSet<&str> = HashSet::new();
    let numbered = examples.iter().filter(|checked| checked.key.contains(|c: char| c.is_numeric()) && exact.insert(&checked.key));
    let masked = |checked: &Checked| {
        let masked = without_numbers(&checked.key);
        masked.split(['\n', ' ']).any(|word| word != "#").then_some(masked)
    };
    let finding = |(first, again): (&Checked, &Checked)| {
        let split = if first.split == again.split { String::new() } else { format!(" in {}", first.split) };
        let message = format!("differs from {}{split} in its numbers only", first.example.place);
        Finding::at(FindingKind::NearDuplicate, &again.example.place, message)
    };
    again(numbered, masked).into_iter().map(finding).collect()
}

/// Conversations that stand in several splits: one finding for each further split.
pub fn conversations(examples: &[Checked]) -> Vec<Finding> {
    let mut seen: HashMap<&str, (&Checked, Vec<Split>)> = HashMap::new();
    let mut findings = Vec::new();
    for checked in examples {
        let Some(conversation) = &checked.conversation else { continue };
        let (first, splits) = seen.entry(conversation).or_insert_with(|| (checked, vec![checked.split]));
        if !splits.contains(&checked.split) {
            splits.push(checked.split);
            let message = format!(
                "conversation `{conversation}` stands in {} too ({}); hearken data split keeps it on one side",
                first.split, first.example.place
            );
            findings.push(Finding::at(FindingKind::ConversationLeak, &checked.example.place, message));
        }
    }
    findings
}
