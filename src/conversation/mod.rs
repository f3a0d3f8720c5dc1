//! What was said before? Turns of one conversation.

mod turn;

pub use turn::{Role, Turn};
