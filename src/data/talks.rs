//! Conversations as they were recorded: rows with `conversation`, `turn` and whatever they say of time, channel and hand-over.

use super::{Record, Row};
use crate::conversation::{Role, Turn};
use crate::text::Utterance;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Time between turns of which nobody knows when they were.
const APART: SignedDuration = SignedDuration::from_mins(1);
/// When a conversation began of which nobody knows when: a Wednesday.
const BEGIN: i64 = 1_767_780_000;

/// A conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Talk {
    /// Its identifier.
    pub id: String,
    /// The customer's messages, in order.
    pub messages: Vec<TalkMessage>,
    /// How satisfied the customer was, where it is known.
    pub csat: Option<f64>,
}

/// A message of the customer.
#[derive(Debug, Clone, PartialEq)]
pub struct TalkMessage {
    /// Its place in the conversation, turns of others counted.
    pub turn: u64,
    /// When it was written; a minute after the one before, where the row does not say.
    pub at: Timestamp,
    /// What it says.
    pub text: Utterance,
    /// What was said before, oldest first, and when.
    pub before: Vec<(Timestamp, Turn)>,
    /// Where it came in.
    pub channel: Option<String>,
    /// The customer's group.
    pub segment: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Whether a human should take over here, where it is known.
    pub escalate: Option<bool>,
    /// Whether a human did.
    pub handover: bool,
}

/// Why a conversation cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {detail}")]
pub struct TalkError {
    /// Where.
    pub place: String,
    /// What is wrong.
    pub detail: String,
}

/// The conversations of rows, in the order in which they begin. Rows of no conversation are left out.
///
/// # Errors
/// When a text cannot be read.
pub fn talks(records: &[Record]) -> Result<Vec<Talk>, TalkError> {
    let mut order = Vec::new();
    let mut found: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
    for record in records {
        let Some(id) = record.row.conversation.as_deref() else { continue };
        found.entry(id).or_insert_with(|| {
            order.push(id);
            Vec::new()
        });
        found.entry(id).or_default().push(record);
    }
    order.into_iter().map(|id| talk(id, found.get(id).map(Vec::as_slice).unwrap_or_default())).collect()
}

fn talk(id: &str, records: &[&Record]) -> Result<Talk, TalkError> {
    let mut records: Vec<&&Record> = records.iter().collect();
    records.sort_by_key(|record| record.row.turn.unwrap_or(u64::MAX));
    let mut talk = Talk { id: id.to_owned(), messages: Vec::new(), csat: None };
    let mut said: Vec<(Timestamp, Turn)> = Vec::new();
    for record in records {
        let row = &record.row;
        let wrong = |detail: String| TalkError { place: record.place.to_string(), detail };
        talk.csat = talk.csat.or_else(|| row.rest.get("csat")?.as_f64());
        let context = row.context.iter().map(|turn| Ok(Turn { role: turn.role, text: Utterance::new(turn.text.clone())? }));
        let context =
            context.collect::<Result<Vec<_>, crate::text::UtteranceError>>().map_err(|error| wrong(format!("`context`: {error}")))?;
        // A row's context is the whole before it; what is not yet in `said` was said by others since.
        for turn in context.into_iter().skip(said.len()) {
            said.push((next(&said), turn));
        }
        let text = Utterance::new(row.text.clone()).map_err(|error| wrong(format!("`text`: {error}")))?;
        let at = timestamp(row).unwrap_or_else(|| next(&said)).max(said.last().map_or(Timestamp::MIN, |(at, _)| *at));
        if row.is_of_customer() {
            talk.messages.push(message(row, talk.messages.len(), at, text.clone(), said.clone()));
        }
        said.push((at, Turn { role: row.speaker.unwrap_or(Role::Customer), text }));
    }
    Ok(talk)
}

fn message(row: &Row, count: usize, at: Timestamp, text: Utterance, before: Vec<(Timestamp, Turn)>) -> TalkMessage {
    let word = |key: &str| row.rest.get(key).and_then(|value| value.as_str()).map(str::to_owned);
    let customer = row.rest.get("customer").and_then(|customer| customer.get("segment")?.as_str()).map(str::to_owned);
    TalkMessage {
        turn: row.turn.unwrap_or(count as u64),
        at,
        text,
        before,
        channel: word("channel"),
        segment: word("segment").or(customer),
        language: word("language"),
        escalate: row.escalate,
        handover: row.rest.get("handover").and_then(serde_json::Value::as_bool).unwrap_or_default(),
    }
}

fn timestamp(row: &Row) -> Option<Timestamp> {
    row.rest.get("timestamp")?.as_str()?.parse().ok()
}

fn next(said: &[(Timestamp, Turn)]) -> Timestamp {
    said.last().map_or_else(|| Timestamp::from_second(BEGIN).unwrap_or_default(), |(at, _)| at.saturating_add(APART).unwrap_or(*at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Place;

    fn records(lines: &[&str]) -> Vec<Record> {
        let record = |(number, line): (usize, &&str)| Record {
            place: Place { file: "talks.jsonl".into(), line: number + 1 },
            line: (*line).to_owned(),
            row: serde_json::from_str(line).unwrap(),
        };
        lines.iter().enumerate().map(record).collect()
    }

    #[test]
    fn turns_of_others_come_from_rows_or_from_the_context() {
        let by_rows = records(&[
            r#"{"text": "hello", "conversation": "a", "turn": 0, "timestamp": "2026-01-05T10:00:00Z", "channel": "web"}"#,
            r#"{"text": "hi!", "conversation": "a", "turn": 1, "speaker": "bot", "timestamp": "2026-01-05T10:00:05Z"}"#,
            r#"{"text": "where is it", "conversation": "a", "turn": 2, "timestamp": "2026-01-05T10:00:09Z", "handover": true, "csat": 2}"#,
            r#"{"text": "alone"}"#,
        ]);
        let by_context = records(&[
            r#"{"text": "where is it", "conversation": "b", "turn": 2, "context": [{"role": "customer", "text": "hello"}, {"role": "bot", "text": "hi!"}], "escalate": true}"#,
            r#"{"text": "hello", "conversation": "b", "turn": 0, "escalate": false}"#,
        ]);
        let (a, b) = (talks(&by_rows).unwrap(), talks(&by_context).unwrap());
        assert_eq!((a.len(), b.len()), (1, 1));
        let texts = |talk: &Talk| -> Vec<Vec<String>> {
            talk.messages.iter().map(|message| message.before.iter().map(|(_, turn)| turn.text.as_str().to_owned()).collect()).collect()
        };
        assert_eq!(texts(&a[0]), [vec![], vec!["hello".to_owned(), "hi!".to_owned()]]);
        assert_eq!(texts(&a[0]), texts(&b[0]));
        assert_eq!((a[0].csat, a[0].messages[1].handover, a[0].messages[0].channel.as_deref()), (Some(2.0), true, Some("web")));
        assert_eq!(a[0].messages[1].at, "2026-01-05T10:00:09Z".parse().unwrap());
        assert_eq!(b[0].messages.iter().map(|message| message.escalate).collect::<Vec<_>>(), [Some(false), Some(true)]);
    }
}
