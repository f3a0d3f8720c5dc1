//! What do customers want?

use super::range::{Range, count_if, share, within};
use crate::store::{Store, StoreError};
use serde::Serialize;
use sqlx::Row as _;

/// The figures of an intent.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct IntentFigures {
    /// The intent; none where the message was out of scope.
    pub intent: Option<String>,
    /// Messages.
    pub messages: i64,
    /// Share of all messages.
    pub share: Option<f64>,
    /// Mean probability.
    pub score: Option<f64>,
    /// Mean sentiment.
    pub sentiment: Option<f64>,
    /// Share of negative messages.
    pub negative_rate: Option<f64>,
    /// Share of messages that may mean something else as well.
    pub ambiguous_rate: Option<f64>,
    /// Share of messages with reasons for a human.
    pub escalation_rate: Option<f64>,
}

/// The intents of a range, the most frequent first.
///
/// # Errors
/// When the database fails.
pub async fn intents(store: &Store, range: &Range) -> Result<Vec<IntentFigures>, StoreError> {
    let statement = format!(
        "SELECT CASE WHEN m.status = 'out_of_scope' THEN NULL ELSE m.intent END AS name, COUNT(*) AS messages, AVG(m.intent_score) AS score, \
         AVG(m.sentiment_score) AS sentiment, {} AS negative, {} AS ambiguous, {} AS escalated FROM messages m \
         WHERE m.decision IS NOT NULL AND {} GROUP BY 1 ORDER BY 2 DESC, 1",
        count_if("m.sentiment = 'negative'"),
        count_if("m.status = 'ambiguous'"),
        count_if("m.escalated = 1"),
        within("m")
    );
    let rows = range.rows(store, statement).await?;
    let all: i64 = rows.iter().map(|row| row.try_get::<i64, _>("messages")).sum::<Result<_, _>>()?;
    let figures = |row: &sqlx::any::AnyRow| {
        let messages = row.try_get("messages")?;
        Ok(IntentFigures {
            intent: row.try_get("name")?,
            messages,
            share: share(messages, all),
            score: row.try_get("score")?,
            sentiment: row.try_get("sentiment")?,
            negative_rate: share(row.try_get("negative")?, messages),
            ambiguous_rate: share(row.try_get("ambiguous")?, messages),
            escalation_rate: share(row.try_get("escalated")?, messages),
        })
    };
    rows.iter().map(figures).collect()
}
