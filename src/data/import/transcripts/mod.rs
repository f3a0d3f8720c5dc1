//! Exported conversations: each message of a customer becomes a row with what was said before it. One format a file.
//!
//! `conversation.rs` puts messages in order and finds the hand-over, `role.rs`, `time.rs` and `html.rs` read what many formats share.

mod chatwoot;
mod contact_lens;
mod conversation;
mod cx_insights;
mod html;
mod intercom;
mod role;
mod time;
mod transcript;
mod vcon;
mod zendesk_chat;
mod zendesk_tickets;

pub use chatwoot::Chatwoot;
pub use contact_lens::ContactLens;
pub use cx_insights::CxInsights;
pub use intercom::Intercom;
pub use transcript::Transcript;
pub use vcon::Vcon;
pub use zendesk_chat::ZendeskChat;
pub use zendesk_tickets::ZendeskTickets;

use super::json::{Part, records};
use super::{Problem, Sink, Source};
use crate::conversation::Role;
use crate::data::{Place, Row};
use serde_json::Value;

/// A message as a format has it.
struct Message {
    place: Place,
    /// As it is written; none where the format has no times.
    at: Option<Value>,
    role: Role,
    text: String,
}

impl Message {
    /// The row: the text without blanks around it, and the time.
    fn row(&self) -> Row {
        let mut row = Row { text: self.text.trim().to_owned(), ..Row::default() };
        if let Some(at) = &self.at {
            row.rest.insert("timestamp".to_owned(), at.clone());
        }
        row
    }
}

/// An identifier that may be a number.
fn identifier(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The file's name without its ending: the conversation's identifier where the format has none.
fn stem(source: &Source) -> String {
    let name = source.file_name();
    name.split_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

/// The conversation's identifier where the format has none and the file may hold several: the first has the file's name.
fn numbered(source: &Source, number: usize) -> String {
    if number == 1 { stem(source) } else { format!("{}-{number}", stem(source)) }
}

/// Reads each record of a file, numbered from 1. One that cannot be read is a problem, and the rest goes on.
fn each_record(
    source: &Source,
    sink: &mut Sink<'_>,
    read: &dyn Fn(Part<'_>, usize, &mut Sink<'_>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut number = 0;
    records(source, &mut |part| {
        number += 1;
        if let Err(problem) = part.and_then(|part| read(part, number, sink)) {
            sink.problem(problem);
        }
    })
}

/// Whether one of these paths is there, as a document, in a list, or in a list below one of these keys.
fn has_anywhere(sample: &super::Sample, lists: &[&str], paths: &[&str]) -> bool {
    let prefixes = ["", "[]."].into_iter().map(str::to_owned).chain(lists.iter().map(|list| format!("{list}[].")));
    prefixes.into_iter().any(|prefix| paths.iter().all(|path| sample.shape.has(&format!("{prefix}{path}"))))
}

/// A problem that names what a record should have been.
fn not_one(part: Part<'_>, what: &str) -> Problem {
    part.problem(format!("this is no {what}"))
}
