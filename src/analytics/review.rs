//! What is worth a look? Messages that were corrected, or not understood, the most telling first; they make the next training data.

use super::range::{Range, within};
use crate::store::{Store, StoreError, moment};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;

/// Below this probability a best intent is a guess.
const UNSURE: f64 = 0.5;

/// A message to be looked at.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Review {
    /// The conversation.
    pub conversation_id: String,
    /// The turn.
    pub turn: i64,
    /// The caller's identifier.
    pub message_id: Option<String>,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The text.
    pub text: String,
    /// Why: `corrected`, `ambiguous`, `out_of_scope` or `unsure`.
    pub why: String,
    /// The best intent.
    pub intent: Option<String>,
    /// Its probability.
    pub score: Option<f64>,
    /// The feeling.
    pub sentiment: Option<String>,
    /// The intent that somebody said it should have been.
    pub corrected_intent: Option<String>,
    /// The feeling that somebody said it should have been.
    pub corrected_sentiment: Option<String>,
}

/// What is worth a look in a range: corrections first, then messages between two intents, then those out of scope that come closest to an
/// intent, then guesses.
///
/// # Errors
/// When the database fails.
pub async fn reviews(store: &Store, range: &Range, most: usize) -> Result<Vec<Review>, StoreError> {
    let said = |key: &str| {
        format!(
            "(SELECT MAX({} ->> '{key}') FROM events e WHERE e.kind = 'correction' AND e.conversation = m.conversation AND e.message = m.id)",
            store.dialect().json("e.data")
        )
    };
    let corrected = "EXISTS (SELECT 1 FROM events e WHERE e.kind = 'correction' AND e.conversation = m.conversation AND e.message = m.id)";
    let statement = format!(
        "SELECT m.conversation AS conversation, m.turn AS turn, m.id AS id, m.at AS at, m.text AS text, m.intent AS intent, \
         m.intent_score AS score, m.sentiment AS sentiment, {} AS corrected_intent, {} AS corrected_sentiment, \
         CASE WHEN {corrected} THEN 'corrected' WHEN m.status = 'ambiguous' THEN 'ambiguous' WHEN m.status = 'out_of_scope' THEN 'out_of_scope' \
         ELSE 'unsure' END AS why, CASE WHEN {corrected} THEN 0 WHEN m.status = 'ambiguous' THEN 1 WHEN m.status = 'out_of_scope' THEN 2 ELSE 3 \
         END AS place FROM messages m WHERE m.decision IS NOT NULL AND m.text IS NOT NULL AND {} \
         AND ({corrected} OR m.status IN ('ambiguous', 'out_of_scope') OR m.intent_score < {UNSURE}) \
         ORDER BY place, CASE WHEN m.status = 'out_of_scope' THEN -m.intent_score ELSE m.intent_score END, m.at DESC LIMIT {most}",
        said("intent"),
        said("sentiment"),
        within("m")
    );
    let review = |row: &sqlx::any::AnyRow| {
        Ok(Review {
            conversation_id: row.try_get("conversation")?,
            turn: row.try_get("turn")?,
            message_id: row.try_get("id")?,
            at: moment(row.try_get("at")?),
            text: row.try_get("text")?,
            why: row.try_get("why")?,
            intent: row.try_get("intent")?,
            score: row.try_get("score")?,
            sentiment: row.try_get("sentiment")?,
            corrected_intent: row.try_get("corrected_intent")?,
            corrected_sentiment: row.try_get("corrected_sentiment")?,
        })
    };
    range.rows(store, statement).await?.iter().map(review).collect()
}
