//! A message in the queue, as the plan sees it.

use std::time::Instant;

/// What a message is for, which settles how much of the machine it gets while both kinds wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// A person waits for the answer.
    Interactive,
    /// A program works through many messages.
    Bulk,
}

impl Class {
    /// Share of the tokens while both classes wait, beside the weight of the other.
    #[must_use]
    pub const fn weight(self) -> u64 {
        match self {
            Self::Interactive => 8,
            Self::Bulk => 1,
        }
    }

    /// The other class.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Interactive => Self::Bulk,
            Self::Bulk => Self::Interactive,
        }
    }
}

/// Something of each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PerClass<T> {
    /// That of interactive messages.
    pub interactive: T,
    /// That of bulk messages.
    pub bulk: T,
}

impl<T> PerClass<T> {
    /// That of a class.
    pub fn of(&self, class: Class) -> &T {
        match class {
            Class::Interactive => &self.interactive,
            Class::Bulk => &self.bulk,
        }
    }

    /// That of a class, to be changed.
    pub fn of_mut(&mut self, class: Class) -> &mut T {
        match class {
            Class::Interactive => &mut self.interactive,
            Class::Bulk => &mut self.bulk,
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
