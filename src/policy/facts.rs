//! What a rule may look at: the message, what was before it, and when. Time is a fact.

use super::episode::Episode;
use crate::heads::{Labels, Prediction};
use jiff::Timestamp;

/// Most messages of a customer that a decision looks back on.
pub const HISTORY: usize = 24;

/// An earlier message of the customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// Its place in the conversation, from 0, turns of others counted too.
    pub turn: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it said.
    pub prediction: Prediction,
}

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The message.
    pub text: &'a str,
    /// What the message says.
    pub prediction: &'a Prediction,
    /// What the model can say at all.
    pub labels: &'a Labels,
    /// When the message was written.
    pub at: Timestamp,
    /// Where it came in.
    pub channel: Option<&'a str>,
    /// The customer's group.
    pub segment: Option<&'a str>,
    /// BCP 47 tag of the customer's language.
    pub language: Option<&'a str>,
    /// The customer's messages before it that count, oldest first.
    pub past: &'a [Past],
    /// Who has the conversation.
    pub episode: &'a Episode,
}

impl<'a> Facts<'a> {
    /// Facts about a message that belongs to no conversation.
    #[must_use]
    pub fn lone(text: &'a str, prediction: &'a Prediction, labels: &'a Labels) -> Self {
        let at = Timestamp::now();
        Self { text, prediction, labels, at, channel: None, segment: None, language: None, past: &[], episode: &Episode::NEW }
    }

    /// The predictions of the last `turns` messages of the customer, this one among them, latest first.
    pub fn latest(&self, turns: usize) -> impl Iterator<Item = &'a Prediction> + use<'a> {
        std::iter::once(self.prediction).chain(self.past.iter().rev().map(|past| &past.prediction)).take(turns)
    }
}
