//! What a person is told: why, how pressing, and everything that was said, within 20 KB.

use crate::heads::Prediction;
use crate::patterns::Entity;
use crate::policy::Decision;
use crate::store::{ConversationRow, MessageRow, moment};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Most bytes of a payload: Standard Webhooks asks for less than 20 KB.
pub const LARGEST: usize = 20_000;
/// Most characters of one turn, where the whole is too large.
const LONGEST_TURN: usize = 2_000;

/// Where people find conversations.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// The server's address as people reach it, such as `https://hearken.example`.
    pub public_url: Option<String>,
}

/// A hand-over that begins.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Its identifier.
    pub id: &'a str,
    /// The conversation.
    pub conversation: &'a ConversationRow,
    /// First turn of the episode.
    pub since: u64,
    /// The last turns, oldest first; the last is the one that it begins at.
    pub turns: &'a [MessageRow],
    /// Why.
    pub decision: &'a Decision,
    /// `policy` or `request`.
    pub source: &'static str,
    /// When, in milliseconds since 1970.
    pub at: i64,
}

/// A payload, written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The JSON.
    pub payload: String,
    /// When the episode's first message came, in milliseconds since 1970.
    pub began: i64,
}

#[derive(Serialize)]
struct Turn<'a> {
    role: &'a str,
    text: Option<String>,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<&'a str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    entities: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentiment: Option<f64>,
}

/// Writes what targets are told.
#[must_use]
pub fn payload(account: &Account<'_>, links: &Links) -> Written {
    let Account { id, conversation, since, turns, decision, source, at } = *account;
    let episode: Vec<&MessageRow> = turns.iter().filter(|row| row.turn.unsigned_abs() >= since).collect();
    let began = episode.first().map_or(at, |row| row.at);
    let trail: Vec<f64> = episode.iter().filter_map(|row| row.sentiment_score).map(short).collect();
    let reasons: Vec<Value> = decision.reasons.iter().map(|reason| json!({"rule": reason.rule, "value": reason.value.map(|value| short(value.into())), "threshold": reason.threshold.map(|value| short(value.into())), "message": reason.message})).collect();
    let entities = merged(turns);
    let mut data = Map::new();
    let mut put = |key: &str, value: Value| data.insert(key.to_owned(), value);
    put("handover_id", id.into());
    put("conversation_id", conversation.id.as_str().into());
    put("source", source.into());
    put("priority", decision.priority.map_or("normal", crate::policy::Priority::name).into());
    put("reasons", reasons.into());
    put("summary", summary(account, &episode, &entities).into());
    put("customer", json!({"id": conversation.customer, "segment": conversation.segment}));
    put("channel", conversation.channel.clone().into());
    put("turns", Value::Null);
    put("sentiment_trail", trail.into());
    put("entities", Value::Object(entities));
    let link = links.public_url.as_ref().map(|url| format!("{}/v1/conversations/{}", url.trim_end_matches('/'), conversation.id));
    put("links", json!({"conversation": link}));
    let metadata = conversation.metadata.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
    put("metadata", metadata);
    put("turns_left_out", (turns.first().map_or(0, |row| row.turn)).into());
    Written { payload: fitted(data, turns, at), began }
}

/// The whole with as many of the last turns as fit.
fn fitted(mut data: Map<String, Value>, turns: &[MessageRow], at: i64) -> String {
    let told: Vec<Value> = turns.iter().map(|row| serde_json::to_value(turn(row, usize::MAX)).unwrap_or_default()).collect();
    let before = turns.first().map_or(0, |row| row.turn);
    for first in 0..=told.len() {
        data.insert("turns".to_owned(), told.get(first..).unwrap_or_default().into());
        data.insert("turns_left_out".to_owned(), (before + i64::try_from(first).unwrap_or_default()).into());
        let text = envelope(&data, at);
        if text.len() < LARGEST {
            return text;
        }
        // Not even the last turn fits whole.
        if first + 1 == told.len() {
            break;
        }
    }
    let last: Vec<Value> = turns.last().map(|row| serde_json::to_value(turn(row, LONGEST_TURN)).unwrap_or_default()).into_iter().collect();
    data.insert("turns".to_owned(), last.into());
    data.insert("metadata".to_owned(), Value::Null);
    let text = envelope(&data, at);
    if text.len() < LARGEST {
        return text;
    }
    data.insert("entities".to_owned(), Value::Object(Map::new()));
    envelope(&data, at)
}

fn envelope(data: &Map<String, Value>, at: i64) -> String {
    let timestamp = moment(at);
    json!({"type": "handover.created", "timestamp": timestamp, "data": data}).to_string()
}

fn turn(row: &MessageRow, longest: usize) -> Turn<'_> {
    let entities = entities(row);
    let said = row.text.as_deref().unwrap_or_default();
    let entity =
        |entity: &Entity| json!({"label": entity.label, "text": said.get(entity.span.start..entity.span.end), "value": entity.value});
    let entities: Vec<Value> = entities.iter().map(entity).collect();
    Turn {
        role: &row.role,
        text: row.text.as_ref().map(|text| text.chars().take(longest).collect()),
        at: moment(row.at),
        intent: row.intent.as_deref(),
        entities: if row.decision.is_some() { entities.into() } else { Value::Null },
        sentiment: row.sentiment_score.map(short),
    }
}

/// The entities of a turn.
fn entities(row: &MessageRow) -> Vec<Entity> {
    row.entities.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The latest value of each label.
fn merged(turns: &[MessageRow]) -> Map<String, Value> {
    let mut latest = Map::new();
    for row in turns {
        for entity in entities(row) {
            let said = row.text.as_deref().and_then(|text| text.get(entity.span.start..entity.span.end));
            let value = entity.value.or_else(|| said.map(Value::from)).unwrap_or(Value::Null);
            latest.insert(entity.label, value);
        }
    }
    latest
}

/// The matter in a sentence or three.
fn summary(account: &Account<'_>, episode: &[&MessageRow], entities: &Map<String, Value>) -> String {
    let customer: Vec<&&MessageRow> = episode.iter().filter(|row| row.decision.is_some()).collect();
    let last = customer.last().copied();
    let mut parts = Vec::new();
    if let Some(intent) = last.and_then(|row| row.intent.as_deref()) {
        parts.push(format!("The customer wants: {}.", intent.replace('_', " ")));
    }
    let emotions =
        last.and_then(|row| serde_json::from_str::<Prediction>(row.prediction.as_deref()?).ok()).and_then(|prediction| prediction.emotions);
    let present: Vec<String> = emotions.into_iter().flatten().filter(|emotion| emotion.present).map(|emotion| emotion.name).collect();
    if let Some((label, score)) = last.and_then(|row| row.sentiment.as_deref().zip(row.sentiment_score)) {
        let with = if present.is_empty() { String::new() } else { format!(", {}", present.join(", ")) };
        parts.push(format!("Sentiment {label} ({score:+.2}{with})."));
    }
    if let Some(reason) = account.decision.reasons.first() {
        parts.push(format!("Reason: {}.", reason.message));
    }
    let minutes = episode.first().map_or(0, |first| (account.at - first.at) / 60_000);
    parts.push(format!("{} messages of the customer in {minutes} minutes.", customer.len()));
    if let Some(order) = entities.get("order_number") {
        parts.push(format!("Order {}.", order.as_str().map_or_else(|| order.to_string(), str::to_owned)));
    }
    parts.join(" ")
}

/// A score as people read it.
fn short(score: f64) -> f64 {
    (score * 1e4).round() / 1e4
}
