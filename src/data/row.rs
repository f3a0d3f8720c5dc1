//! One line of a data file, as it is written.

use crate::conversation::Role;
use crate::heads::Sentiment;
use serde::{Deserialize, Serialize};

/// A row: a text and any of the labels. A missing field is an unknown label, not a negative one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The customer's message.
    pub text: String,
    /// What the customer wants; `oos` and `out_of_scope` train the rejection.
    pub intent: Option<String>,
    /// Every entity of the message, if any are known.
    pub entities: Option<Vec<RowEntity>>,
    /// A feeling, or a number in [−1, 1].
    pub sentiment: Option<RowSentiment>,
    /// Every emotion of the message, if any are known.
    pub emotions: Option<Vec<String>>,
    /// What was said before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<RowTurn>,
    /// Identifier of the conversation.
    pub conversation: Option<String>,
    /// Place in the conversation.
    pub turn: Option<u64>,
    /// Who wrote it; rows of others than the customer are skipped.
    pub speaker: Option<Role>,
    /// Whether a human should take over at this message.
    pub escalate: Option<bool>,
    /// Whatever else the row has.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

impl Row {
    /// Whether the customer wrote it; rows of others are not learnt from.
    #[must_use]
    pub fn is_of_customer(&self) -> bool {
        self.speaker.is_none_or(|speaker| speaker == Role::Customer)
    }
}

/// A labelled range in code points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowEntity {
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// The label.
    pub label: String,
}

/// A feeling by name or by number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "write negative, neutral, positive, or a number in [-1, 1]")]
pub enum RowSentiment {
    /// By name.
    Label(Sentiment),
    /// In [−1, 1].
    Score(f32),
}

/// A turn before the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowTurn {
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub text: String,
}
