//! vCon, the IETF's container of conversations (draft-ietf-vcon-vcon-core): the text dialogs of one, or a list or lines of them.

use super::conversation::Conversation;
use super::{Message, each_record, has_anywhere, html, not_one, role, stem};
use crate::conversation::Role;
use crate::data::import::json::Part;
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// vCon.
#[derive(Debug)]
pub struct Vcon;

#[derive(Debug, Deserialize)]
#[serde(expecting = "a vCon")]
struct Record<'a> {
    uuid: Option<String>,
    #[serde(default)]
    parties: Vec<Value>,
    #[serde(borrow)]
    dialog: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a dialog")]
struct Dialog {
    #[serde(rename = "type")]
    kind: String,
    start: Option<Value>,
    parties: Option<Value>,
    originator: Option<usize>,
    body: Option<Value>,
    encoding: Option<String>,
    #[serde(alias = "mimetype")]
    mediatype: Option<String>,
}

impl Importer for Vcon {
    fn name(&self) -> &'static str {
        "vcon"
    }

    fn about(&self) -> &'static str {
        "vCon (JSON): the customer's turns of text dialogs with what the other parties said"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        Confidence::Certain.when(has_anywhere(sample, &[], &["dialog", "parties"]))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        each_record(source, sink, &|part, _, sink| record(part, source, sink))
    }
}

fn record(part: Part<'_>, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let record: Record<'_> = part.parse()?;
    let dialogs = record.dialog.ok_or_else(|| not_one(part, "vCon with a `dialog`"))?;
    let told = |party: &Value| party.get("role").and_then(Value::as_str).and_then(role::role);
    let mut parties = Parties { roles: record.parties.iter().map(told).collect(), customer: None };
    let mut conversation = Conversation::new(Some(record.uuid.unwrap_or_else(|| stem(source))));
    for raw in dialogs {
        if let Err(problem) = dialog(part.part(raw), source, &mut parties, &mut conversation) {
            sink.problem(problem);
        }
    }
    conversation.end().into_iter().for_each(|row| sink.row(row));
    Ok(())
}

/// Who is who.
struct Parties {
    roles: Vec<Option<Role>>,
    /// Who began, where no party's role is told.
    customer: Option<usize>,
}

impl Parties {
    fn role(&mut self, speaker: usize) -> Option<Role> {
        if let Some(role) = *self.roles.get(speaker)? {
            return Some(role);
        }
        if self.roles.iter().flatten().any(|role| *role == Role::Customer) {
            return Some(Role::Agent);
        }
        let customer = *self.customer.get_or_insert(speaker);
        Some(if customer == speaker { Role::Customer } else { Role::Agent })
    }
}

fn dialog(part: Part<'_>, source: &Source, parties: &mut Parties, conversation: &mut Conversation) -> Result<(), Problem> {
    let dialog: Dialog = part.parse()?;
    match dialog.kind.as_str() {
        "text" => {}
        "transfer" => {
            conversation.activity(dialog.start.as_ref());
            return Ok(());
        }
        // A recording has no text here; an incomplete call has none at all.
        _ => return Ok(()),
    }
    let listed = dialog.parties.as_ref().and_then(|parties| parties.as_u64().or_else(|| parties.get(0)?.as_u64()));
    let speaker = dialog.originator.or_else(|| usize::try_from(listed?).ok());
    let speaker = speaker.ok_or_else(|| part.problem("`parties` names nobody: who wrote the message is not known"))?;
    let role = parties.role(speaker).ok_or_else(|| part.problem(format!("`parties` names {speaker}, but there is no such party")))?;
    let Some(Value::String(body)) = dialog.body else {
        return Err(part.problem("`body` is no text; only bodies within the file are read, no `url`"));
    };
    if let Some(encoding) = dialog.encoding.filter(|encoding| encoding != "none") {
        return Err(part.problem(format!("`encoding` is `{encoding}`; text with `none` is read")));
    }
    let markup = dialog.mediatype.is_some_and(|kind| kind.starts_with("text/html"));
    let text = if markup { html::text(&body).map_err(|detail| part.problem(detail))? } else { body };
    conversation.say(&Message { place: source.place(part.line), at: dialog.start, role, text });
    Ok(())
}
