//! What the encoder is given of what was said before.

use super::Turn;
use jiff::{SignedDuration, Timestamp};

/// Turns before a message that the encoder is given at most; how many of them it reads is a matter of its token budget.
pub const CONTEXT_TURNS: usize = 10;

/// The last turns before a message at `at`, without those from before a silence of more than `idle`.
pub fn context<'a, T>(
    before: &'a [T],
    at: Timestamp,
    idle: SignedDuration,
    turn: impl Fn(&'a T) -> Option<(Timestamp, Turn)>,
) -> Vec<Turn> {
    let first = before.len().saturating_sub(CONTEXT_TURNS);
    let recent = before.get(first..).unwrap_or_default().iter().filter_map(turn);
    recent.filter(|(then, _)| at.duration_since(*then) <= idle).map(|(_, turn)| turn).collect()
}
