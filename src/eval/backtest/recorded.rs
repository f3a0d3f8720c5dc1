//! A conversation that was recorded, with what the model says of each message.

use crate::heads::{Labels, Prediction};
use jiff::Timestamp;

/// A conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its identifier.
    pub id: String,
    /// The customer's messages, in order.
    pub messages: Vec<RecordedMessage>,
    /// Whether a human should have taken over, and from where, if it is known.
    pub wanted: Option<Wanted>,
    /// What the model can say at all.
    pub labels: Labels,
}

/// Whether a human should have taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// From this message of the customer, counted from 0.
    From(usize),
    /// Not at all.
    No,
}

/// A message of the customer.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedMessage {
    /// Its place in the conversation, turns of others counted.
    pub turn: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Its text.
    pub text: String,
    /// Where it came in.
    pub channel: Option<String>,
    /// The customer's group.
    pub segment: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// What it says, as it is kept.
    pub prediction: Prediction,
}
