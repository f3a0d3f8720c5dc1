//! A whole row: its text, its turns, whatever else it says, and the entities carried over.

use super::name::{Name, known_names, telling_words};
use super::{KINDS, Key, Kind, Replacement, bare};
use crate::data::rewrite::{Edit, Rewritten, joined};
use crate::data::{EntityError, Record};
use crate::patterns::ValueContext;
use crate::text::{OffsetUnit, Span};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Fields whose values are labels or numbers, not words of people.
const KEPT: &[&str] = &["intent", "sentiment", "emotions", "escalate", "turn", "speaker", "role", "label", "start", "end"];

/// Redacts the rows of one data set.
pub struct Redactor {
    replacement: Replacement,
    values: ValueContext,
    also: HashSet<String>,
    names: HashMap<String, HashSet<String>>,
    /// For identifiers of conversations where words become placeholders.
    conversations: Key,
    counts: BTreeMap<String, usize>,
    dropped: usize,
}

/// What is found in a text, by its place in the table of kinds, or by another label that is replaced.
#[derive(Clone, Copy, PartialEq)]
enum Found<'l> {
    Kind(usize),
    Label(&'l str),
}

impl Redactor {
    /// A redactor; `region` is the ISO 3166 country of national telephone numbers, `also` more entity labels to replace.
    #[must_use]
    pub fn new(replacement: Replacement, region: Option<String>, also: &[String]) -> Self {
        let also = also.iter().cloned().collect();
        let values = ValueContext { now: None, region };
        Self { replacement, values, also, names: HashMap::new(), conversations: Key::new(None), counts: BTreeMap::new(), dropped: 0 }
    }

    /// Learns the names of a row, so that they are found in other rows of its conversation.
    pub fn learn_names(&mut self, record: &Record) {
        let Some(conversation) = record.row.conversation.clone() else { return };
        let words = self.names_in(record);
        self.names.entry(conversation).or_default().extend(words);
    }

    /// The line of the row, redacted.
    ///
    /// # Errors
    /// When an entity does not lie in the text.
    pub fn redact(&mut self, record: &Record) -> Result<String, EntityError> {
        let known = match record.row.conversation.as_ref().and_then(|conversation| self.names.get(conversation)) {
            Some(known) => known.clone(),
            None => self.names_in(record).into_iter().collect(),
        };
        let Value::Object(fields) = serde_json::from_str(&record.line).unwrap_or_default() else { return Ok(record.line.clone()) };
        let labelled: Vec<(Span, &str)> = record.entities()?.into_iter().map(|(span, entity)| (span, entity.label.as_str())).collect();
        let text = self.rewritten(&record.row.text, &labelled, &known);
        let mut changed: Vec<(&str, Value)> = Vec::new();
        for (name, value) in &fields {
            let new = match name.as_str() {
                "text" => Value::from(text.text.as_str()),
                "entities" => self.moved(value, &record.row.text, &text, &known),
                "suggested" => self.suggested(value, &record.row.text, &text, &known),
                "conversation" => self.identifier(value, &known),
                name if KEPT.contains(&name) => continue,
                _ => self.strings(value, &known),
            };
            if new != *value {
                changed.push((name, new));
            }
        }
        Ok(if changed.is_empty() { record.line.clone() } else { record.with_fields(&changed) })
    }

    /// How many of each kind were replaced, by the name of the placeholder.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<String, usize> {
        &self.counts
    }

    /// Entities that lay in the same replaced words as another, and are gone.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    fn names_in(&self, record: &Record) -> Vec<String> {
        let mut names: Vec<&str> = Vec::new();
        let row = &record.row;
        for entity in row.entities.iter().flatten().filter(|entity| Name.labels().contains(&entity.label.as_str())) {
            let span = Span::from_offsets(&row.text, entity.start, entity.end, OffsetUnit::Codepoint);
            names.extend(span.ok().map(|span| span.slice(&row.text)));
        }
        for text in row.context.iter().map(|turn| turn.text.as_str()).chain([row.text.as_str()]) {
            names.extend(Name.find(text, &self.values).into_iter().map(|span| span.slice(text)));
        }
        names.into_iter().flat_map(telling_words).collect()
    }

    /// The text without what is found in it, by label, by form or by name.
    fn rewritten(&mut self, text: &str, labelled: &[(Span, &str)], known: &HashSet<String>) -> Rewritten {
        let mut finds: Vec<(Span, Found<'_>)> = Vec::new();
        for (span, label) in labelled {
            let kind = KINDS.iter().position(|kind| kind.labels().contains(label)).map(Found::Kind);
            let extra = self.also.contains(*label).then_some(Found::Label(label));
            finds.extend(kind.or(extra).map(|found| (*span, found)));
        }
        for (index, kind) in KINDS.iter().enumerate() {
            finds.extend(kind.find(text, &self.values).into_iter().map(|span| (span, Found::Kind(index))));
            if kind.name() == Name.name() {
                finds.extend(known_names(text, &|word| known.contains(word)).into_iter().map(|span| (span, Found::Kind(index))));
            }
        }
        let name = KINDS.iter().position(|kind| kind.name() == Name.name()).map(Found::Kind);
        let finds = joined(text, finds, |found| Some(found) == name);
        let mut edits = Vec::with_capacity(finds.len());
        for (span, found) in finds {
            let (placeholder, words) = self.replaced(found, span.slice(text));
            *self.counts.entry(placeholder).or_default() += 1;
            edits.push(Edit { span, words });
        }
        Rewritten::new(text, &edits)
    }

    /// The name of the placeholder, and what takes the place of the words.
    fn replaced(&self, found: Found<'_>, surface: &str) -> (String, String) {
        match found {
            Found::Kind(index) => {
                let kind = KINDS.get(index);
                kind.map(|kind| (kind.name().to_owned(), self.replacement.of(*kind, surface))).unwrap_or_default()
            }
            Found::Label(label) => {
                let placeholder = label.to_uppercase();
                let words = match &self.replacement {
                    Replacement::Placeholder => format!("[{placeholder}]"),
                    Replacement::Pseudonym(key) => {
                        let mut dice = key.dice(&placeholder, &bare(surface));
                        surface.chars().map(|c| dice.like(c)).collect()
                    }
                };
                (placeholder, words)
            }
        }
    }

    /// Every string of a value redacted, but for labels.
    fn strings(&mut self, value: &Value, known: &HashSet<String>) -> Value {
        match value {
            Value::String(text) => Value::from(self.rewritten(text, &[], known).text),
            Value::Array(items) => items.iter().map(|item| self.strings(item, known)).collect(),
            Value::Object(fields) => {
                let field = |(name, value): (&String, &Value)| {
                    let new = if KEPT.contains(&name.as_str()) { value.clone() } else { self.strings(value, known) };
                    (name.clone(), new)
                };
                Value::Object(fields.iter().map(field).collect())
            }
            other => other.clone(),
        }
    }

    /// Entities with their new offsets; of two that lie in the same replaced words, the first stays.
    fn moved(&mut self, entities: &Value, old: &str, new: &Rewritten, known: &HashSet<String>) -> Value {
        let Value::Array(items) = entities else { return entities.clone() };
        let mut kept: Vec<(Span, Value)> = Vec::with_capacity(items.len());
        for item in items {
            let offset = |name: &str| item.get(name).and_then(Value::as_u64).and_then(|offset| usize::try_from(offset).ok());
            let (Some(start), Some(end)) = (offset("start"), offset("end")) else { continue };
            let Ok(span) = Span::from_offsets(old, start, end, OffsetUnit::Codepoint) else { continue };
            let span = new.span(span);
            if kept.iter().any(|(other, _)| other.overlaps(span)) {
                self.dropped += 1;
                continue;
            }
            let mut item = self.strings(item, known);
            let (start, end) = span.offsets(&new.text, OffsetUnit::Codepoint);
            if let Some(fields) = item.as_object_mut() {
                fields.insert("start".to_owned(), start.into());
                fields.insert("end".to_owned(), end.into());
            }
            kept.push((span, item));
        }
        kept.into_iter().map(|(_, item)| item).collect()
    }

    /// What a model suggested, its entities carried over.
    fn suggested(&mut self, value: &Value, old: &str, new: &Rewritten, known: &HashSet<String>) -> Value {
        let mut suggested = self.strings(value, known);
        if let (Some(entities), Some(fields)) = (value.get("entities"), suggested.as_object_mut()) {
            fields.insert("entities".to_owned(), self.moved(entities, old, new, known));
        }
        suggested
    }

    /// A conversation's identifier: replaced whole where it tells who it is, so that conversations stay apart.
    fn identifier(&mut self, value: &Value, known: &HashSet<String>) -> Value {
        let Value::String(identifier) = value else { return value.clone() };
        if self.rewritten(identifier, &[], known).text == *identifier {
            return value.clone();
        }
        let key = match &self.replacement {
            Replacement::Pseudonym(key) => key.clone(),
            Replacement::Placeholder => self.conversations.clone(),
        };
        Value::from(format!("conversation-{}", key.dice("conversation", identifier).identifier()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Place, Row};
    use proptest::prelude::*;
    use serde_json::json;

    fn record(value: &Value) -> Record {
        let line = value.to_string();
        let row: Row = serde_json::from_str(&line).unwrap();
        Record { place: Place { file: "train.jsonl".into(), line: 1 }, line, row }
    }

    fn redacted(value: &Value, replacement: Replacement) -> Value {
        let record = record(value);
        let mut redactor = Redactor::new(replacement, None, &["location".to_owned()]);
        redactor.learn_names(&record);
        serde_json::from_str(&redactor.redact(&record).unwrap()).unwrap()
    }

    fn slice(row: &Value, entity: &Value) -> String {
        let offset = |name: &str| usize::try_from(entity[name].as_u64().unwrap()).unwrap();
        row["text"].as_str().unwrap().chars().skip(offset("start")).take(offset("end") - offset("start")).collect()
    }

    /// Pieces of a message: the words, and the label of an entity that covers them.
    const PIECES: &[(&str, Option<&str>)] = &[
        ("the red", Some("color")),
        ("k\u{e9}ttle \u{1f600}", Some("product")),
        ("please", None),
        ("ines.p@example.org", Some("email")),
        ("x.y@example.com", None),
        ("4111 1111 1111 1111", None),
        ("+44 7700 900915", None),
        ("my name is Ines,", None),
        ("12 Hill Road", Some("location")),
        ("e\u{301}\u{1f468}\u{200d}\u{1f469}", Some("size")),
    ];

    proptest! {
        #[test]
        fn entities_keep_their_words_where_nothing_is_replaced(chosen in prop::collection::vec(0..PIECES.len(), 1..9), pseudonyms in any::<bool>()) {
            let (mut text, mut entities, mut wanted) = (String::new(), Vec::new(), Vec::new());
            for (words, label) in chosen.into_iter().map(|piece| PIECES[piece]) {
                let start = text.chars().count();
                text.push_str(words);
                if let Some(label) = label {
                    entities.push(json!({"start": start, "end": text.chars().count(), "label": label}));
                    wanted.push((label, words));
                }
                text.push_str(" \u{1f4e6} ");
            }
            let row = json!({"text": text, "entities": entities, "suggested": {"entities": entities}});
            let replacement = if pseudonyms { Replacement::Pseudonym(Key::new(Some("x"))) } else { Replacement::Placeholder };
            let new = redacted(&row, replacement);
            for found in [&new["entities"], &new["suggested"]["entities"]] {
                prop_assert_eq!(found.as_array().unwrap().len(), wanted.len());
                for (entity, (label, words)) in found.as_array().unwrap().iter().zip(&wanted) {
                    prop_assert_eq!(&entity["label"], label);
                    let words_now = slice(&new, entity);
                    match (*label, pseudonyms) {
                        ("email", false) => prop_assert_eq!(words_now, "[EMAIL]"),
                        ("location", false) => prop_assert_eq!(words_now, "[LOCATION]"),
                        ("email" | "location", true) => prop_assert!(words_now != *words && words_now.contains(' ') == words.contains(' ')),
                        _ => prop_assert_eq!(words_now, *words),
                    }
                }
            }
            for gone in ["ines.p", "x.y@", "4111 1111 1111 1111", "900915", "Ines", "12 Hill"] {
                prop_assert!(!new["text"].as_str().unwrap().contains(gone), "{}", new);
            }
        }
    }

    #[test]
    fn of_two_entities_in_the_same_words_the_first_stays() {
        let row = json!({"text": "ines.p@example.org", "entities": [{"start": 0, "end": 6, "label": "person"}, {"start": 7, "end": 18, "label": "product"}]});
        let record = record(&row);
        let mut redactor = Redactor::new(Replacement::Placeholder, None, &[]);
        let new: Value = serde_json::from_str(&redactor.redact(&record).unwrap()).unwrap();
        assert_eq!((&new["text"], new["entities"].as_array().unwrap().len(), redactor.dropped()), (&json!("[EMAIL]"), 1, 1));
        let wrong = self::record(&json!({"text": "a", "entities": [{"start": 0, "end": 6, "label": "person"}]}));
        assert!(redactor.redact(&wrong).unwrap_err().to_string().starts_with("train.jsonl:1: `entities`"));
    }
}
