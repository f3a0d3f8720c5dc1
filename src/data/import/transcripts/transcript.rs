//! The general form of a transcript, for what has no importer of its own: CSV or JSON lines of messages with `conversation_id`,
//! `timestamp`, `role` and `text`, and where known `intent`, `sentiment`, `handover` and `csat`.

use super::conversation::Conversations;
use super::time::microseconds;
use super::{has_anywhere, identifier, role};
use crate::conversation::Role;
use crate::data::import::json::records;
use crate::data::import::table::Table;
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source};
use crate::data::{Place, Row, RowSentiment};
use serde_json::{Map, Value};

/// Messages in general.
#[derive(Debug)]
pub struct Transcript;

/// The names a field may have, the proper one first.
struct Field(&'static [&'static str]);

const CONVERSATION: Field = Field(&["conversation_id", "conversation", "session_id", "chat_id", "ticket_id"]);
const TIMESTAMP: Field = Field(&["timestamp", "time", "created_at", "sent_at", "date"]);
const ROLE: Field = Field(&["role", "sender", "speaker", "author", "from"]);
const TEXT: Field = Field(&["text", "message", "content", "body", "utterance"]);
const INTENT: Field = Field(&["intent"]);
const SENTIMENT: Field = Field(&["sentiment"]);
const HANDOVER: Field = Field(&["handover"]);
const CSAT: Field = Field(&["csat"]);

impl Importer for Transcript {
    fn name(&self) -> &'static str {
        "transcript"
    }

    fn about(&self) -> &'static str {
        "any transcript as CSV or JSON lines: conversation_id, timestamp, role (customer, bot, agent), text[, intent, sentiment, handover, csat]"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let columns = sample.columns();
        let column = |field: &Field| field.0.iter().any(|name| columns.iter().any(|column| column == name));
        let key = |field: &Field| field.0.iter().any(|name| has_anywhere(sample, &[], &[name]));
        let all = |has: &dyn Fn(&Field) -> bool| [CONVERSATION, ROLE, TEXT].iter().all(has);
        // hearken's own rows have a speaker, but no role.
        Confidence::Certain.when(all(&column) || (all(&key) && !has_anywhere(sample, &[], &["speaker"])))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let mut conversations = Conversations::default();
        if Sample::of(source)?.shape.is_empty() {
            table(source, sink, &mut conversations)?;
        } else {
            records(source, &mut |part| {
                let read = part.and_then(|part| {
                    let fields: Map<String, Value> = part.parse()?;
                    let problems = message(source.place(part.line), fields, &mut conversations).map_err(|detail| part.problem(detail))?;
                    for detail in problems {
                        sink.problem(part.problem(detail));
                    }
                    Ok(())
                });
                if let Err(problem) = read {
                    sink.problem(problem);
                }
            })?;
        }
        conversations.end(sink);
        Ok(())
    }
}

fn table(source: &Source, sink: &mut Sink<'_>, conversations: &mut Conversations) -> Result<(), Problem> {
    let table = Table::open(source, true)?;
    for needed in [CONVERSATION, ROLE, TEXT] {
        table.need(needed.0)?;
    }
    let columns = table.columns.clone();
    for record in table {
        let record = match record {
            Ok(record) => record,
            Err(problem) => {
                sink.problem(problem);
                continue;
            }
        };
        // An empty cell says that nothing is known.
        let cells = columns.iter().cloned().zip(record.fields).filter(|(_, cell)| !cell.trim().is_empty());
        let fields = cells.map(|(column, cell)| (column, Value::from(cell))).collect();
        match message(source.place(record.line), fields, conversations) {
            Ok(problems) => problems.into_iter().for_each(|detail| sink.problem(source.problem(record.line, detail))),
            Err(detail) => sink.problem(source.problem(record.line, detail)),
        }
    }
    Ok(())
}

/// Takes a message in. What is wrong with a label is given back; the message is read without it.
///
/// # Errors
/// When conversation, role or text cannot be told.
fn message(place: Place, mut fields: Map<String, Value>, conversations: &mut Conversations) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    let id = take(&mut fields, &CONVERSATION).as_ref().and_then(identifier).ok_or("`conversation_id` is missing")?;
    let speaker = take(&mut fields, &ROLE).unwrap_or_default();
    let speaker = speaker.as_str().ok_or("`role` is missing; write customer, bot or agent")?;
    let role = role::role(speaker).ok_or_else(|| format!("`role` is `{speaker}`; write customer, bot or agent"))?;
    let text = match take(&mut fields, &TEXT) {
        Some(Value::String(text)) => text.trim().to_owned(),
        None | Some(Value::Null) => return Ok(problems), // an attachment, say
        Some(_) => return Err("`text` is no text".to_owned()),
    };
    let at = take(&mut fields, &TIMESTAMP).filter(|at| !at.is_null());
    if let Some(at) = at.as_ref().filter(|at| microseconds(at).is_none()) {
        problems
            .push(format!("`timestamp` {at} is no time; write ISO 8601 or seconds since 1970. The message stays behind the one before it"));
    }
    let conversation = conversations.of(&id);
    if let Some(csat) = take(&mut fields, &CSAT) {
        let number = csat.as_str().and_then(|text| text.trim().parse::<serde_json::Number>().ok());
        conversation.satisfaction(number.map_or(csat, Value::from));
    }
    let handover = take(&mut fields, &HANDOVER).and_then(|value| truth(&value));
    let mut row = Row { text, ..Row::default() };
    row.intent = take(&mut fields, &INTENT).and_then(|intent| intent.as_str().map(|intent| intent.trim().to_owned()));
    row.sentiment = take(&mut fields, &SENTIMENT).and_then(|value| sentiment(value, &mut problems));
    if let Some(at) = &at {
        row.rest.insert("timestamp".to_owned(), at.clone());
    }
    row.rest.extend(fields.into_iter().filter(|(name, value)| !value.is_null() && !OWN.contains(&name.as_str())));
    if handover == Some(true) {
        if role == Role::Customer {
            row.rest.insert("handover".to_owned(), true.into());
        } else {
            conversation.activity(at.as_ref());
        }
    }
    conversation.row(place, at.as_ref(), role, row);
    Ok(problems)
}

/// Fields of a row that a message's further fields may not pose as.
const OWN: &[&str] = &["entities", "emotions", "context", "turn", "speaker", "escalate", "conversation", "text", "intent", "sentiment"];

fn take(fields: &mut Map<String, Value>, field: &Field) -> Option<Value> {
    field.0.iter().find_map(|name| fields.shift_remove(*name))
}

fn truth(value: &Value) -> Option<bool> {
    let word = |text: &str| match text.trim().to_lowercase().as_str() {
        "true" | "yes" | "1" | "y" => Some(true),
        "false" | "no" | "0" | "n" => Some(false),
        _ => None,
    };
    value.as_bool().or_else(|| value.as_str().and_then(word)).or_else(|| value.as_u64().map(|number| number == 1))
}

fn sentiment(value: Value, problems: &mut Vec<String>) -> Option<RowSentiment> {
    let value = match &value {
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => number.into(),
            Err(_) => Value::from(text.trim().to_lowercase()),
        },
        Value::Null => return None,
        other => other.clone(),
    };
    let read = serde_json::from_value::<RowSentiment>(value.clone()).ok();
    let read = read.filter(|sentiment| !matches!(sentiment, RowSentiment::Score(score) if !(-1.0..=1.0).contains(score)));
    if read.is_none() {
        problems.push(format!("`sentiment` {value} is none; write negative, neutral, positive, or a number in [-1, 1]"));
    }
    read
}
