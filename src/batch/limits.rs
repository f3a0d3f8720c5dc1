//! How much goes through the encoder at once.

/// Most of what one run may be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Rows.
    pub rows: usize,
    /// Tokens in all.
    pub tokens: usize,
}
