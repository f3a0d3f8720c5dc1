//! Chatwoot: pages of `GET …/conversations/{id}/messages`, conversations with their messages, lists and lines of either, or of messages.

use super::conversation::Conversations;
use super::{Message, has_anywhere, identifier, not_one, numbered, role, stem};
use crate::conversation::Role;
use crate::data::import::json::{Part, records};
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Chatwoot's messages.
#[derive(Debug)]
pub struct Chatwoot;

/// A page, a conversation, or a message.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a message, page or conversation")]
struct Record<'a> {
    id: Option<Value>,
    conversation_id: Option<Value>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    messages: Option<Vec<&'a RawValue>>,
    message_type: Option<Value>,
    content: Option<String>,
    content_attributes: Option<Value>,
    created_at: Option<Value>,
    private: Option<bool>,
    sender_type: Option<String>,
    sender: Option<Sender>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a sender")]
struct Sender {
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Importer for Chatwoot {
    fn name(&self) -> &'static str {
        "chatwoot"
    }

    fn about(&self) -> &'static str {
        "Chatwoot messages (JSON of the API): customer turns with what bot and agents said"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let places = ["payload", "messages", "payload[].messages", "data.payload[].messages", "[].messages", "[].payload"];
        Confidence::Certain.when(has_anywhere(sample, &places, &["message_type", "content"]))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let mut reading = Reading { source, sink, conversations: Conversations::default() };
        let (stem, mut pages) = (stem(source), 0);
        records(source, &mut |part| {
            pages += 1;
            let id = numbered(source, pages);
            let read = part.and_then(|part| reading.record(part, &id, &stem));
            if let Err(problem) = read {
                reading.sink.problem(problem);
            }
        })?;
        let Reading { sink, conversations, .. } = reading;
        conversations.end(sink);
        Ok(())
    }
}

struct Reading<'a, 'b> {
    source: &'a Source,
    sink: &'a mut Sink<'b>,
    conversations: Conversations,
}

impl Reading<'_, '_> {
    /// `page` is the identifier of messages on a page that names none, `loose` that of messages outside any page.
    fn record(&mut self, part: Part<'_>, page: &str, loose: &str) -> Result<(), Problem> {
        let record: Record<'_> = part.parse()?;
        if let Some(data) = record.data {
            return self.record(part.part(data), page, loose);
        }
        let own = record.conversation_id.as_ref().and_then(identifier);
        let conversation = || own.clone().or_else(|| record.id.as_ref().and_then(identifier)).unwrap_or_else(|| page.to_owned());
        if let Some(messages) = &record.messages {
            self.all(part, messages, &conversation());
        } else if let Some(payload) = &record.payload {
            self.all(part, payload, own.as_deref().unwrap_or(page));
        } else if record.message_type.is_some() {
            let id = own.unwrap_or_else(|| loose.to_owned());
            self.message(part, record, &id);
        } else {
            return Err(not_one(part, "message, page (`payload`) or conversation (`messages`) of Chatwoot"));
        }
        Ok(())
    }

    fn all<'p>(&mut self, part: Part<'p>, parts: &[&'p RawValue], id: &str) {
        for raw in parts {
            if let Err(problem) = self.record(part.part(raw), id, id) {
                self.sink.problem(problem);
            }
        }
    }

    fn message(&mut self, part: Part<'_>, record: Record<'_>, id: &str) {
        let attributes = record.content_attributes.unwrap_or_default();
        let conversation = self.conversations.of(id);
        let answers = attributes.get("submitted_values").and_then(|values| values.get("csat_survey_response"));
        if let Some(rating) = answers.and_then(|answer| answer.get("rating")) {
            conversation.satisfaction(rating.clone());
            return;
        }
        if record.private == Some(true) || attributes.get("deleted").and_then(Value::as_bool) == Some(true) {
            return;
        }
        let sender = record.sender_type.or(record.sender.and_then(|sender| sender.kind));
        let role = match record.message_type.as_ref().map(kind) {
            Some(Some(Kind::Activity)) => return conversation.activity(record.created_at.as_ref()),
            Some(Some(Kind::Incoming)) => Role::Customer,
            Some(Some(Kind::Template)) => Role::Bot,
            // In Chatwoot a `User` is one who works there; an answer without sender was sent by a program.
            Some(Some(Kind::Outgoing)) => match sender.as_deref() {
                Some(sender) if sender.eq_ignore_ascii_case("user") => Role::Agent,
                Some(sender) => role::role(sender).unwrap_or(Role::Agent),
                None => Role::Bot,
            },
            _ => {
                let message = format!("`message_type` {} is none of 0 to 3", record.message_type.unwrap_or_default());
                return self.sink.problem(part.problem(message));
            }
        };
        let place = self.source.place(part.line);
        conversation.say(&Message { place, at: record.created_at, role, text: record.content.unwrap_or_default() });
    }
}

enum Kind {
    Incoming,
    Outgoing,
    Activity,
    Template,
}

fn kind(value: &Value) -> Option<Kind> {
    match (value.as_u64(), value.as_str()) {
        (Some(0), _) | (_, Some("incoming")) => Some(Kind::Incoming),
        (Some(1), _) | (_, Some("outgoing")) => Some(Kind::Outgoing),
        (Some(2), _) | (_, Some("activity")) => Some(Kind::Activity),
        (Some(3), _) | (_, Some("template")) => Some(Kind::Template),
        _ => None,
    }
}
