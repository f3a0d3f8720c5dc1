//! wit.ai: utterances as JSON, or the zip archive of an app, or its folder. `start` and `end` are checked against `body`, which tells
//! whether they count code points or UTF-16 units.

use super::json::{Part, records};
use super::{Archive, Confidence, Imported, Importer, Label, Problem, Sample, Sink, Source, located};
use crate::data::Row;
use crate::data::row::{RowEntity, RowSentiment};
use crate::text::OffsetUnit;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Apps of wit.ai.
#[derive(Debug)]
pub struct Wit;

/// An utterance, or what holds many.
#[derive(Debug, Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    utterances: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Utterance {
    text: String,
    intent: Option<String>,
    #[serde(default)]
    entities: Vec<Entity>,
    #[serde(default)]
    traits: Vec<Trait>,
}

#[derive(Debug, Deserialize)]
struct Entity {
    #[serde(rename = "entity")]
    name: String,
    start: usize,
    end: usize,
    body: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Trait {
    #[serde(rename = "trait")]
    name: String,
    value: String,
}

impl Importer for Wit {
    fn name(&self) -> &'static str {
        "wit"
    }

    fn about(&self) -> &'static str {
        "wit.ai app (zip or its folder) or utterances (JSON); the trait wit$sentiment is the sentiment"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let shape = &sample.shape;
        let utterances = ["", "[].", "utterances[]."].iter().any(|place| {
            let has = |path: &str| shape.has(&format!("{place}{path}"));
            has("text") && (has("traits") || has("entities[].entity"))
        });
        let archive = sample.entries.iter().any(|name| name.contains("utterances/utterances-")) || sample.has_entry("utterances.json");
        Confidence::Certain.when(utterances || archive)
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let mut rows = Vec::new();
        if Archive::is_one(source)? {
            let mut archive = Archive::open(source)?;
            archive.refused().into_iter().for_each(|problem| sink.problem(problem));
            let names: Vec<String> = archive.names().filter(|name| name.contains("utterances")).map(str::to_owned).collect();
            for name in names {
                if let Err(problem) = archive.read(&name).and_then(|entry| utterances(&entry, sink, &mut rows)) {
                    sink.problem(problem);
                }
            }
        } else {
            utterances(source, sink, &mut rows)?;
        }
        sink.rows(rows);
        Ok(())
    }
}

fn utterances(source: &Source, sink: &mut Sink<'_>, rows: &mut Vec<Imported>) -> Result<(), Problem> {
    records(source, &mut |part| {
        let nested = part.and_then(|part| Ok((part, part.parse::<Record<'_>>()?.utterances)));
        let parts: Vec<_> = match nested {
            Ok((part, Some(list))) => list.into_iter().map(|raw| part.part(raw)).collect(),
            Ok((part, None)) => vec![part],
            Err(problem) => return sink.problem(problem),
        };
        for part in parts {
            match row(part) {
                Ok(row) => rows.push(Imported::new(source, part.line, row)),
                Err(problem) => sink.problem(problem),
            }
        }
    })
}

fn row(part: Part<'_>) -> Result<Row, Problem> {
    let utterance: Utterance = part.parse()?;
    let entity = |entity: &Entity| place(&utterance.text, entity);
    let entities = utterance.entities.iter().map(entity).collect::<Result<Vec<_>, _>>().map_err(|detail| part.problem(detail))?;
    let mut row = Row { text: utterance.text.clone(), intent: utterance.intent, entities: Some(entities), ..Row::default() };
    if let Some(feeling) = utterance.traits.iter().find(|of| of.name == "wit$sentiment") {
        row.sentiment = Some(RowSentiment::parse(&feeling.value).map_err(|detail| part.problem(format!("`wit$sentiment`: {detail}")))?);
    }
    Ok(row)
}

/// An entity `name` or `name:role`; a role that is the name over again says nothing. `wit$` marks the platform's own.
fn place(text: &str, entity: &Entity) -> Result<RowEntity, String> {
    let (name, role) = entity.name.split_once(':').unwrap_or((&entity.name, ""));
    let label = Label::of_slot(role, name.strip_prefix("wit$").unwrap_or(name), false);
    let read = |unit| {
        let place = located(text, (entity.start, entity.end), unit, label.clone())?;
        let slice: String = text.chars().skip(place.start).take(place.end - place.start).collect();
        match &entity.body {
            Some(body) if body.trim() != slice => {
                Err(format!("entity `{}`: `{body}` does not stand from {} to {}, but `{slice}`", label.label, entity.start, entity.end))
            }
            _ => Ok(place),
        }
    };
    read(OffsetUnit::Codepoint).or_else(|error| read(OffsetUnit::Utf16).map_err(|_| error))
}
