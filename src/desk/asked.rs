//! A message as it was asked about, and as it is answered.

use crate::engine::{Engine, Input, Outcome};
use crate::policy::{Decision, Facts};
use jiff::Timestamp;

/// A message to be classified, of a conversation or of none.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The caller's identifier. In a conversation, the same identifier is the same message.
    pub id: Option<String>,
    /// The conversation.
    pub conversation: Option<String>,
    /// The message. Its context is what the caller knows of what was said before.
    pub input: Input,
    /// When it was written; now, where the caller does not say.
    pub at: Option<Timestamp>,
    /// Where it came in.
    pub channel: Option<String>,
    /// The shop's identifier of the customer.
    pub customer: Option<String>,
    /// The customer's group.
    pub segment: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// Whatever the caller adds, as JSON.
    pub metadata: Option<String>,
}

impl Asked {
    /// What a policy looks at where the message belongs to no conversation.
    #[must_use]
    pub fn facts<'a>(&'a self, outcome: &'a Outcome, engine: &'a Engine) -> Facts<'a> {
        let facts = Facts::lone(&self.input.text, &outcome.prediction, engine.labels());
        Facts {
            at: self.at.unwrap_or(facts.at),
            channel: self.channel.as_deref(),
            segment: self.segment.as_deref(),
            language: self.language.as_deref(),
            ..facts
        }
    }

    /// A message that belongs to no conversation.
    #[must_use]
    pub fn lone(id: Option<String>, input: Input) -> Self {
        Self { id, conversation: None, input, at: None, channel: None, customer: None, segment: None, language: None, metadata: None }
    }
}

/// The answer to a message.
#[derive(Debug, Clone)]
pub struct Answered {
    /// What it says.
    pub outcome: Outcome,
    /// What is done about it.
    pub decision: Decision,
    /// Where it stands, if it belongs to a conversation.
    pub place: Option<Place>,
}

/// The place of a message in its conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The conversation.
    pub conversation: String,
    /// The turn, from 0.
    pub turn: u64,
    /// Whether it was answered before, and is from memory.
    pub repeated: bool,
    /// The hand-over that it began or falls into.
    pub handover: Option<String>,
}
