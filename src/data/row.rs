//! One line of a data file, as it is written.

use crate::conversation::Role;
use crate::heads::Sentiment;
use serde::{Deserialize, Serialize};

/// A row: a text and any of the labels. A missing field is an unknown label, not a negative one.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Row {
    /// The customer's message.
    pub text: String,
    /// What the customer wants; `oos` and `out_of_scope` train the rejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Every entity of the message, if any are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entities: Option<Vec<RowEntity>>,
    /// A feeling, or a number in [−1, 1].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<RowSentiment>,
    /// Every emotion of the message, if any are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emotions: Option<Vec<String>>,
    /// What was said before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<RowTurn>,
    /// Identifier of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// Place in the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// Who wrote it; rows of others than the customer are skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub speaker: Option<Role>,
    /// Whether a human should take over at this message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate: Option<bool>,
    /// Whether the intent cannot be known without what was said before, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_context: Option<bool>,
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
    /// What the entity is for, where one label has several uses: `departure`, `destination`.
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Which entities belong together.
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What the words stand for, where that is not the words themselves.
    #[serde(default, deserialize_with = "words", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl RowEntity {
    /// An entity without role, group and value.
    #[must_use]
    pub fn new(start: usize, end: usize, label: impl Into<String>) -> Self {
        Self { start, end, label: label.into(), role: None, group: None, value: None }
    }
}

/// A text; of anything else, its JSON.
fn words<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
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

impl RowSentiment {
    /// Reads what other systems write: a name in any case, or a number.
    ///
    /// # Errors
    /// A sentence, when it is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(score) = text.parse::<f32>()
            && (-1.0..=1.0).contains(&score)
        {
            return Ok(Self::Score(score));
        }
        let label = Sentiment::ALL.into_iter().find(|label| label.name().eq_ignore_ascii_case(text));
        label.map(Self::Label).ok_or_else(|| format!("`{text}` is no sentiment; write negative, neutral, positive, or a number in [-1, 1]"))
    }
}

/// A turn before the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowTurn {
    /// Who spoke.
    pub role: Role,
    /// What was said.
    pub text: String,
}
