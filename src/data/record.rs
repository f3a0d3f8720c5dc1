//! A row together with the line it stands on, so that what is written again differs from what was read only where it must.

use super::directory::{DataError, parse_row};
use super::{Place, Row, RowEntity, WrongLine};
use crate::text::{OffsetError, OffsetUnit, Span};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A row as it stands in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where it stands.
    pub place: Place,
    /// The line without its end.
    pub line: String,
    /// What the line says.
    pub row: Row,
}

/// A row one of whose entities does not lie in its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: `entities`: {source}; `hearken data check` lists such rows")]
pub struct EntityError {
    /// Where the row stands.
    pub place: Place,
    /// What is wrong.
    pub source: OffsetError,
}

impl Record {
    /// Each entity and where it lies in the text.
    ///
    /// # Errors
    /// When one does not lie in it.
    pub fn entities(&self) -> Result<Vec<(Span, &RowEntity)>, EntityError> {
        let failed = |source| EntityError { place: self.place.clone(), source };
        let mut entities = Vec::new();
        for entity in self.row.entities.iter().flatten() {
            let span = Span::from_offsets(&self.row.text, entity.start, entity.end, OffsetUnit::Codepoint).map_err(failed)?;
            entities.push((span, entity));
        }
        Ok(entities)
    }

    /// The line with some fields changed: in their place where the row has them, else behind the others. Every other field keeps its
    /// bytes, so that no number is rounded and no escape rewritten.
    #[must_use]
    pub fn with_fields(&self, changed: &[(&str, Value)]) -> String {
        let Fields(fields) = serde_json::from_str(&self.line).unwrap_or_default();
        let new = |name: &str| changed.iter().find(|(changed, _)| *changed == name).map(|(_, value)| value.to_string());
        let mut parts: Vec<String> = Vec::with_capacity(fields.len() + changed.len());
        for (name, raw) in &fields {
            parts.push(member(name, &new(name).unwrap_or_else(|| raw.get().to_owned())));
        }
        for (name, value) in changed.iter().filter(|(name, _)| fields.iter().all(|(there, _)| there != name)) {
            parts.push(member(name, &value.to_string()));
        }
        format!("{{{}}}", parts.join(", "))
    }
}

fn member(name: &str, value: &str) -> String {
    format!("{}: {value}", Value::from(name))
}

/// The members of an object in their order, values as they are written.
#[derive(Default)]
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(Self)
    }
}

/// Every row of a file, whoever speaks, and every line that is wrong with what is wrong about it.
///
/// # Errors
/// When the file cannot be read.
pub fn read_records(path: &Path) -> Result<(Vec<Record>, Vec<WrongLine>), DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let file: Arc<str> = path.display().to_string().into();
    let (mut records, mut wrong) = (Vec::new(), Vec::new());
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let place = Place { file: Arc::clone(&file), line: index + 1 };
        let parsed = std::str::from_utf8(line).map_err(|error| format!("invalid UTF-8 at byte {}", error.valid_up_to()));
        match parsed.and_then(|text| Ok((text.trim_end().to_owned(), parse_row(line)?))) {
            Ok((line, row)) => records.push(Record { place, line, row }),
            Err(detail) => wrong.push((place, detail)),
        }
    }
    Ok((records, wrong))
}

/// Every row of a file.
///
/// # Errors
/// When the file cannot be read, or a line is wrong: the first of them.
pub fn records_of(path: &Path) -> Result<Vec<Record>, DataError> {
    let (records, mut wrong) = read_records(path)?;
    if wrong.is_empty() {
        return Ok(records);
    }
    let others = wrong.len() - 1;
    let (place, detail) = wrong.swap_remove(0);
    Err(DataError::Line { place, detail, others })
}

/// Every line of a text file that is not blank, as a row without labels.
///
/// # Errors
/// When the file cannot be read.
pub fn lines_of_text(path: &Path) -> Result<Vec<Record>, DataError> {
    let bytes = std::fs::read(path).map_err(|source| DataError::Io { path: path.to_owned(), source })?;
    let file: Arc<str> = path.display().to_string().into();
    let mut records = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace)) {
        let place = Place { file: Arc::clone(&file), line: index + 1 };
        let wrong = |detail: String| DataError::Line { place: place.clone(), detail, others: 0 };
        let text = std::str::from_utf8(line).map_err(|error| wrong(format!("invalid UTF-8 at byte {}", error.valid_up_to())))?;
        let line = serde_json::json!({"text": text.trim()}).to_string();
        let row = parse_row(line.as_bytes()).map_err(wrong)?;
        records.push(Record { place, line, row });
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> Record {
        Record { place: Place { file: "x".into(), line: 1 }, line: line.to_owned(), row: parse_row(line.as_bytes()).unwrap() }
    }

    #[test]
    fn what_is_not_changed_keeps_its_bytes() {
        let line = r#"{"text": "a\u0062", "id": 12345678901234567890123, "x": {"k":1.50 , "l": [ ]}, "intent": "a"}"#;
        let record = record(line);
        let changed = record.with_fields(&[("intent", "b".into()), ("score", 1.into())]);
        let wanted = r#"{"text": "a\u0062", "id": 12345678901234567890123, "x": {"k":1.50 , "l": [ ]}, "intent": "b", "score": 1}"#;
        assert_eq!(changed, wanted);
        assert_eq!(record.with_fields(&[]), line);
    }

    #[test]
    fn wrong_lines_are_named_and_the_rest_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("train.jsonl");
        std::fs::write(&file, b"{\"text\": \"a\"}\r\n\n{\"text\": 5}\n{\"text\": \"\xff\"}\n{\"text\": \"b\", \"speaker\": \"agent\"}")
            .unwrap();
        let (records, wrong) = read_records(&file).unwrap();
        assert_eq!(records.iter().map(|record| record.row.text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(wrong.iter().map(|(place, _)| place.line).collect::<Vec<_>>(), [3, 4]);
        assert!(records_of(&file).unwrap_err().to_string().contains("train.jsonl:3"));
    }
}
