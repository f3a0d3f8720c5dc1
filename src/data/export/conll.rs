//! CoNLL in BIO: a token, a tab and a tag a line; what is known of the whole message stands in comments before it.

use super::Exporter;
use crate::data::Row;
use crate::data::import::{Imported, Problem};
use crate::data::row::{RowEntity, RowSentiment};
use std::fmt::Write as _;
use std::io;

/// Tagged tokens.
#[derive(Debug)]
pub struct Conll;

impl Exporter for Conll {
    fn name(&self) -> &'static str {
        "conll"
    }

    fn about(&self) -> &'static str {
        "CoNLL in BIO with comments for intent, sentiment, emotions; roles, groups, values and context are left out"
    }

    fn write(&self, rows: &[Imported], out: &mut dyn io::Write) -> io::Result<Vec<Problem>> {
        let mut problems = Vec::new();
        for imported in rows {
            match message(&imported.row) {
                Ok(text) => out.write_all(text.as_bytes())?,
                Err(detail) => problems.push(Problem::new(&imported.place, detail)),
            }
        }
        Ok(problems)
    }
}

fn message(row: &Row) -> Result<String, String> {
    let mut entities: Vec<&RowEntity> = row.entities.iter().flatten().collect();
    entities.sort_by_key(|entity| entity.start);
    if let Some(entity) = entities.iter().find(|entity| entity.label.contains(|c: char| c.is_whitespace() || c.is_control())) {
        return Err(format!("label `{}` has white space, which separates columns; rename it", entity.label.escape_debug()));
    }
    let mut out = comments(row)?;
    for (token, start, end) in tokens(&row.text, &entities) {
        let inside = entities.iter().find(|entity| entity.start <= start && end <= entity.end);
        let _ = match inside {
            Some(entity) => writeln!(out, "{token}\t{}-{}", if entity.start == start { 'B' } else { 'I' }, entity.label),
            None => writeln!(out, "{token}\tO"),
        };
    }
    out.push('\n');
    Ok(out)
}

fn comments(row: &Row) -> Result<String, String> {
    let mut out = if row.text.contains(['\n', '\r']) || row.text.ends_with(char::is_whitespace) {
        format!("# text.json = {}\n", serde_json::Value::from(row.text.as_str()))
    } else {
        format!("# text = {}\n", row.text)
    };
    let sentiment = row.sentiment.map(|sentiment| match sentiment {
        RowSentiment::Label(label) => label.name().to_owned(),
        RowSentiment::Score(score) => score.to_string(),
    });
    if row.emotions.iter().flatten().any(|name| name.contains(',')) {
        return Err("an emotion has a comma in its name, which separates emotions; rename it".to_owned());
    }
    let fields = [
        ("intent", row.intent.clone()),
        ("entities", row.entities.is_none().then(|| "unknown".to_owned())),
        ("sentiment", sentiment),
        ("emotions", row.emotions.as_ref().map(|names| names.join(", "))),
        ("escalate", row.escalate.map(|escalate| escalate.to_string())),
        ("conversation", row.conversation.clone()),
        ("turn", row.turn.map(|turn| turn.to_string())),
    ];
    for (name, value) in fields.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        if value.trim() != value || value.chars().any(char::is_control) {
            return Err(format!("`{name}` is `{}`, with white space at its ends or control characters; rename it", value.escape_debug()));
        }
        let _ = writeln!(out, "# {name} = {value}");
    }
    Ok(out)
}

/// Runs of letters and digits, and every other visible character on its own; also split where an entity begins or ends. With their
/// places in code points.
fn tokens(text: &str, entities: &[&RowEntity]) -> Vec<(String, usize, usize)> {
    let mut tokens: Vec<(String, usize, usize)> = Vec::new();
    let mut joins = false;
    for (at, c) in text.chars().enumerate() {
        if c.is_whitespace() {
            joins = false;
            continue;
        }
        let bound = entities.iter().any(|entity| entity.start == at || entity.end == at);
        match tokens.last_mut() {
            Some((token, _, end)) if joins && !bound && c.is_alphanumeric() => {
                token.push(c);
                *end = at + 1;
            }
            _ => tokens.push((c.to_string(), at, at + 1)),
        }
        joins = c.is_alphanumeric();
    }
    tokens
}
