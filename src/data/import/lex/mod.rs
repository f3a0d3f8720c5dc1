//! Lex V2: the zip archive of a bot, or the folder it was unpacked into. Its utterances have slots in place of words (`book {City}`);
//! each becomes a few examples with values of the slot's type.

mod built_in;
mod slots;

use super::json::Document;
use super::{Archive, Confidence, Imported, Importer, Problem, Sample, Sink, Source};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::value::RawValue;
use slots::{Slots, examples};
use std::collections::BTreeMap;

/// Bots of Lex V2.
#[derive(Debug)]
pub struct Lex;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Intent<'a> {
    name: String,
    parent_intent_signature: Option<String>,
    #[serde(borrow, default)]
    sample_utterances: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Utterance {
    utterance: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Slot {
    name: String,
    slot_type_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlotType {
    name: String,
    #[serde(default)]
    slot_type_values: Option<Vec<SlotValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct SlotValue {
    sample_value: Value,
    #[serde(default)]
    synonyms: Option<Vec<Value>>,
}

#[derive(Debug, Deserialize)]
struct Value {
    value: String,
}

impl Importer for Lex {
    fn name(&self) -> &'static str {
        "lex"
    }

    fn about(&self) -> &'static str {
        "Lex V2 bot (zip or its folder); slots in utterances are filled with values of their types, by --seed"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        Confidence::Certain.when(sample.has_entry("/BotLocale.json") || sample.has_entry("/Intent.json"))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let mut archive = Archive::open(source)?;
        archive.refused().into_iter().for_each(|problem| sink.problem(problem));
        let names: Vec<String> = archive.names().map(str::to_owned).collect();
        let mut types = BTreeMap::new();
        for name in names.iter().filter(|name| name.ends_with("/SlotType.json")) {
            match archive.read(name).and_then(|entry| slot_type(&entry, sink)) {
                Ok((kind, values)) => {
                    types.insert((locale(name).to_owned(), kind), values);
                }
                Err(problem) => sink.problem(problem),
            }
        }
        let mut random = ChaCha8Rng::seed_from_u64(sink.settings().seed);
        let mut rows = Vec::new();
        for name in names.iter().filter(|name| name.ends_with("/Intent.json")) {
            let folder = name.trim_end_matches("Intent.json");
            let mut slots = Slots::new(locale(name), &types);
            for slot in names.iter().filter(|name| name.starts_with(folder) && name.ends_with("/Slot.json")) {
                let read = archive.read(slot).and_then(|entry| Document::read(&entry)?.parse::<Slot>());
                read.map_or_else(|problem| sink.problem(problem), |slot| slots.add(slot.name, slot.slot_type_name));
            }
            if let Err(problem) = archive.read(name).and_then(|entry| intent(&entry, &slots, &mut random, sink, &mut rows)) {
                sink.problem(problem);
            }
        }
        sink.rows(rows);
        Ok(())
    }
}

/// The part of an entry's name up to the locale's folder: slot types of one locale are not those of another.
fn locale(name: &str) -> &str {
    let start = name.find("BotLocales/").map_or(0, |at| at + "BotLocales/".len());
    let end = name.get(start..).and_then(|rest| rest.find('/')).map_or(start, |length| start + length);
    name.get(..end).unwrap_or_default()
}

/// A slot type's name and its words.
fn slot_type(source: &Source, sink: &mut Sink<'_>) -> Result<(String, Vec<String>), Problem> {
    let kind: SlotType = Document::read(source)?.parse()?;
    let mut words = Vec::new();
    for value in kind.slot_type_values.unwrap_or_default() {
        let synonyms: Vec<_> = value.synonyms.unwrap_or_default().into_iter().map(|synonym| synonym.value).collect();
        sink.value(&source.place(0), &kind.name, &value.sample_value.value, synonyms.iter().map(String::as_str));
        words.push(value.sample_value.value);
        words.extend(synonyms);
    }
    Ok((kind.name, words))
}

fn intent(
    source: &Source,
    slots: &Slots<'_>,
    random: &mut ChaCha8Rng,
    sink: &mut Sink<'_>,
    rows: &mut Vec<Imported>,
) -> Result<(), Problem> {
    let document = Document::read(source)?;
    let intent: Intent<'_> = document.parse()?;
    let fallback = intent.parent_intent_signature.as_deref() == Some("AMAZON.FallbackIntent");
    let name = if fallback { "out_of_scope".to_owned() } else { intent.name };
    for raw in intent.sample_utterances.unwrap_or_default() {
        let part = document.part(raw);
        let filled =
            part.parse::<Utterance>().and_then(|sample| examples(&sample.utterance, slots, random).map_err(|detail| part.problem(detail)));
        match filled {
            Ok(pieces) => rows.extend(pieces.into_iter().map(|pieces| Imported::new(source, part.line, pieces.row(Some(name.clone()))))),
            Err(problem) => sink.problem(problem),
        }
    }
    Ok(())
}
