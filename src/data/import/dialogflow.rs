//! Dialogflow ES: the zip archive of an agent, or the folder it was unpacked into.
//!
//! `intents/X.json` has the intent's name, `intents/X_usersays_LANGUAGE.json` its phrases in pieces; `entities/X_entries_LANGUAGE.json`
//! the values of an entity.

use super::json::Document;
use super::{Archive, Confidence, Imported, Importer, Label, Pieces, Problem, Sample, Sink, Source};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Agents of Dialogflow ES.
#[derive(Debug)]
pub struct Dialogflow;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Intent {
    name: String,
    #[serde(default)]
    fallback_intent: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Phrase {
    data: Vec<Piece>,
    #[serde(default)]
    is_template: bool,
}

#[derive(Debug, Deserialize)]
struct Piece {
    text: String,
    alias: Option<String>,
    meta: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    name: String,
    #[serde(default)]
    is_regexp: bool,
}

#[derive(Debug, Deserialize)]
struct Entry {
    value: String,
    #[serde(default)]
    synonyms: Vec<String>,
}

impl Importer for Dialogflow {
    fn name(&self) -> &'static str {
        "dialogflow"
    }

    fn about(&self) -> &'static str {
        "Dialogflow ES agent (zip or its folder); a fallback intent's phrases become out_of_scope"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let phrases = sample.entries.iter().any(|name| name.contains("intents/") && name.contains("_usersays_"));
        Confidence::Certain.when(phrases || (sample.has_entry("agent.json") && sample.entries.iter().any(|name| name.contains("intents/"))))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let mut archive = Archive::open(source)?;
        archive.refused().into_iter().for_each(|problem| sink.problem(problem));
        let names: Vec<String> = archive.names().map(str::to_owned).collect();
        let mut rows = Vec::new();
        for name in &names {
            let read = if let Some((intent, _)) = named(name, "intents/", "_usersays_") {
                phrases(&mut archive, name, intent, sink, &mut rows)
            } else if let Some((entity, _)) = named(name, "entities/", "_entries_") {
                entries(&mut archive, name, entity, sink)
            } else {
                Ok(())
            };
            if let Err(problem) = read {
                sink.problem(problem);
            }
        }
        sink.rows(rows);
        Ok(())
    }
}

/// The stem and the language of `folder/STEM_mark_LANGUAGE.json`.
fn named<'a>(name: &'a str, folder: &str, mark: &str) -> Option<(&'a str, &'a str)> {
    let start = name.rfind(folder).filter(|at| *at == 0 || name.get(..*at).is_some_and(|before| before.ends_with('/')))?;
    name.get(start + folder.len()..)?.strip_suffix(".json")?.rsplit_once(mark)
}

fn phrases(archive: &mut Archive, name: &str, stem: &str, sink: &mut Sink<'_>, rows: &mut Vec<Imported>) -> Result<(), Problem> {
    let source = archive.read(name)?;
    let intent = match described::<Intent>(archive, name, stem)? {
        Some(intent) if intent.fallback_intent => "out_of_scope".to_owned(),
        Some(intent) => intent.name,
        None => stem.to_owned(),
    };
    let document = Document::read(&source)?;
    for raw in document.parse::<Vec<&RawValue>>()? {
        let part = document.part(raw);
        match part.parse::<Phrase>() {
            Ok(phrase) if phrase.is_template => {
                sink.problem(part.problem("a template (`@entity` in place of words) is no example; write example phrases"));
            }
            Ok(phrase) => rows.push(Imported::new(&source, part.line, row(phrase).row(Some(intent.clone())))),
            Err(problem) => sink.problem(problem),
        }
    }
    Ok(())
}

/// What `folder/STEM.json` beside the file `name` says, where there is such a file.
fn described<T: serde::de::DeserializeOwned>(archive: &mut Archive, name: &str, stem: &str) -> Result<Option<T>, Problem> {
    let folder = name.rfind(stem).and_then(|at| name.get(..at)).unwrap_or_default();
    let file = format!("{folder}{stem}.json");
    if archive.names().any(|name| name == file) { Document::read(&archive.read(&file)?)?.parse().map(Some) } else { Ok(None) }
}

fn row(phrase: Phrase) -> Pieces {
    let mut pieces = Pieces::default();
    for piece in phrase.data {
        let kind = piece.meta.as_deref().unwrap_or_default().trim_start_matches('@');
        let alias = piece.alias.as_deref().unwrap_or_default();
        if kind == "sys.ignore" || (kind.is_empty() && alias.is_empty()) {
            pieces.text(&piece.text);
        } else {
            pieces.entity(&piece.text, Label::of_slot(alias, kind, kind.starts_with("sys.")));
        }
    }
    pieces
}

fn entries(archive: &mut Archive, name: &str, stem: &str, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let entity = described(archive, name, stem)?.unwrap_or_else(|| Entity { name: stem.to_owned(), is_regexp: false });
    let source = archive.read(name)?;
    let document = Document::read(&source)?;
    for raw in document.parse::<Vec<&RawValue>>()? {
        let part = document.part(raw);
        match part.parse::<Entry>() {
            Ok(entry) if entity.is_regexp => sink.regex(&entity.name, &entry.value),
            Ok(entry) => sink.value(&source.place(part.line), &entity.name, &entry.value, entry.synonyms.iter().map(String::as_str)),
            Err(problem) => sink.problem(problem),
        }
    }
    Ok(())
}
