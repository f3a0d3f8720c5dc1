//! Rows as the tables have them. They travel to the database as JSON, a whole group in one argument; the tables of columns below make
//! the statements.

use jiff::Timestamp;
use serde::Serialize;

/// The type of a column.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Int,
    /// A number.
    Real,
}

use Kind::{Int, Real, Text};

/// A table and its columns.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Kind)],
}

impl Table {
    /// The names of the columns, separated by commas.
    pub fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// A statement that inserts every element of the JSON array in the first argument.
    pub fn insert(&self, each: &str) -> String {
        let value = |(name, kind): &(&str, Kind)| {
            let kind = match kind {
                Text => "TEXT",
                Int => "BIGINT",
                Real => "DOUBLE PRECISION",
            };
            format!("CAST(element.value ->> '{name}' AS {kind})")
        };
        let values = self.columns.iter().map(value).collect::<Vec<_>>().join(", ");
        // `WHERE true` keeps SQLite from reading ON CONFLICT as a join's condition.
        format!("INSERT INTO {} ({}) SELECT {values} FROM {each} WHERE true", self.name, self.names())
    }
}

/// Columns of `conversations`.
pub const CONVERSATIONS: Table = Table {
    name: "conversations",
    columns: &[
        ("id", Text),
        ("version", Int),
        ("created", Int),
        ("updated", Int),
        ("turns", Int),
        ("channel", Text),
        ("segment", Text),
        ("customer", Text),
        ("metadata", Text),
        ("episode", Text),
        ("handover", Text),
        ("resolved", Int),
    ],
};

/// Columns of `messages`.
pub const MESSAGES: Table = Table {
    name: "messages",
    columns: &[
        ("conversation", Text),
        ("turn", Int),
        ("id", Text),
        ("role", Text),
        ("at", Int),
        ("text", Text),
        ("digest", Text),
        ("channel", Text),
        ("segment", Text),
        ("language", Text),
        ("status", Text),
        ("intent", Text),
        ("intent_score", Real),
        ("sentiment", Text),
        ("sentiment_score", Real),
        ("prediction", Text),
        ("entities", Text),
        ("tokens", Int),
        ("truncated", Int),
        ("decision", Text),
        ("escalated", Int),
        ("episode", Text),
        ("handover", Text),
        ("policy", Text),
        ("labels", Text),
        ("model", Text),
    ],
};

/// Columns of `handovers`.
pub const HANDOVERS: Table = Table {
    name: "handovers",
    columns: &[
        ("id", Text),
        ("conversation", Text),
        ("turn", Int),
        ("at", Int),
        ("began", Int),
        ("source", Text),
        ("priority", Text),
        ("channel", Text),
        ("segment", Text),
        ("rules", Text),
        ("payload", Text),
        ("state", Text),
        ("accepted", Int),
        ("resolved", Int),
    ],
};

/// Columns of `deliveries`.
pub const DELIVERIES: Table = Table {
    name: "deliveries",
    columns: &[
        ("handover", Text),
        ("target", Text),
        ("state", Text),
        ("attempts", Int),
        ("due", Int),
        ("lease", Int),
        ("status", Int),
        ("error", Text),
        ("finished", Int),
    ],
};

/// Columns of `events`.
pub const EVENTS: Table = Table {
    name: "events",
    columns: &[
        ("id", Text),
        ("at", Int),
        ("kind", Text),
        ("conversation", Text),
        ("handover", Text),
        ("message", Text),
        ("value", Real),
        ("data", Text),
    ],
};

/// Columns of `documents`.
pub const DOCUMENTS: Table = Table { name: "documents", columns: &[("hash", Text), ("kind", Text), ("content", Text), ("at", Int)] };

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct ConversationRow {
    /// Identifier.
    pub id: String,
    /// Changes made so far.
    pub version: i64,
    /// When it began, in milliseconds since 1970, as all times here.
    pub created: i64,
    /// When it was last changed.
    pub updated: i64,
    /// Turns so far, of everybody.
    pub turns: i64,
    /// Where the last message came in.
    pub channel: Option<String>,
    /// The customer's group.
    pub segment: Option<String>,
    /// The shop's identifier of the customer.
    pub customer: Option<String>,
    /// Whatever the caller added last, as JSON.
    pub metadata: Option<String>,
    /// The policy's [`Episode`](crate::policy::Episode), as JSON.
    pub episode: String,
    /// The hand-over that is open.
    pub handover: Option<String>,
    /// When the conversation was resolved.
    pub resolved: Option<i64>,
}

/// A turn.
#[derive(Debug, Clone, PartialEq, Default, Serialize, sqlx::FromRow)]
pub struct MessageRow {
    /// The conversation.
    pub conversation: String,
    /// Its place, from 0.
    pub turn: i64,
    /// The caller's identifier.
    pub id: Option<String>,
    /// Who spoke.
    pub role: String,
    /// When.
    pub at: i64,
    /// What was said; none once it has expired.
    pub text: Option<String>,
    /// A digest of the text as it came, by which a repeated message is known.
    pub digest: Option<String>,
    /// Where it came in.
    pub channel: Option<String>,
    /// The customer's group.
    pub segment: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Whether the message was understood.
    pub status: Option<String>,
    /// The best intent.
    pub intent: Option<String>,
    /// Its probability.
    pub intent_score: Option<f64>,
    /// The most probable feeling.
    pub sentiment: Option<String>,
    /// p(positive) − p(negative).
    pub sentiment_score: Option<f64>,
    /// The [`Prediction`](crate::heads::Prediction) without its entities, as JSON.
    pub prediction: Option<String>,
    /// The entities, as JSON.
    pub entities: Option<String>,
    /// Tokens the encoder read.
    pub tokens: Option<i64>,
    /// Whether the message was longer than the model reads.
    pub truncated: Option<i64>,
    /// The [`Decision`](crate::policy::Decision), as JSON.
    pub decision: Option<String>,
    /// Whether reasons for a human were found.
    pub escalated: i64,
    /// The episode before the message, as JSON.
    pub episode: Option<String>,
    /// The hand-over that the message began or fell into.
    pub handover: Option<String>,
    /// Hash of the policy.
    pub policy: Option<String>,
    /// Hash of the model's labels.
    pub labels: Option<String>,
    /// `name@version` of the model.
    pub model: Option<String>,
}

/// A time as the tables have it.
#[must_use]
pub fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
