//! What was said before? Turns of one conversation.

mod turn;

pub use turn::{Role, Turn};

/// Turns before a message that the encoder is given; how many of them it reads is a matter of its token budget.
pub const CONTEXT_TURNS: usize = 10;
