//! Intercom: conversations of `GET /conversations/{id}`, lists and lines of them. Bodies are HTML; notes and redacted parts are left out.

use super::conversation::Conversation;
use super::{Message, each_record, has_anywhere, html, identifier, not_one, stem};
use crate::conversation::Role;
use crate::data::import::json::Part;
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Intercom's conversations.
#[derive(Debug)]
pub struct Intercom;

#[derive(Debug, Deserialize)]
#[serde(expecting = "a conversation")]
struct Record<'a> {
    id: Option<Value>,
    created_at: Option<Value>,
    #[serde(borrow)]
    conversations: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    conversation_parts: Option<&'a RawValue>,
    conversation_rating: Option<Rating>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a list of parts")]
struct Parts<'a> {
    #[serde(borrow)]
    conversation_parts: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a rating")]
struct Rating {
    rating: Option<Value>,
}

/// The first message, or a part behind it.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a message")]
struct Said {
    part_type: Option<String>,
    body: Option<String>,
    created_at: Option<Value>,
    author: Option<Author>,
    redacted: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an author")]
struct Author {
    #[serde(rename = "type")]
    kind: Option<String>,
    from_ai_agent: Option<bool>,
    is_ai_answer: Option<bool>,
}

impl Importer for Intercom {
    fn name(&self) -> &'static str {
        "intercom"
    }

    fn about(&self) -> &'static str {
        "Intercom conversations (JSON of the API): customer turns with what bot and team said"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        Confidence::Certain.when(has_anywhere(sample, &["conversations"], &["conversation_parts"]))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        each_record(source, sink, &|part, _, sink| record(part, source, sink))
    }
}

fn record(part: Part<'_>, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let record: Record<'_> = part.parse()?;
    if let Some(conversations) = record.conversations {
        for raw in conversations {
            if let Err(problem) = self::record(part.part(raw), source, sink) {
                sink.problem(problem);
            }
        }
        return Ok(());
    }
    if record.source.is_none() && record.conversation_parts.is_none() {
        return Err(not_one(part, "conversation of Intercom: it has neither `source` nor `conversation_parts`"));
    }
    let mut conversation = Conversation::new(Some(record.id.as_ref().and_then(identifier).unwrap_or_else(|| stem(source))));
    let mut parts: Vec<Part<'_>> = record.source.map(|raw| part.part(raw)).into_iter().collect();
    if let Some(raw) = record.conversation_parts {
        let list = part.part(raw);
        let raws = if raw.get().starts_with('[') { list.parse()? } else { list.parse::<Parts<'_>>()?.conversation_parts };
        parts.extend(raws.into_iter().map(|raw| part.part(raw)));
    }
    for (index, part) in parts.into_iter().enumerate() {
        let opened = record.created_at.as_ref().filter(|_| index == 0);
        if let Err(problem) = said(part, opened, source, &mut conversation) {
            sink.problem(problem);
        }
    }
    conversation.satisfaction(record.conversation_rating.and_then(|rating| rating.rating).unwrap_or_default());
    conversation.end().into_iter().for_each(|row| sink.row(row));
    Ok(())
}

/// `opened` is when the conversation began, for the first message, which has no time of its own.
fn said(part: Part<'_>, opened: Option<&Value>, source: &Source, conversation: &mut Conversation) -> Result<(), Problem> {
    let said: Said = part.parse()?;
    let at = said.created_at.or_else(|| opened.cloned());
    let kind = said.part_type.as_deref().unwrap_or("comment");
    if kind.contains("assign") {
        conversation.activity(at.as_ref());
    }
    if kind.contains("note") || said.redacted == Some(true) {
        return Ok(());
    }
    let Some(body) = said.body.filter(|body| !body.trim().is_empty()) else { return Ok(()) };
    let author = said.author.ok_or_else(|| part.problem("`author` is missing: nobody says who wrote the message"))?;
    let by_ai = author.from_ai_agent == Some(true) || author.is_ai_answer == Some(true);
    let kind = author.kind.unwrap_or_default();
    let role = if by_ai { Some(Role::Bot) } else { super::role::role(&kind) };
    let role =
        role.ok_or_else(|| part.problem(format!("`author.type` is `{kind}`; user, lead, contact, bot, admin and team are known")))?;
    let text = html::text(&body).map_err(|detail| part.problem(detail))?;
    conversation.say(&Message { place: source.place(part.line), at, role, text });
    Ok(())
}
