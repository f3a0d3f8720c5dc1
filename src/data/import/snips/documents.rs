//! The YAML documents of a dataset: `type: intent` with utterances such as `fly to [destination:city](Paris)`, `type: entity` with
//! values.

use super::dataset::label;
use crate::data::import::yaml::{Node, parse};
use crate::data::import::{Imported, Pieces, Problem, Sink, Source};
use std::collections::HashMap;

pub(super) fn read(source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let (documents, broken) = parse(&source.text()?);
    let mut rows = Vec::new();
    for document in &documents {
        let kind = document.get("type").and_then(Node::text).unwrap_or_default();
        let Some(name) = document.get("name").and_then(Node::text) else {
            sink.problem(source.problem(document.line, "the document has no `name`"));
            continue;
        };
        match kind {
            "intent" => intent(source, document, name, sink, &mut rows),
            "entity" => entity(source, document, name, sink),
            other => sink.problem(source.problem(document.line, format!("`type` is `{other}`; it is intent or entity"))),
        }
    }
    sink.rows(rows);
    match broken {
        Some(broken) => {
            let hint = "a line that begins with `[` needs quotes";
            Err(source.problem(broken.line, format!("{}; {hint}; what follows is not read", broken.message)))
        }
        None => Ok(()),
    }
}

fn intent(source: &Source, document: &Node, name: &str, sink: &mut Sink<'_>, rows: &mut Vec<Imported>) {
    let slots: HashMap<&str, &str> = document.get("slots").map_or(&[][..], Node::items).iter().filter_map(slot).collect();
    let utterances = document.get("utterances").map_or(&[][..], Node::items);
    if utterances.is_empty() {
        sink.problem(source.problem(document.line, format!("intent `{name}` has no `utterances`")));
    }
    for utterance in utterances {
        let read = match utterance.text() {
            Some(text) => pieces(text, &slots),
            None => Err(format!("an utterance is {}; put quotes around one that begins with `[`", utterance.kind())),
        };
        match read {
            Ok(pieces) => rows.push(Imported::new(source, utterance.line, pieces.row(Some(name.to_owned())))),
            Err(detail) => sink.problem(source.problem(utterance.line, detail)),
        }
    }
}

fn slot(node: &Node) -> Option<(&str, &str)> {
    Some((node.get("name")?.text()?, node.get("entity")?.text()?))
}

fn pieces(utterance: &str, slots: &HashMap<&str, &str>) -> Result<Pieces, String> {
    let (mut pieces, mut rest) = (Pieces::default(), utterance);
    while let Some((before, opened)) = rest.split_once('[') {
        pieces.text(before);
        let (slot, behind) = opened.split_once(']').ok_or_else(|| format!("the bracket of `[{opened}` is not closed"))?;
        let words = behind.strip_prefix('(').ok_or_else(|| format!("`[{slot}]` has no words; write [slot:entity](words)"))?;
        let (words, after) = words.split_once(')').ok_or_else(|| format!("the words of `[{slot}]({words}` are not closed"))?;
        let (slot, entity) = slot.split_once(':').unwrap_or_else(|| (slot, slots.get(slot).copied().unwrap_or_default()));
        if slot.trim().is_empty() {
            return Err(format!("the slot of `{words}` has no name"));
        }
        pieces.entity(words, label(slot.trim(), entity.trim()));
        rest = after;
    }
    pieces.text(rest);
    Ok(pieces)
}

/// Values are texts, or lists of a value and its synonyms.
fn entity(source: &Source, document: &Node, name: &str, sink: &mut Sink<'_>) {
    for value in document.get("values").map_or(&[][..], Node::items) {
        let place = source.place(value.line);
        let words: Vec<&str> = value.text().into_iter().chain(value.items().iter().filter_map(Node::text)).collect();
        match words.split_first() {
            Some((first, synonyms)) => sink.value(&place, name, first, synonyms.iter().copied()),
            None => sink.problem(Problem::new(&place, "the value is empty")),
        }
    }
}
