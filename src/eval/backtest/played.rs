//! A policy plays a conversation through, message by message, as a server does.

use super::recorded::{Recorded, RecordedMessage};
use crate::policy::{Action, Course, Decision, Episode, Message, Past, Policy};

/// A conversation, played through.
#[derive(Debug, Clone, PartialEq)]
pub struct Played {
    /// What was decided about each message.
    pub decisions: Vec<Decision>,
    /// The message, counted from 0, at which a human took over first.
    pub handed_over: Option<usize>,
}

/// Plays a conversation through. Nobody hands it back: after a hand-over the rest is with a human.
#[must_use]
pub fn play(policy: &Policy, recorded: &Recorded) -> Played {
    let mut course = Course { episode: Episode::NEW, past: Vec::new() };
    let mut decisions = Vec::with_capacity(recorded.messages.len());
    for message in &recorded.messages {
        let RecordedMessage { turn, at, text, channel, segment, language, prediction } = message;
        let next = Message {
            turn: *turn,
            at: *at,
            text,
            prediction,
            labels: &recorded.labels,
            channel: channel.as_deref(),
            segment: segment.as_deref(),
            language: language.as_deref(),
        };
        let (decision, episode) = policy.go_on(&course, next);
        course.past.push(Past { turn: *turn, at: *at, prediction: prediction.clone() });
        course.episode = episode;
        decisions.push(decision);
    }
    let handed_over = decisions.iter().position(|decision| decision.action == Action::HandOver);
    Played { decisions, handed_over }
}
