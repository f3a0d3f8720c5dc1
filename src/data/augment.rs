//! More rows from those there are: the same message with other values, typed worse, and behind turns of another conversation.

use super::distort::{Distortion, Purpose, dice, distort};
use super::rewrite::{Edit, Rewritten};
use super::row::RowEntity;
use super::{EntityError, Record};
use crate::text::OffsetUnit;
use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Codes of fewer characters are taken whole from elsewhere instead of changed in their digits.
const CODE: usize = 4;

/// What is made of each row.
#[derive(Debug, Clone)]
pub struct AugmentOptions {
    /// Copies with other values, of a row that has entities.
    pub values: u32,
    /// Copies that are typed worse.
    pub distorted: u32,
    /// Share of the rows that get a copy behind turns of another conversation, in [0, 1].
    pub contexts: f64,
    /// Seed of every random choice.
    pub seed: u64,
}

/// Makes rows of rows.
pub struct Augmenter<'a> {
    options: AugmentOptions,
    kinds: Vec<&'a dyn Distortion>,
    /// The surfaces of each label.
    surfaces: BTreeMap<String, BTreeSet<String>>,
    /// Every context that a row has.
    contexts: Vec<Value>,
}

impl<'a> Augmenter<'a> {
    /// An augmenter that draws values from what `records` hold.
    ///
    /// # Errors
    /// When an entity does not lie in its text.
    pub fn new(options: AugmentOptions, kinds: Vec<&'a dyn Distortion>, records: &[Record]) -> Result<Self, EntityError> {
        let mut surfaces: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for record in records {
            for (span, entity) in record.entities()? {
                surfaces.entry(entity.label.clone()).or_default().insert(span.slice(&record.row.text).to_owned());
            }
        }
        let contexts = records.iter().filter(|record| !record.row.context.is_empty());
        let contexts = contexts.map(|record| serde_json::to_value(&record.row.context).unwrap_or_default()).collect();
        Ok(Self { options, kinds, surfaces, contexts })
    }

    /// The lines of the copies of a row, which may be none. A copy that came out like the row is left out.
    ///
    /// # Errors
    /// When an entity does not lie in the text.
    pub fn copies(&self, record: &Record) -> Result<Vec<String>, EntityError> {
        let mut lines = Vec::new();
        let mut dice = dice(&["augment", &record.row.text], self.options.seed);
        for _ in 0..self.options.values {
            lines.extend(self.with_other_values(record, &mut dice)?);
        }
        for _ in 0..self.options.distorted {
            if let Some(kind) = self.kinds.choose(&mut dice) {
                lines.push(distort(record, *kind, Purpose::Learn, dice.random())?);
            }
        }
        lines.extend(self.in_other_contexts(record, &mut dice));
        lines.retain(|line| *line != record.line);
        Ok(lines)
    }

    fn with_other_values(&self, record: &Record, dice: &mut ChaCha8Rng) -> Result<Option<String>, EntityError> {
        let text = &record.row.text;
        let mut places = record.entities()?;
        places.sort_by_key(|(span, _)| *span);
        let edits: Vec<Edit> =
            places.iter().map(|(span, entity)| Edit { span: *span, words: self.other(span.slice(text), &entity.label, dice) }).collect();
        let new = Rewritten::new(text, &edits);
        if new.text == *text {
            return Ok(None);
        }
        let mut moved = Vec::with_capacity(places.len());
        for (span, entity) in &places {
            let (start, end) = new.span(*span).offsets(&new.text, OffsetUnit::Codepoint);
            // Its value was of the words that are gone.
            moved.push(RowEntity { start, end, value: None, ..(*entity).clone() });
        }
        let entities = serde_json::to_value(moved).unwrap_or_default();
        Ok(Some(record.with_fields(&[("text", new.text.into()), ("entities", entities)])))
    }

    /// What can be understood alone means the same behind turns of another conversation, and without those of its own.
    fn in_other_contexts(&self, record: &Record, dice: &mut ChaCha8Rng) -> Vec<String> {
        let mut lines = Vec::new();
        let needed = record.row.needs_context.unwrap_or(!record.row.context.is_empty());
        if needed || self.options.contexts == 0.0 {
            return lines;
        }
        if !record.row.context.is_empty() {
            lines.push(record.with_fields(&[("context", Value::Array(Vec::new()))]));
        }
        if dice.random_bool(self.options.contexts)
            && let Some(context) = self.contexts.choose(dice)
        {
            lines.push(record.with_fields(&[("context", context.clone())]));
        }
        lines
    }

    /// Another surface of the label: a code with other digits, or what another row says.
    fn other(&self, surface: &str, label: &str, dice: &mut ChaCha8Rng) -> String {
        let code = surface.chars().count() >= CODE
            && !surface.contains(char::is_whitespace)
            && surface.contains(|c: char| c.is_ascii_digit())
            && surface.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || "-_#/.".contains(c));
        if code {
            return surface.chars().map(|c| if c.is_ascii_digit() { char::from(dice.random_range(b'0'..=b'9')) } else { c }).collect();
        }
        let all: Vec<&String> = self.surfaces.get(label).into_iter().flatten().collect();
        let other = all.choose(dice).map_or(surface, |other| other.as_str());
        let shouted =
            surface.chars().any(char::is_alphabetic) && !surface.chars().any(char::is_lowercase) && surface.chars().count() >= CODE;
        if shouted { other.to_uppercase() } else { other.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DISTORTIONS, Place, Row};

    fn record(line: &str) -> Record {
        Record { place: Place { file: "x".into(), line: 1 }, line: line.to_owned(), row: serde_json::from_str(line).unwrap() }
    }

    #[test]
    fn copies_have_other_values_and_the_same_labels() {
        let records = [
            record(
                r#"{"text": "is KX-20418 red", "intent": "a", "entities": [{"start": 3, "end": 11, "label": "order_number"}, {"start": 12, "end": 15, "label": "color"}]}"#,
            ),
            record(r#"{"text": "the dark blue one", "intent": "b", "entities": [{"start": 4, "end": 13, "label": "color"}]}"#),
            record(r#"{"text": "hello there", "intent": "c", "entities": []}"#),
        ];
        let options = AugmentOptions { values: 3, distorted: 1, contexts: 0.0, seed: 1 };
        let augmenter = Augmenter::new(options, DISTORTIONS.to_vec(), &records).unwrap();
        let lines = augmenter.copies(&records[0]).unwrap();
        assert!(lines.len() >= 3, "{lines:?}");
        for line in &lines[..3] {
            let row: Row = serde_json::from_str(line).unwrap();
            let surfaces: Vec<String> =
                row.entities.iter().flatten().map(|e| row.text.chars().skip(e.start).take(e.end - e.start).collect()).collect();
            assert!(
                surfaces[0].starts_with("KX-") && surfaces[0] != "KX-20418" && ["red", "dark blue"].contains(&surfaces[1].as_str()),
                "{surfaces:?}"
            );
            assert_eq!(row.intent.as_deref(), Some("a"));
        }
        assert_eq!(lines, augmenter.copies(&records[0]).unwrap(), "the same seed, the same copies");
        assert!(augmenter.copies(&records[2]).unwrap().len() <= 1, "nothing to vary");
    }

    #[test]
    fn what_can_stand_alone_stands_behind_other_turns_too() {
        let turn =
            |needs| format!(r#"{{"text": "the blue one", "context": [{{"role": "bot", "text": "which?"}}], "needs_context": {needs}}}"#);
        let records = [record(r#"{"text": "where is it"}"#), record(&turn(false)), record(&turn(true))];
        let options = AugmentOptions { values: 0, distorted: 0, contexts: 1.0, seed: 1 };
        let augmenter = Augmenter::new(options, Vec::new(), &records).unwrap();
        let contexts = |record| {
            let lines = augmenter.copies(record).unwrap();
            lines.iter().map(|line| serde_json::from_str::<Row>(line).unwrap().context.len()).collect::<Vec<_>>()
        };
        assert_eq!(contexts(&records[0]), [1]);
        assert_eq!(contexts(&records[1]), [0, 1]);
        assert_eq!(contexts(&records[2]), [0; 0], "it means nothing elsewhere");
    }

    #[test]
    fn a_wrong_offset_is_told() {
        let wrong = [record(r#"{"text": "a", "entities": [{"start": 0, "end": 9, "label": "x"}]}"#)];
        let error = Augmenter::new(AugmentOptions { values: 1, distorted: 0, contexts: 0.0, seed: 1 }, Vec::new(), &wrong).err().unwrap();
        assert!(error.to_string().starts_with("x:1: `entities`"), "{error}");
    }
}
