//! Between rows and what is thought with: turns for the encoder, the course of a conversation for the policy, a message for the table.

use super::asked::{Answered, Asked, Place};
use crate::conversation::{Role, Turn};
use crate::engine::{Outcome, Timings};
use crate::heads::Prediction;
use crate::model::hex;
use crate::patterns::Entity;
use crate::policy::{Action, Course, Decision, Episode, Past};
use crate::store::{LOOKBACK, MessageRow, StoreError, moment};
use crate::text::Utterance;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

/// By what a text is known again.
pub fn digest(text: &str) -> String {
    hex(Sha256::digest(text).get(..8).unwrap_or_default())
}

/// What a column holds.
pub fn read<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Content { what, detail: error.to_string() })
}

/// What a column is to hold. Nothing that is written here can fail to be.
pub fn write(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Name of a role in the table.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Customer => "customer",
        Role::Bot => "bot",
        Role::Agent => "agent",
    }
}

/// Who spoke a turn.
pub fn role(row: &MessageRow) -> Role {
    match row.role.as_str() {
        "bot" => Role::Bot,
        "agent" => Role::Agent,
        _ => Role::Customer,
    }
}

/// The conversation up to a turn, from the rows before it, oldest first.
pub fn course(rows: &[MessageRow], episode: Episode) -> Result<Course, StoreError> {
    let first = rows.len().saturating_sub(LOOKBACK);
    let decided = rows.get(first..).unwrap_or_default().iter().filter(|row| role(row) == Role::Customer);
    let past = |(row, prediction): (&MessageRow, &String)| {
        Ok(Past { turn: row.turn.unsigned_abs(), at: moment(row.at), prediction: read("prediction", prediction)? })
    };
    let past = decided.filter_map(|row| Some((row, row.prediction.as_ref()?))).map(past).collect::<Result<_, StoreError>>()?;
    Ok(Course { episode, past })
}

/// The turns before a message that the encoder is given.
pub fn context(rows: &[MessageRow], at: i64, idle: SignedDuration) -> Vec<Turn> {
    let turn = |row: &MessageRow| Some((moment(row.at), Turn { role: role(row), text: Utterance::new(row.text.clone()?).ok()? }));
    crate::conversation::context(rows, moment(at), idle, turn)
}

/// A turn of somebody that is not decided about.
pub fn spoken(conversation: &str, turn: i64, role: Role, text: String, at: i64, id: Option<String>) -> MessageRow {
    MessageRow {
        conversation: conversation.to_owned(),
        turn,
        digest: Some(digest(&text)),
        id,
        role: role_name(role).to_owned(),
        at,
        text: Some(text),
        ..MessageRow::default()
    }
}

/// A message of the customer with all that was found out, before it is decided about. `text` is what may be stored.
pub fn heard(asked: &Asked, turn: i64, at: i64, text: String, outcome: &Outcome, kept: &Prediction, model: &str) -> MessageRow {
    let intent = kept.intent.as_ref();
    let best = intent.and_then(|intent| intent.ranking.first());
    let without_entities = Prediction { entities: None, ..kept.clone() };
    MessageRow {
        conversation: asked.conversation.clone().unwrap_or_default(),
        turn,
        id: asked.id.clone(),
        role: role_name(Role::Customer).to_owned(),
        at,
        digest: Some(digest(&asked.input.text)),
        text: Some(text.clone()),
        language: asked.language.clone(),
        status: intent.map(|intent| intent.status.name().to_owned()),
        intent: best.map(|(name, _)| name.clone()),
        intent_score: best.map(|(_, score)| f64::from(*score)),
        sentiment: kept.sentiment.map(|sentiment| sentiment.label.name().to_owned()),
        sentiment_score: kept.sentiment.map(|sentiment| f64::from(sentiment.score)),
        prediction: Some(write(&without_entities)),
        entities: kept.entities.as_ref().map(|entities| write(&named(entities, &text))),
        tokens: i64::try_from(outcome.tokens).ok(),
        truncated: Some(i64::from(outcome.truncated)),
        model: Some(model.to_owned()),
        ..MessageRow::default()
    }
}

/// Entities with their words, by which a database counts them.
fn named(entities: &[Entity], text: &str) -> Vec<serde_json::Value> {
    let with_words = |entity: &Entity| {
        let mut value = serde_json::to_value(entity).unwrap_or_default();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("text".to_owned(), entity.span.slice(text).into());
        }
        value
    };
    entities.iter().map(with_words).collect()
}

/// The prediction of a row, entities included.
pub fn prediction(row: &MessageRow) -> Result<Prediction, StoreError> {
    let mut prediction: Prediction =
        row.prediction.as_deref().map_or_else(|| Ok(Prediction::default()), |text| read("prediction", text))?;
    prediction.entities = row.entities.as_deref().map(|text| read("entities", text)).transpose()?;
    Ok(prediction)
}

/// The answer that a message got.
pub fn answer(row: &MessageRow) -> Result<Answered, StoreError> {
    let prediction = prediction(row)?;
    let tokens = usize::try_from(row.tokens.unwrap_or_default()).unwrap_or_default();
    let outcome = Outcome { prediction, tokens, truncated: row.truncated == Some(1), timings: Timings::default() };
    let unread = || Decision {
        escalate: false,
        action: Action::None,
        priority: None,
        reasons: Vec::new(),
        errors: Vec::new(),
        policy: row.policy.clone().unwrap_or_default(),
        acknowledgement: None,
        quick_replies: Vec::new(),
    };
    let decision = row.decision.as_deref().map_or_else(|| Ok(unread()), |text| read("decision", text))?;
    let place =
        Place { conversation: row.conversation.clone(), turn: row.turn.unsigned_abs(), repeated: true, handover: row.handover.clone() };
    Ok(Answered { outcome, decision, place: Some(place) })
}
