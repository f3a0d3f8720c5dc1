//! Data sets as Hugging Face keeps them: JSON lines or CSV with `text` and `label`, or JSON lines with `tokens` and `ner_tags`. The
//! split is told from the file's name. A label that names a feeling is the sentiment, any other the intent.

mod names;

pub use names::label_names;

use super::json::{Part, records};
use super::table::Table;
use super::{Confidence, Imported, Importer, Problem, Sample, Sink, Source, spans};
use crate::data::Row;
use crate::data::row::{RowEntity, RowSentiment};
use serde_json::{Map, Value};

/// Data sets of Hugging Face.
#[derive(Debug)]
pub struct HuggingFace;

const TEXTS: [&str; 6] = ["text", "sentence", "utterance", "query", "message", "content"];
/// Columns with an intent or a feeling; a name stands before its number.
const LABELS: [&str; 7] = ["label_text", "label_name", "intent", "label", "category", "class", "sentiment"];
const TAGS: [&str; 4] = ["ner_tags", "tags", "labels", "slots"];
/// Columns of transcripts, which are other importers' matter.
const TRANSCRIPT: [&str; 3] = ["conversation_id", "role", "speaker"];

impl Importer for HuggingFace {
    fn name(&self) -> &'static str {
        "huggingface"
    }

    fn about(&self) -> &'static str {
        "Hugging Face data set (JSON lines or CSV): text and label, or tokens and ner_tags; --labels names numbered labels"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let columns = sample.columns();
        let has =
            |name: &str| columns.iter().any(|column| column == name) || sample.shape.has(name) || sample.shape.has(&format!("[].{name}"));
        if TRANSCRIPT.iter().any(|name| has(name)) {
            return Confidence::No;
        }
        let texts = TEXTS.iter().any(|name| has(name)) && ["label", "label_text", "label_name", "class"].iter().any(|name| has(name));
        let table = !columns.is_empty() && TEXTS.iter().any(|name| has(name)) && LABELS.iter().any(|name| has(name));
        Confidence::Likely.when(texts || table || (has("tokens") && TAGS.iter().any(|name| has(name))))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let json = Sample::of(source)?.text.trim_start().starts_with(['{', '[']);
        if json {
            return records(source, &mut |part| match part.and_then(|part: Part<'_>| Ok((part.line, part.parse()?))) {
                Ok((line, fields)) => take(source, line, fields, sink),
                Err(problem) => sink.problem(problem),
            });
        }
        let table = Table::open(source, true)?;
        table.need(&TEXTS)?;
        let columns = table.columns.clone();
        for record in table {
            match record {
                Ok(record) => {
                    let filled = columns.iter().cloned().zip(record.fields).filter(|(_, field)| !field.trim().is_empty());
                    take(source, record.line, filled.map(|(column, field)| (column, Value::String(field))).collect(), sink);
                }
                Err(problem) => sink.problem(problem),
            }
        }
        Ok(())
    }
}

fn take(source: &Source, line: usize, fields: Map<String, Value>, sink: &mut Sink<'_>) {
    match row(fields, &sink.settings().labels) {
        Ok(row) => sink.row(Imported { split: source.split_by_name(), ..Imported::new(source, line, row) }),
        Err(detail) => sink.problem(source.problem(line, detail)),
    }
}

fn row(mut fields: Map<String, Value>, names: &[String]) -> Result<Row, String> {
    let mut row = Row::default();
    if let Some(tokens) = fields.remove("tokens") {
        (row.text, row.entities) = tagged(&tokens, &mut fields, names)?;
    } else {
        let key = TEXTS.iter().find(|key| fields.contains_key(**key)).ok_or("there is no `text` and no `tokens`")?;
        row.text = fields.remove(*key).and_then(|text| text.as_str().map(str::to_owned)).ok_or_else(|| format!("`{key}` is no text"))?;
    }
    if let Some(feeling) = fields.remove("sentiment") {
        row.sentiment = Some(RowSentiment::parse(&plain(&feeling)).map_err(|detail| format!("`sentiment`: {detail}"))?);
    }
    let Some(key) = LABELS.iter().find(|key| fields.get(**key).is_some_and(|value| !value.is_null())) else { return Ok(row) };
    let label = name(&fields.remove(*key).unwrap_or_default(), names).map_err(|detail| format!("`{key}`: {detail}"))?;
    match RowSentiment::parse(&label) {
        Ok(feeling @ RowSentiment::Label(_)) if row.sentiment.is_none() => row.sentiment = Some(feeling),
        _ => row.intent = Some(label),
    }
    Ok(row)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

/// The name of a label, which may be given by its number.
fn name(value: &Value, names: &[String]) -> Result<String, String> {
    let text = plain(value);
    let Ok(number) = text.parse::<i64>() else {
        return if value.is_string() { Ok(text) } else { Err(format!("`{text}` is neither a name nor a number")) };
    };
    let known = usize::try_from(number).ok().and_then(|number| names.get(number));
    known.cloned().ok_or_else(|| match names.len() {
        0 => format!("label {number} has no name; give the names with --labels FILE"),
        count => format!("label {number} has no name among the {count} of --labels"),
    })
}

/// The text and the entities of tokens and their tags.
fn tagged(tokens: &Value, fields: &mut Map<String, Value>, names: &[String]) -> Result<(String, Option<Vec<RowEntity>>), String> {
    let tokens: Vec<String> = serde_json::from_value(tokens.clone()).map_err(|_| "`tokens` is no list of texts".to_owned())?;
    let Some(key) = TAGS.iter().find(|key| fields.get(**key).is_some_and(Value::is_array)) else { return Ok((tokens.join(" "), None)) };
    let tags = fields.remove(*key).unwrap_or_default();
    let tags = tags.as_array().into_iter().flatten().map(|tag| name(tag, names)).collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|detail| format!("`{key}`: {detail}"))?;
    if tags.len() != tokens.len() {
        return Err(format!("`{key}` has {} tags for {} tokens", tags.len(), tokens.len()));
    }
    let mut places = Vec::with_capacity(tokens.len());
    let mut start = 0;
    for token in &tokens {
        let end = start + token.chars().count();
        places.push((start, end));
        start = end + 1;
    }
    let entity = |span: super::Tagged| Some(RowEntity::new(places.get(span.first)?.0, places.get(span.last)?.1, span.label));
    let entities = spans(&tags).map_err(|detail| format!("`{key}`: {detail}"))?.into_iter().filter_map(entity).collect();
    Ok((tokens.join(" "), Some(entities)))
}
