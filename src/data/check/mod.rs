//! What is wrong, or likely wrong, with a data directory: rows that do not parse, duplicates, leaks between splits, texts
//! labelled in two ways, labels too rare to learn.
//!
//! A check is one function and one line in [`CHECKS`].

mod finding;
mod labels;
mod lengths;
mod similar;
mod texts;

pub use finding::{Finding, FindingKind, Severity};

use super::folding::key;
use super::{DataDirectory, Example, Split};
use crate::text::Utterance;
use ndarray::Array2;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;

/// A check of all examples together.
type Check = fn(&[Checked]) -> Vec<Finding>;

/// Every check.
const CHECKS: &[Check] = &[
    texts::repeated,
    texts::but_for_numbers,
    texts::conversations,
    similar::templates,
    labels::counts,
    labels::spelling,
    labels::imbalance,
    lengths::long,
];

/// An example, its split and what makes it the same as another.
struct Checked {
    split: Split,
    example: Example,
    conversation: Option<String>,
    key: String,
}

/// Each example whose key an earlier one has, behind the first that has it. An example without a key is no other's like.
fn again<'a, K: Eq + Hash>(
    examples: impl IntoIterator<Item = &'a Checked>,
    key: impl Fn(&'a Checked) -> Option<K>,
) -> Vec<(&'a Checked, &'a Checked)> {
    let mut firsts: HashMap<K, &Checked> = HashMap::new();
    let mut pairs = Vec::new();
    for (key, example) in examples.into_iter().filter_map(|example| Some((key(example)?, example))) {
        match firsts.entry(key) {
            Entry::Vacant(slot) => {
                slot.insert(example);
            }
            Entry::Occupied(first) => pairs.push((*first.get(), example)),
        }
    }
    pairs
}

/// Texts to unit vectors, `[texts, size]`.
pub type Embed<'a> = dyn Fn(&mut dyn Iterator<Item = &Utterance>) -> anyhow::Result<Array2<f32>> + 'a;

/// Checks every split that is there. Findings are in the order of [`FindingKind::ALL`], of one kind in the order of the files. With `similar`
/// texts of two splits whose vectors have at least this cosine are found as well.
///
/// # Errors
/// When a file cannot be read, or a text not be embedded.
pub fn check(directory: &DataDirectory, similar: Option<(&Embed<'_>, f32)>) -> anyhow::Result<Vec<Finding>> {
    let (mut findings, mut examples) = (Vec::new(), Vec::new());
    for split in Split::ALL.into_iter().filter(|split| *split == Split::Train || directory.has(*split)) {
        let (read, wrong) = super::read_records(&directory.file(split))?;
        findings.extend(wrong.into_iter().map(|(place, message)| Finding::at(FindingKind::Row, &place, message)));
        let before = examples.len();
        for record in read.into_iter().filter(|record| record.row.is_of_customer()) {
            let conversation = record.row.conversation.clone();
            match Example::new(record.row, record.place.clone()) {
                Ok(example) => {
                    let key = key(example.context.iter().map(|turn| turn.text.as_str()), &example.text);
                    examples.push(Checked { split, example, conversation, key });
                }
                Err(message) => findings.push(Finding::at(FindingKind::Row, &record.place, message)),
            }
        }
        if examples.len() == before {
            findings.push(Finding::overall(FindingKind::EmptySplit, format!("{split} holds no example")));
        }
    }
    findings.extend(CHECKS.iter().flat_map(|check| check(&examples)));
    if let Some((embed, threshold)) = similar {
        let vectors = embed(&mut examples.iter().map(|checked: &Checked| &checked.example.text))?;
        findings.extend(similar::across_splits(&examples, vectors.view(), threshold));
    }
    findings.sort_by_key(|finding| finding.kind);
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(train: &[&str], test: &[&str]) -> Vec<(FindingKind, String)> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.jsonl"), train.join("\n")).unwrap();
        if !test.is_empty() {
            std::fs::write(folder.path().join("test.jsonl"), test.join("\n")).unwrap();
        }
        let findings = check(&DataDirectory::new(folder.path()), None).unwrap();
        let cut = |finding: Finding| (finding.kind, finding.to_string().replace(&folder.path().display().to_string(), ""));
        findings.into_iter().map(cut).filter(|(kind, _)| *kind != FindingKind::RareLabel).collect()
    }

    fn kinds(train: &[&str], test: &[&str]) -> Vec<FindingKind> {
        found(train, test).into_iter().map(|(kind, _)| kind).collect()
    }

    #[test]
    fn one_text_with_two_labels_is_a_conflict() {
        for (other, named) in [
            (
                r#"{"text": "hello, kettle", "intent": "b", "sentiment": "neutral", "entities": [{"start": 7, "end": 13, "label": "product"}]}"#,
                "intent `b`, but `a`",
            ),
            (
                r#"{"text": "Hello kettle!", "intent": "a", "sentiment": -1, "entities": [{"start": 6, "end": 12, "label": "product"}]}"#,
                "sentiment negative, but neutral",
            ),
            (r#"{"text": "hello kettle", "intent": "a", "sentiment": "neutral", "entities": []}"#, "entities none, but product `kettle`"),
        ] {
            let first = r#"{"text": "Hello kettle", "intent": "a", "sentiment": "neutral", "entities": [{"start": 6, "end": 12, "label": "product"}]}"#;
            let found = found(&[first, other], &[]);
            assert!(found.len() == 1 && found[0].0 == FindingKind::Conflict, "{found:?}");
            assert!(found[0].1.contains(named) && found[0].1.starts_with("/train.jsonl:2: warning"), "{found:?}");
        }
    }

    #[test]
    fn repetitions_are_told_apart() {
        let hello = r#"{"text": "where is order 17", "intent": "a"}"#;
        assert_eq!(kinds(&[hello, hello], &[]), [FindingKind::Duplicate]);
        assert_eq!(kinds(&[hello, r#"{"text": "Where is order 17?", "intent": "a"}"#], &[]), [FindingKind::NearDuplicate]);
        assert_eq!(kinds(&[hello, r#"{"text": "where is order 18", "intent": "a"}"#], &[]), [FindingKind::NearDuplicate]);
        assert_eq!(kinds(&[hello], &[r#"{"text": "where is order 17!", "intent": "a"}"#]), [FindingKind::Leak]);
        assert_eq!(kinds(&[hello], &[r#"{"text": "where is order 18", "intent": "a"}"#]), [FindingKind::NearDuplicate]);
        assert_eq!(kinds(&[r#"{"text": "12"}"#, r#"{"text": "13"}"#], &[]), [], "nothing but a number");
        assert_eq!(kinds(&[r#"{"text": "M", "context": [{"role": "bot", "text": "size?"}]}"#, r#"{"text": "M"}"#], &[]), []);
    }

    #[test]
    fn one_frame_with_other_values_is_a_template() {
        let row =
            |text: &str, end: usize| format!(r#"{{"text": "{text}", "entities": [{{"start": 17, "end": {end}, "label": "product"}}]}}"#);
        let (a, b, c) = (
            row("do you still have kettles for the bus", 25),
            row("do you still have red mugs for the bus", 26),
            row("do you still have red mugs for the pub", 26),
        );
        assert_eq!(kinds(&[&a.replace("17", "18"), &b.replace("17", "18")], &[]), [FindingKind::Template]);
        assert_eq!(kinds(&[&a.replace("17", "18"), &c.replace("17", "18")], &[]), []);
    }

    #[test]
    fn texts_of_two_splits_with_close_vectors_are_similar() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.jsonl"), "{\"text\": \"a b\"}\n{\"text\": \"c d\"}").unwrap();
        std::fs::write(folder.path().join("test.jsonl"), "{\"text\": \"e f\"}").unwrap();
        let embed = |texts: &mut dyn Iterator<Item = &Utterance>| {
            let rows: Vec<[f32; 2]> = texts.map(|text| if text.starts_with('a') { [0.0, 1.0] } else { [1.0, 0.0] }).collect();
            Ok(ndarray::Array2::from(rows))
        };
        let findings = check(&DataDirectory::new(folder.path()), Some((&embed, 0.9))).unwrap();
        let similar: Vec<&Finding> = findings.iter().filter(|finding| finding.kind == FindingKind::Similar).collect();
        assert!(
            similar.len() == 1 && similar[0].message.contains("train.jsonl:2") && similar[0].message.contains("cosine 1.000"),
            "{findings:?}"
        );
    }

    #[test]
    fn a_conversation_on_two_sides_is_one_leak() {
        let row = |text: &str, id: &str| format!("{{\"text\": \"{text}\", \"conversation\": \"{id}\"}}");
        let (a, b, c, d) = (row("a b", "1"), row("c d", "1"), row("e f", "1"), row("g h", "2"));
        assert_eq!(kinds(&[&a], &[&b, &c, &d]), [FindingKind::ConversationLeak]);
    }

    #[test]
    fn labels_spelt_alike_unbalanced_or_unseen_are_told() {
        assert_eq!(
            kinds(&[r#"{"text": "x", "intent": "Track-Order"}"#, r#"{"text": "y", "intent": "track_order"}"#], &[]),
            [FindingKind::LabelSpelling]
        );
        assert_eq!(kinds(&[r#"{"text": "x", "intent": "a"}"#], &[r#"{"text": "y", "intent": "b"}"#]), [FindingKind::UnseenLabel]);
        let mut rows: Vec<String> = (0..120).map(|n| format!("{{\"text\": \"{}\", \"intent\": \"a\"}}", "x".repeat(n + 1))).collect();
        rows.push(r#"{"text": "y", "intent": "b"}"#.to_owned());
        let found = found(&rows.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
        assert!(found.len() == 1 && found[0].1.contains("`a` has 120 examples in train, `b` 1"), "{found:?}");
    }

    #[test]
    fn long_texts_empty_splits_and_bad_rows_are_told() {
        let long = format!("{{\"text\": \"{}\"}}", "word ".repeat(500));
        assert_eq!(kinds(&[&long], &["{\"speaker\": \"bot\", \"text\": \"x\"}"]), [FindingKind::EmptySplit, FindingKind::LongText]);
        let wrong = r#"{"text": "ab", "entities": [{"start": 0, "end": 9, "label": "x"}]}"#;
        assert_eq!(kinds(&["{\"text\": \"a\"}", wrong, "nonsense"], &[]), [FindingKind::Row, FindingKind::Row]);
    }
}
