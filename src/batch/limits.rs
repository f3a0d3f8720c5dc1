//! How much goes through the encoder at once.

/// Most of what one run may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Rows.
    pub rows: usize,
    /// Tokens in all; a single message may have more.
    pub tokens: usize,
}

impl BatchLimits {
    /// The limits of one batch when `waiting` messages are shared among `idle` workers, so that none stays idle.
    #[must_use]
    pub fn shared(self, waiting: usize, idle: usize) -> Self {
        Self { rows: self.rows.min(waiting.div_ceil(idle.max(1))).max(1), ..self }
    }
}
