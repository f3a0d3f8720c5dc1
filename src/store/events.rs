//! What happened in the life of a conversation.

use super::error::StoreError;
use super::open::Store;
use super::rows::EVENTS;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use std::collections::HashMap;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum EventKind {
    /// A person has taken the conversation.
    #[serde(rename = "handover.accepted")]
    HandoverAccepted,
    /// The person is done; the bot has it back.
    #[serde(rename = "handover.resolved")]
    HandoverResolved,
    /// The conversation is over.
    #[serde(rename = "conversation.resolved")]
    ConversationResolved,
    /// How satisfied the customer was.
    #[serde(rename = "csat")]
    Csat,
    /// What a message should have been understood as.
    #[serde(rename = "correction")]
    Correction,
    /// The bot or a person said something.
    #[serde(rename = "reply")]
    Reply,
    /// Something is not as it was.
    #[serde(rename = "anomaly")]
    Anomaly,
}

impl EventKind {
    /// Name on the wire and in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HandoverAccepted => "handover.accepted",
            Self::HandoverResolved => "handover.resolved",
            Self::ConversationResolved => "conversation.resolved",
            Self::Csat => "csat",
            Self::Correction => "correction",
            Self::Reply => "reply",
            Self::Anomaly => "anomaly",
        }
    }
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct EventRow {
    /// Identifier; an event that comes again under the same changes nothing.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What: [`EventKind::name`].
    pub kind: String,
    /// The conversation.
    pub conversation: Option<String>,
    /// The hand-over.
    pub handover: Option<String>,
    /// The message.
    pub message: Option<String>,
    /// A number, such as the satisfaction.
    pub value: Option<f64>,
    /// The rest, as JSON.
    pub data: Option<String>,
}

/// What is known of whether a human was wanted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wish {
    /// The turn before which the caller asked for one.
    pub requested: Option<u64>,
    /// How satisfied the customer was.
    pub csat: Option<f64>,
}

impl Store {
    /// What is known of whether a human was wanted, by conversation.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_wishes(&self) -> Result<HashMap<String, Wish>, StoreError> {
        let mut wishes: HashMap<String, Wish> = HashMap::new();
        let rows = sqlx::query("SELECT conversation, MIN(turn) AS turn FROM handovers WHERE source = 'request' GROUP BY conversation");
        for row in rows.fetch_all(&self.pool).await? {
            wishes.entry(row.try_get("conversation")?).or_default().requested = Some(row.try_get::<i64, _>("turn")?.unsigned_abs());
        }
        let rows = sqlx::query("SELECT conversation, AVG(value) AS csat FROM events WHERE kind = 'csat' GROUP BY conversation");
        for row in rows.fetch_all(&self.pool).await? {
            wishes.entry(row.try_get("conversation")?).or_default().csat = row.try_get("csat")?;
        }
        Ok(wishes)
    }

    /// Records an event. Says whether it is new.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn record(&self, event: &EventRow) -> Result<bool, StoreError> {
        let rows = serde_json::to_string(&[event]).map_err(|error| StoreError::content("event", error))?;
        let statement = self.sql(|dialect| format!("{} ON CONFLICT (id) DO NOTHING", EVENTS.insert(&dialect.each(1))));
        Ok(sqlx::query(statement).bind(rows).execute(&self.pool).await?.rows_affected() > 0)
    }

    /// The events of a conversation, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn events(&self, conversation: &str) -> Result<Vec<EventRow>, StoreError> {
        let statement = self.sql(|_| format!("SELECT {} FROM events WHERE conversation = $1 ORDER BY at, id", EVENTS.names()));
        Ok(sqlx::query_as(statement).bind(conversation.to_owned()).fetch_all(&self.pool).await?)
    }
}
