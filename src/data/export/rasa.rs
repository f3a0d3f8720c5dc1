//! Rasa's training data, `nlu.yml`. Sentiment, emotions and `escalate` go into `metadata`; context has no place in the format.

use super::Exporter;
use crate::data::Row;
use crate::data::import::{Imported, Problem, annotated};
use crate::data::row::{RowEntity, RowSentiment};
use std::fmt::Write as _;
use std::io;

/// `nlu.yml`.
#[derive(Debug)]
pub struct Nlu;

/// An example as it is written.
struct Example<'a> {
    text: String,
    row: &'a Row,
}

impl Exporter for Nlu {
    fn name(&self) -> &'static str {
        "rasa"
    }

    fn about(&self) -> &'static str {
        "Rasa training data (nlu.yml); rows need an intent, context and conversation are left out"
    }

    fn write(&self, rows: &[Imported], out: &mut dyn io::Write) -> io::Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut intents: Vec<(&str, Vec<Example<'_>>)> = Vec::new();
        let mut index = std::collections::HashMap::new();
        for imported in rows {
            match example(&imported.row) {
                Ok((intent, example)) => {
                    let at = *index.entry(intent).or_insert(intents.len());
                    match intents.get_mut(at) {
                        Some((_, examples)) => examples.push(example),
                        None => intents.push((intent, vec![example])),
                    }
                }
                Err(detail) => problems.push(Problem::new(&imported.place, detail)),
            }
        }
        out.write_all(b"version: \"3.1\"\nnlu:\n")?;
        for (intent, examples) in &intents {
            out.write_all(written(intent, examples).as_bytes())?;
        }
        Ok(problems)
    }
}

fn example(row: &Row) -> Result<(&str, Example<'_>), String> {
    let intent = row.intent.as_deref().ok_or("there is no intent, under which nlu.yml has its examples")?;
    if intent.trim() != intent || intent.chars().any(char::is_control) {
        return Err(format!("intent `{}` has white space at its ends or control characters; rename it", intent.escape_debug()));
    }
    let (plain, entities) = trimmed(row);
    let text = with_annotations(&plain, &entities);
    let same = annotated(&text).is_ok_and(|read| read.text == plain && read.entities == entities && read.remarks.is_empty());
    if !same {
        return Err(
            "the brackets in the text, or the characters of a label, cannot be told from Rasa's own notation; change them".to_owned()
        );
    }
    Ok((intent, Example { text, row }))
}

/// The text without white space at its ends, and its entities, sorted.
fn trimmed(row: &Row) -> (String, Vec<RowEntity>) {
    let plain = row.text.trim();
    let cut = row.text.chars().count() - row.text.trim_start().chars().count();
    let moved = |entity: &RowEntity| {
        let value = entity.value.clone();
        RowEntity { start: entity.start.saturating_sub(cut), end: entity.end.saturating_sub(cut), value, ..entity.clone() }
    };
    let mut entities: Vec<_> = row.entities.iter().flatten().map(moved).collect();
    entities.sort_by_key(|entity| entity.start);
    (plain.to_owned(), entities)
}

fn with_annotations(plain: &str, entities: &[RowEntity]) -> String {
    let characters: Vec<char> = plain.chars().collect();
    let slice = |from: usize, to: usize| characters.get(from..to).unwrap_or_default().iter().collect::<String>();
    let (mut text, mut at) = (String::new(), 0);
    for entity in entities {
        let _ = write!(text, "{}[{}]{}", slice(at, entity.start), slice(entity.start, entity.end), label(entity));
        at = entity.end;
    }
    text + &slice(at, characters.len())
}

fn label(entity: &RowEntity) -> String {
    let fields = [("role", &entity.role), ("group", &entity.group), ("value", &entity.value)];
    let simple = entity.label.chars().all(|c| c.is_alphanumeric() || "_-.+/ ".contains(c));
    if simple && fields.iter().all(|(_, field)| field.is_none()) {
        return format!("({})", entity.label);
    }
    let mut map = serde_json::Map::from_iter([("entity".to_owned(), entity.label.clone().into())]);
    map.extend(fields.into_iter().filter_map(|(name, field)| Some((name.to_owned(), field.clone()?.into()))));
    serde_json::Value::Object(map).to_string()
}

/// An intent with its examples: a block of lines where that says everything, a list of maps otherwise.
fn written(intent: &str, examples: &[Example<'_>]) -> String {
    let mut out = format!("- intent: {}\n  examples:", scalar(intent));
    let plain = |example: &Example<'_>| !has_metadata(example.row) && !example.text.chars().any(needs_escape);
    if examples.iter().all(plain) {
        out.push_str(" |\n");
        for example in examples {
            let _ = writeln!(out, "    - {}", example.text);
        }
        return out;
    }
    out.push('\n');
    for example in examples {
        let _ = writeln!(out, "  - text: {}", quoted(&example.text));
        if has_metadata(example.row) {
            let _ = writeln!(out, "    metadata: {{{}}}", metadata(example.row));
        }
    }
    out
}

fn has_metadata(row: &Row) -> bool {
    row.sentiment.is_some() || row.emotions.is_some() || row.escalate.is_some()
}

fn metadata(row: &Row) -> String {
    let sentiment = row.sentiment.map(|sentiment| match sentiment {
        RowSentiment::Label(label) => format!("sentiment: {}", label.name()),
        RowSentiment::Score(score) => format!("sentiment: {score}"),
    });
    let list = |names: &Vec<String>| format!("emotions: [{}]", names.iter().map(|name| scalar(name)).collect::<Vec<_>>().join(", "));
    let parts = [sentiment, row.emotions.as_ref().map(list), row.escalate.map(|escalate| format!("escalate: {escalate}"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A name as it is, or in quotes where YAML might take it for something else.
fn scalar(name: &str) -> String {
    let words = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let safe = begins && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-/.+".contains(c));
    if safe && !words.contains(&name.to_ascii_lowercase().as_str()) { name.to_owned() } else { quoted(name) }
}

fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if needs_escape(c) => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
