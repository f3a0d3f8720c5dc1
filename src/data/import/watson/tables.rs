//! The CSV files of a workspace. They have no column names: `example,intent`, and `entity,value,synonym,…`.

use crate::data::Row;
use crate::data::import::table::Table;
use crate::data::import::{Imported, Problem, Sink, Source};

/// Whether the first record may be one of a workspace: an example and a name without spaces, or a name and values.
pub(super) fn looks_like_one(first: &[String]) -> bool {
    let name = |field: &String| !field.is_empty() && !field.contains(char::is_whitespace);
    match first {
        [example, intent] => name(intent) && !example.is_empty() && !is_column_name(example) && !is_column_name(intent),
        [entity, _, _, ..] => name(entity) && !is_column_name(entity) && first.iter().all(|field| !is_column_name(field)),
        _ => false,
    }
}

fn is_column_name(field: &str) -> bool {
    ["text", "label", "intent", "example", "utterance", "tokens", "sentence", "role", "flags", "entity", "conversation_id"].contains(&field)
}

pub(super) fn read(source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    if are_entities(source)? {
        return entities(source, sink);
    }
    for record in Table::open(source, false)? {
        let (line, fields) = match record {
            Ok(record) => (record.line, record.fields),
            Err(problem) => {
                sink.problem(problem);
                continue;
            }
        };
        match fields.as_slice() {
            names if line == 1 && names.iter().all(|name| is_column_name(&name.trim().to_lowercase())) => {}
            [example, intent] if intent.trim().is_empty() => {
                sink.problem(source.problem(line, format!("`{}` has no intent behind it", example.trim())));
            }
            [example, intent] => {
                let row = Row { text: example.trim().to_owned(), intent: Some(intent.trim().to_owned()), ..Row::default() };
                sink.row(Imported::new(source, line, row));
            }
            _ => {
                let message =
                    format!("the record has {} fields; write example,intent with quotes around an example that has commas", fields.len());
                sink.problem(source.problem(line, message));
            }
        }
    }
    Ok(())
}

/// Whether the table is one of entities: names without spaces in the first column, and more than two columns somewhere.
fn are_entities(source: &Source) -> Result<bool, Problem> {
    let mut wide = false;
    for record in Table::open(source, false)?.filter_map(Result::ok) {
        let Some(first) = record.fields.first() else { continue };
        if first.trim().contains(char::is_whitespace) {
            return Ok(false);
        }
        wide |= record.fields.len() > 2;
    }
    Ok(wide)
}

fn entities(source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    for record in Table::open(source, false)? {
        match record {
            Ok(record) => match record.fields.as_slice() {
                [entity, value, words @ ..] => {
                    let words = words.iter().map(|word| word.trim()).filter(|word| !word.is_empty());
                    let (patterns, words): (Vec<_>, Vec<_>) =
                        words.partition(|word| word.len() > 2 && word.starts_with('/') && word.ends_with('/'));
                    for pattern in &patterns {
                        sink.regex(entity.trim(), pattern.trim_matches('/'));
                    }
                    if patterns.is_empty() {
                        sink.value(&source.place(record.line), entity.trim(), value.trim(), words);
                    }
                }
                _ => sink.problem(source.problem(record.line, "the record has one field; write entity,value,synonym,…")),
            },
            Err(problem) => sink.problem(problem),
        }
    }
    Ok(())
}
