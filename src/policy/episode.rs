//! Who has a conversation, the bot or a person, and since when. An episode runs from the beginning, or from the last hand-back, to a
//! hand-over; there is one hand-over in each.

use super::decision::Priority;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A conversation as the policy remembers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// First turn that counts.
    pub since: u64,
    /// When something was last said or done.
    pub last: Option<Timestamp>,
    /// The hand-over, while a person has the conversation.
    pub open: Option<Open>,
    /// The end of the last one.
    pub ended: Option<Ended>,
}

/// A hand-over that has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// When it began.
    pub at: Timestamp,
    /// How pressing its reasons were in themselves.
    pub severity: Priority,
}

/// A hand-over that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When the bot got the conversation back.
    pub at: Timestamp,
    /// How pressing its reasons were in themselves.
    pub severity: Priority,
}

impl Default for Episode {
    fn default() -> Self {
        Self::NEW
    }
}

impl Episode {
    /// Nothing was said yet.
    pub const NEW: Self = Self { since: 0, last: None, open: None, ended: None };

    /// The episode that a message at `at` falls in; `turn` is the message's place. After a silence of more than `idle` everything
    /// before is forgotten.
    #[must_use]
    pub fn at(self, at: Timestamp, turn: u64, idle: SignedDuration) -> Self {
        match self.last {
            Some(last) if at.duration_since(last) > idle => Self { since: turn, last: Some(last), open: None, ended: None },
            _ => self,
        }
    }

    /// A person gets the conversation.
    pub fn hand_over(&mut self, at: Timestamp, severity: Priority) {
        self.open = Some(Open { at, severity });
    }

    /// Something was said or done.
    pub fn heard(&mut self, at: Timestamp) {
        self.last = self.last.max(Some(at));
    }

    /// The bot gets the conversation back; what was before `turn` counts no more.
    pub fn hand_back(&mut self, at: Timestamp, turn: u64) {
        if let Some(open) = self.open.take() {
            self.ended = Some(Ended { at, severity: open.severity });
            self.since = turn;
            self.heard(at);
        }
    }
}
