//! What was said before? Turns of one conversation.

mod context;
mod turn;

pub use context::context;
pub use turn::{Role, Turn};
