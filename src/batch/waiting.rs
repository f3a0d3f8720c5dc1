//! A message in the queue, as the plan sees it.

use serde::{Deserialize, Serialize};
use std::time::Instant;

/// What a message is for, which settles how much of the machine it gets while both kinds wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// A person waits for the answer.
    Interactive,
    /// A program works through many messages.
    Bulk,
}

impl Class {
    /// Both classes.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Bulk];

    /// Share of the tokens while both classes wait, in parts of [`Class::PARTS`].
    #[must_use]
    pub const fn weight(self) -> u64 {
        match self {
            Self::Interactive => 8,
            Self::Bulk => 1,
        }
    }

    /// What the weights add up to.
    pub const PARTS: u64 = Self::Interactive.weight() + Self::Bulk.weight();

    /// The other class.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Interactive => Self::Bulk,
            Self::Bulk => Self::Interactive,
        }
    }

    /// Name on the wire and in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Bulk => "bulk",
        }
    }
}

/// A message that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Tokens of the message.
    pub tokens: usize,
    /// Its place among all that wait, from [`Turns::stamp`](super::Turns::stamp): less is earlier.
    pub turn: u64,
    /// When its answer is worth nothing any more.
    pub deadline: Option<Instant>,
}
