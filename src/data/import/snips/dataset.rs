//! The JSON of a dataset: `{"intents": {NAME: {"utterances": [{"data": [chunk, …]}]}}, "entities": {…}}`, and that of the benchmark:
//! `{NAME: [{"data": [chunk, …]}]}`.

use crate::data::import::json::{Document, Part};
use crate::data::import::{Imported, Label, Pieces, Problem, Sink, Source};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
struct Dataset<'a> {
    #[serde(borrow)]
    intents: BTreeMap<String, Intent<'a>>,
    #[serde(borrow, default)]
    entities: BTreeMap<String, &'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Intent<'a> {
    #[serde(borrow, default)]
    utterances: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Utterance {
    data: Vec<Chunk>,
}

#[derive(Debug, Deserialize)]
struct Chunk {
    text: String,
    entity: Option<String>,
    slot_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Entity {
    #[serde(default)]
    data: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Value {
    value: String,
    #[serde(default)]
    synonyms: Vec<String>,
}

/// Whether the text begins as a dataset does; chunks may stand behind a name of any kind, so that the shape does not tell.
pub(super) fn looks_like_one(text: &str) -> bool {
    let tight: String = text.chars().filter(|c| !c.is_whitespace()).take(20_000).collect();
    let chunks = tight.contains(r#""data":[{"text":"#) || tight.contains(r#""data":[{"entity":"#);
    tight.starts_with("{\"") && chunks && !tight.contains(r#""userDefined":"#)
}

pub(super) fn read(source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let document = Document::read(source)?;
    let mut intents: Vec<(String, Vec<&RawValue>)> = Vec::new();
    let top: BTreeMap<String, &RawValue> = document.parse()?;
    if top.contains_key("intents") {
        let dataset: Dataset<'_> = document.parse()?;
        intents.extend(dataset.intents.into_iter().map(|(name, intent)| (name, intent.utterances)));
        for (name, raw) in dataset.entities {
            entity(source, &name, document.part(raw), sink);
        }
    } else {
        for (name, raw) in top {
            intents.push((name, document.part(raw).parse()?));
        }
    }
    let mut rows = Vec::new();
    for (intent, raw) in intents.iter().flat_map(|(intent, utterances)| utterances.iter().map(move |raw| (intent, raw))) {
        let part = document.part(raw);
        match part.parse::<Utterance>() {
            Ok(utterance) => rows.push(Imported::new(source, part.line, pieces(utterance).row(Some(intent.clone())))),
            Err(problem) => sink.problem(problem),
        }
    }
    sink.rows(rows);
    Ok(())
}

fn pieces(utterance: Utterance) -> Pieces {
    let mut pieces = Pieces::default();
    for chunk in utterance.data {
        match chunk.entity {
            Some(entity) => pieces.entity(&chunk.text, label(chunk.slot_name.as_deref().unwrap_or_default(), &entity)),
            None => pieces.text(&chunk.text),
        }
    }
    pieces
}

/// The label of a slot and its entity; entities named `snips/…` are the platform's own.
pub(super) fn label(slot: &str, entity: &str) -> Label {
    Label::of_slot(slot, entity, entity.starts_with("snips/"))
}

fn entity(source: &Source, name: &str, part: Part<'_>, sink: &mut Sink<'_>) {
    match part.parse::<Entity>() {
        Ok(entity) => entity.data.iter().for_each(|value| {
            sink.value(&source.place(part.line), name, &value.value, value.synonyms.iter().map(String::as_str));
        }),
        Err(problem) => sink.problem(problem),
    }
}
