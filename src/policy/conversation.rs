//! A conversation goes on by one message: the same step for a server, a back-test and an explanation.

use super::decision::{Action, Decision};
use super::episode::Episode;
use super::facts::{Facts, HISTORY, Past};
use super::verdict::{Policy, severity};
use crate::heads::{Labels, Prediction};
use jiff::Timestamp;

/// A conversation up to now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Course {
    /// Who has it.
    pub episode: Episode,
    /// The customer's messages, oldest first; at least the last [`HISTORY`] of the episode.
    pub past: Vec<Past>,
}

/// The customer's next message.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// Its place in the conversation.
    pub turn: u64,
    /// When it was written.
    pub at: Timestamp,
    /// Its text.
    pub text: &'a str,
    /// What it says, as it is kept.
    pub prediction: &'a Prediction,
    /// What the model can say at all.
    pub labels: &'a Labels,
    /// Where it came in.
    pub channel: Option<&'a str>,
    /// The customer's group.
    pub segment: Option<&'a str>,
    /// BCP 47 tag of the customer's language.
    pub language: Option<&'a str>,
}

impl Policy {
    /// Decides about the next message of a conversation, and says how the conversation stands after it.
    #[must_use]
    pub fn go_on(&self, course: &Course, message: Message<'_>) -> (Decision, Episode) {
        let Message { turn, at, text, prediction, labels, channel, segment, language } = message;
        let mut episode = course.episode.at(at, turn, self.idle());
        let counts = course.past.iter().position(|past| past.turn >= episode.since).unwrap_or(course.past.len());
        let first = counts.max(course.past.len().saturating_sub(HISTORY));
        let past = course.past.get(first..).unwrap_or_default();
        let decision = self.decide(&Facts { text, prediction, labels, at, channel, segment, language, past, episode: &episode });
        if let (Action::HandOver, Some(severity)) = (decision.action, severity(&decision.reasons)) {
            episode.hand_over(at, severity);
        }
        episode.heard(at);
        (decision, episode)
    }
}
