//! Conversations as Google's Customer Experience Insights takes them: `entries` with `role` and `start_timestamp_usec`, one conversation a
//! file, or a list or lines of them.

use super::conversation::Conversation;
use super::{Message, each_record, has_anywhere, not_one, numbered, role};
use crate::data::import::json::Part;
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Customer Experience Insights.
#[derive(Debug)]
pub struct CxInsights;

#[derive(Debug, Deserialize)]
#[serde(expecting = "a conversation")]
struct Record<'a> {
    #[serde(borrow)]
    entries: Option<Vec<&'a RawValue>>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an entry")]
struct Entry {
    text: Option<String>,
    role: String,
    start_timestamp_usec: Option<Value>,
}

impl Importer for CxInsights {
    fn name(&self) -> &'static str {
        "cx-insights"
    }

    fn about(&self) -> &'static str {
        "Google CX Insights conversations (JSON): customer turns with what automated and human agents said"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        Confidence::Certain.when(has_anywhere(sample, &[], &["entries[].role", "entries[].text"]))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        each_record(source, sink, &|part, number, sink| record(part, number, source, sink))
    }
}

fn record(part: Part<'_>, number: usize, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let record: Record<'_> = part.parse()?;
    let entries = record.entries.ok_or_else(|| not_one(part, "conversation of CX Insights: `entries` is missing"))?;
    let mut conversation = Conversation::new(Some(numbered(source, number)));
    for raw in entries {
        if let Err(problem) = entry(part.part(raw), source, &mut conversation) {
            sink.problem(problem);
        }
    }
    conversation.end().into_iter().for_each(|row| sink.row(row));
    Ok(())
}

fn entry(part: Part<'_>, source: &Source, conversation: &mut Conversation) -> Result<(), Problem> {
    let entry: Entry = part.parse()?;
    let unknown = || part.problem(format!("`role` is `{}`; AGENT, AUTOMATED_AGENT, CUSTOMER and END_USER are known", entry.role));
    let role = role::role(&entry.role).ok_or_else(unknown)?;
    let text = entry.text.unwrap_or_default();
    conversation.say(&Message { place: source.place(part.line), at: entry.start_timestamp_usec, role, text });
    Ok(())
}
