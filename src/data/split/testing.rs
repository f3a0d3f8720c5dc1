//! Rows for the tests.

use crate::data::{Place, Record, Row};

/// Rows of intent, conversation and text.
pub fn records(rows: &[(&str, Option<&str>, &str)]) -> Vec<Record> {
    let record = |(index, (intent, conversation, text)): (usize, &(&str, Option<&str>, &str))| {
        let line = serde_json::json!({"text": text, "intent": intent, "conversation": conversation}).to_string();
        let row: Row = serde_json::from_str(&line).unwrap();
        Record { place: Place { file: "train.jsonl".into(), line: index + 1 }, line, row }
    };
    rows.iter().enumerate().map(record).collect()
}
