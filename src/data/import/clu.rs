//! Azure CLU: the JSON of an exported project. Its offsets count UTF-16 code units unless `stringIndexType` says otherwise; its rows
//! may be marked `Train` or `Test`; the intent `None` is `out_of_scope`.

use super::json::{Document, Part};
use super::{Confidence, Imported, Importer, Label, Problem, Sample, Sink, Source, located};
use crate::data::{Row, Split};
use crate::text::OffsetUnit;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Projects of Azure CLU.
#[derive(Debug)]
pub struct Clu;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project<'a> {
    string_index_type: Option<String>,
    #[serde(borrow)]
    assets: Assets<'a>,
}

#[derive(Debug, Deserialize)]
struct Assets<'a> {
    #[serde(borrow, default)]
    utterances: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    entities: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
struct Utterance {
    text: String,
    intent: Option<String>,
    language: Option<String>,
    dataset: Option<String>,
    #[serde(default)]
    entities: Vec<Mention>,
}

#[derive(Debug, Deserialize)]
struct Mention {
    category: String,
    offset: usize,
    length: usize,
}

#[derive(Debug, Deserialize)]
struct Entity {
    category: String,
    list: Option<List>,
    regex: Option<Regex>,
}

#[derive(Debug, Deserialize)]
struct List {
    #[serde(default)]
    sublists: Vec<Sublist>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sublist {
    list_key: String,
    #[serde(default)]
    synonyms: Vec<Synonyms>,
}

#[derive(Debug, Deserialize)]
struct Synonyms {
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Regex {
    #[serde(default)]
    expressions: Vec<Expression>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expression {
    regex_pattern: String,
}

impl Importer for Clu {
    fn name(&self) -> &'static str {
        "clu"
    }

    fn about(&self) -> &'static str {
        "Azure CLU project (JSON): UTF-16 offsets, Train and Test marks"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let shape = &sample.shape;
        Confidence::Certain.when(shape.has("assets.utterances") || shape.has_all(&["projectFileVersion", "assets"]))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let document = Document::read(source)?;
        let project: Project<'_> = document.parse()?;
        let unit = unit(project.string_index_type.as_deref().unwrap_or("Utf16CodeUnit")).map_err(|detail| source.problem(1, detail))?;
        let mut rows = Vec::new();
        for raw in project.assets.utterances {
            let part = document.part(raw);
            match utterance(part, unit) {
                Ok((row, split)) => rows.push(Imported { split, ..Imported::new(source, part.line, row) }),
                Err(problem) => sink.problem(problem),
            }
        }
        sink.rows(rows);
        for raw in project.assets.entities {
            let part = document.part(raw);
            match part.parse::<Entity>() {
                Ok(entity) => values(source, part.line, &entity, sink),
                Err(problem) => sink.problem(problem),
            }
        }
        Ok(())
    }
}

fn unit(name: &str) -> Result<OffsetUnit, String> {
    match name {
        "Utf16CodeUnit" => Ok(OffsetUnit::Utf16),
        "UnicodeCodePoint" => Ok(OffsetUnit::Codepoint),
        other => Err(format!("`stringIndexType`: offsets in `{other}` are not read; export with Utf16CodeUnit or UnicodeCodePoint")),
    }
}

fn utterance(part: Part<'_>, unit: OffsetUnit) -> Result<(Row, Option<Split>), Problem> {
    let utterance: Utterance = part.parse()?;
    let split = match utterance.dataset.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("") => None,
        Some("train") => Some(Split::Train),
        Some("test") => Some(Split::Test),
        Some(other) => return Err(part.problem(format!("`dataset` is `{other}`; it is Train or Test"))),
    };
    let entity = |mention: Mention| {
        let end = mention.offset.saturating_add(mention.length);
        located(&utterance.text, (mention.offset, end), unit, Label { label: mention.category, role: None })
    };
    let entities = utterance.entities.into_iter().map(entity).collect::<Result<Vec<_>, _>>().map_err(|detail| part.problem(detail))?;
    let intent = utterance.intent.map(|name| if name == "None" { "out_of_scope".to_owned() } else { name });
    let mut row = Row { text: utterance.text, intent, entities: Some(entities), ..Row::default() };
    if let Some(language) = utterance.language {
        row.rest.insert("language".to_owned(), language.into());
    }
    Ok((row, split))
}

fn values(source: &Source, line: usize, entity: &Entity, sink: &mut Sink<'_>) {
    for sublist in entity.list.iter().flat_map(|list| &list.sublists) {
        let words = sublist.synonyms.iter().flat_map(|synonyms| &synonyms.values).map(String::as_str);
        sink.value(&source.place(line), &entity.category, &sublist.list_key, words);
    }
    for expression in entity.regex.iter().flat_map(|regex| &regex.expressions) {
        sink.regex(&entity.category, &expression.regex_pattern);
    }
}
