//! The JSON of a workspace. Mentions are read as code points where that is a place in the text, as UTF-16 units otherwise.

use crate::data::Row;
use crate::data::import::json::{Document, Part};
use crate::data::import::{Imported, Label, Problem, Sink, Source, located};
use crate::data::row::RowEntity;
use crate::text::OffsetUnit;
use serde::Deserialize;
use serde_json::value::RawValue;

/// A workspace, or what has one in it.
#[derive(Debug, Deserialize)]
struct Workspace<'a> {
    #[serde(borrow)]
    intents: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    entities: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    counterexamples: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "workspace")]
    inner: Option<&'a RawValue>,
    #[serde(borrow)]
    dialog_skill: Option<&'a RawValue>,
    #[serde(borrow)]
    skills: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Intent<'a> {
    intent: String,
    #[serde(borrow, default)]
    examples: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Example {
    text: String,
    mentions: Option<Vec<Mention>>,
}

#[derive(Debug, Deserialize)]
struct Mention {
    entity: String,
    location: (usize, usize),
}

#[derive(Debug, Deserialize)]
struct Entity<'a> {
    #[serde(rename = "entity")]
    name: String,
    #[serde(borrow, default)]
    values: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Value {
    #[serde(rename = "value")]
    word: String,
    synonyms: Option<Vec<String>>,
    patterns: Option<Vec<String>>,
}

pub(super) fn read(source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let document = Document::read(source)?;
    let mut reading = Reading { source, sink, rows: Vec::new() };
    let read = reading.workspace(document.whole());
    let rows = std::mem::take(&mut reading.rows);
    sink.rows(rows);
    read
}

struct Reading<'a, 'b> {
    source: &'a Source,
    sink: &'a mut Sink<'b>,
    rows: Vec<Imported>,
}

impl Reading<'_, '_> {
    fn workspace(&mut self, part: Part<'_>) -> Result<(), Problem> {
        let workspace: Workspace<'_> = part.parse()?;
        let inner = workspace.inner.into_iter().chain(workspace.dialog_skill).chain(workspace.skills.into_iter().flatten());
        let mut found = false;
        for raw in inner {
            found = true;
            self.workspace(part.part(raw))?;
        }
        if !found && workspace.intents.is_none() && workspace.entities.is_none() {
            return Err(part.problem("there are no `intents` and no `entities`"));
        }
        for raw in workspace.intents.into_iter().flatten() {
            self.note(part.part(raw), Self::intent);
        }
        for raw in workspace.counterexamples.into_iter().flatten() {
            self.note(part.part(raw), |reading, part| reading.example(part, "out_of_scope"));
        }
        for raw in workspace.entities.into_iter().flatten() {
            self.note(part.part(raw), Self::entity);
        }
        Ok(())
    }

    /// Reads a part and reports what is wrong with it.
    fn note<'p>(&mut self, part: Part<'p>, read: impl FnOnce(&mut Self, Part<'p>) -> Result<(), Problem>) {
        if let Err(problem) = read(self, part) {
            self.sink.problem(problem);
        }
    }

    fn intent(&mut self, part: Part<'_>) -> Result<(), Problem> {
        let intent: Intent<'_> = part.parse()?;
        for raw in intent.examples {
            self.note(part.part(raw), |reading, part| reading.example(part, &intent.intent));
        }
        Ok(())
    }

    fn example(&mut self, part: Part<'_>, intent: &str) -> Result<(), Problem> {
        let example: Example = part.parse()?;
        let mentions = example.mentions.unwrap_or_default();
        let entities = entities(&example.text, &mentions).map_err(|detail| part.problem(detail))?;
        let row = Row { text: example.text, intent: Some(intent.to_owned()), entities: Some(entities), ..Row::default() };
        self.rows.push(Imported::new(self.source, part.line, row));
        Ok(())
    }

    fn entity(&mut self, part: Part<'_>) -> Result<(), Problem> {
        let entity: Entity<'_> = part.parse()?;
        for raw in entity.values {
            self.note(part.part(raw), |reading, part| {
                let value: Value = part.parse()?;
                let patterns = value.patterns.unwrap_or_default();
                for pattern in &patterns {
                    reading.sink.regex(&entity.name, pattern);
                }
                if patterns.is_empty() {
                    let synonyms = value.synonyms.unwrap_or_default();
                    let place = reading.source.place(part.line);
                    reading.sink.value(&place, &entity.name, &value.word, synonyms.iter().map(String::as_str));
                }
                Ok(())
            });
        }
        Ok(())
    }
}

fn entities(text: &str, mentions: &[Mention]) -> Result<Vec<RowEntity>, String> {
    let read = |unit| {
        let one = |mention: &Mention| located(text, mention.location, unit, Label { label: mention.entity.clone(), role: None });
        mentions.iter().map(one).collect::<Result<Vec<_>, _>>()
    };
    read(OffsetUnit::Codepoint).or_else(|error| read(OffsetUnit::Utf16).map_err(|_| error))
}
