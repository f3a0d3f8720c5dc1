//! Contact Lens of Amazon Connect, and the transcripts that Lex's designer takes: one conversation a file, or a list or lines of them.

use super::conversation::Conversation;
use super::{Message, each_record, has_anywhere, identifier, not_one, numbered, role};
use crate::conversation::Role;
use crate::data::import::json::Part;
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Contact Lens.
#[derive(Debug)]
pub struct ContactLens;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a transcript")]
struct Record<'a> {
    #[serde(borrow)]
    transcript: Option<Vec<&'a RawValue>>,
    participants: Option<Vec<Participant>>,
    customer_metadata: Option<CustomerMetadata>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a participant")]
struct Participant {
    participant_id: String,
    participant_role: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "metadata of a customer")]
struct CustomerMetadata {
    contact_id: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a message")]
struct Said {
    participant_id: String,
    content: Option<String>,
    absolute_time: Option<Value>,
    begin_offset_millis: Option<i64>,
}

impl Importer for ContactLens {
    fn name(&self) -> &'static str {
        "contact-lens"
    }

    fn about(&self) -> &'static str {
        "Contact Lens and Lex transcripts (JSON): customer turns with what agents said"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        Confidence::Certain.when(has_anywhere(sample, &[], &["Participants[].ParticipantRole", "Transcript"]))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        each_record(source, sink, &|part, number, sink| record(part, number, source, sink))
    }
}

fn record(part: Part<'_>, number: usize, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let record: Record<'_> = part.parse()?;
    let transcript = record.transcript.ok_or_else(|| not_one(part, "transcript of Contact Lens: `Transcript` is missing"))?;
    let mut roles = HashMap::new();
    for Participant { participant_id, participant_role } in record.participants.unwrap_or_default() {
        match role::role(&participant_role) {
            Some(role) => {
                roles.insert(participant_id, role);
            }
            None => sink.problem(part.problem(format!("`ParticipantRole` is `{participant_role}`; AGENT, CUSTOMER and SYSTEM are known"))),
        }
    }
    let contact = record.customer_metadata.and_then(|data| data.contact_id.as_ref().and_then(identifier));
    let mut conversation = Conversation::new(Some(contact.unwrap_or_else(|| numbered(source, number))));
    for raw in transcript {
        if let Err(problem) = said(part.part(raw), &roles, source, &mut conversation) {
            sink.problem(problem);
        }
    }
    conversation.end().into_iter().for_each(|row| sink.row(row));
    Ok(())
}

fn said(part: Part<'_>, roles: &HashMap<String, Role>, source: &Source, conversation: &mut Conversation) -> Result<(), Problem> {
    let said: Said = part.parse()?;
    let Some(text) = said.content else { return Ok(()) };
    // The participants of some exports are named by their roles.
    let role = roles.get(&said.participant_id).copied().or_else(|| role::role(&said.participant_id));
    let role = role.ok_or_else(|| part.problem(format!("`ParticipantId` `{}` is not among the `Participants`", said.participant_id)))?;
    let at = said.absolute_time.or(said.begin_offset_millis.map(Value::from));
    conversation.say(&Message { place: source.place(part.line), at, role, text });
    Ok(())
}
