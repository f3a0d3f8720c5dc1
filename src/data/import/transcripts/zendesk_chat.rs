//! Zendesk Chat: chats with their `history`, and messages that were left while nobody was there. Lists, lines and pages (`chats`) of them.

use super::conversation::Conversation;
use super::{Message, each_record, has_anywhere, identifier, not_one, role, stem};
use crate::conversation::Role;
use crate::data::import::json::Part;
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Zendesk's chats.
#[derive(Debug)]
pub struct ZendeskChat;

#[derive(Debug, Deserialize)]
#[serde(expecting = "a chat")]
struct Record<'a> {
    id: Option<Value>,
    #[serde(borrow)]
    chats: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    history: Option<Vec<&'a RawValue>>,
    rating: Option<Value>,
    /// Of an offline message.
    message: Option<String>,
    timestamp: Option<Value>,
    deleted: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an event of a chat")]
struct Event {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Option<Value>,
    sender_type: Option<String>,
    name: Option<String>,
    msg: Option<String>,
}

impl Importer for ZendeskChat {
    fn name(&self) -> &'static str {
        "zendesk-chat"
    }

    fn about(&self) -> &'static str {
        "Zendesk Chat (JSON of the API): visitors' turns with what triggers and agents said"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let events = ["history[].sender_type", "history[].msg", "history[].channel"];
        Confidence::Certain.when(events.iter().any(|event| has_anywhere(sample, &["chats"], &["history[].type", event])))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        each_record(source, sink, &|part, _, sink| record(part, source, sink))
    }
}

fn record(part: Part<'_>, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let record: Record<'_> = part.parse()?;
    if let Some(chats) = record.chats {
        for raw in chats {
            if let Err(problem) = self::record(part.part(raw), source, sink) {
                sink.problem(problem);
            }
        }
        return Ok(());
    }
    if record.deleted == Some(true) {
        return Ok(());
    }
    if record.history.is_none() && record.message.is_none() {
        return Err(not_one(part, "chat of Zendesk: it has neither `history` nor `message`"));
    }
    let mut conversation = Conversation::new(Some(record.id.as_ref().and_then(identifier).unwrap_or_else(|| stem(source))));
    conversation.satisfaction(record.rating.unwrap_or_default());
    if let Some(text) = record.message.filter(|_| record.history.as_ref().is_none_or(Vec::is_empty)) {
        conversation.say(&Message { place: source.place(part.line), at: record.timestamp, role: Role::Customer, text });
    }
    for raw in record.history.into_iter().flatten() {
        if let Err(problem) = event(part.part(raw), source, &mut conversation) {
            sink.problem(problem);
        }
    }
    conversation.end().into_iter().for_each(|row| sink.row(row));
    Ok(())
}

fn event(part: Part<'_>, source: &Source, conversation: &mut Conversation) -> Result<(), Problem> {
    let event: Event = part.parse()?;
    let sender = event.sender_type.unwrap_or_default();
    let spoken =
        || role::role(&sender).or_else(|| event.name.as_deref().filter(|name| name.starts_with("Visitor")).map(|_| Role::Customer));
    match event.kind.as_str() {
        "chat.msg" => {
            let role =
                spoken().ok_or_else(|| part.problem(format!("`sender_type` is `{sender}`; Visitor, Agent and Trigger are known")))?;
            conversation.say(&Message { place: source.place(part.line), at: event.timestamp, role, text: event.msg.unwrap_or_default() });
        }
        "chat.memberjoin" if spoken() == Some(Role::Agent) => conversation.activity(event.timestamp.as_ref()),
        kind if kind.contains("transfer") => conversation.activity(event.timestamp.as_ref()),
        _ => {}
    }
    Ok(())
}
