//! Why a message of a conversation has no answer.

use crate::engine::EngineError;
use crate::store::StoreError;

/// Why a message has no answer.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The engine refused or failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A message is longer than the model reads, and whole messages were asked for.
    #[error("input {input} is longer than the model reads ({tokens} tokens), and options.truncate is false")]
    Truncated {
        /// Its place among the messages of the request.
        input: usize,
        /// Its tokens.
        tokens: usize,
    },
    /// An identifier came again with another text.
    #[error("the message id of input {input} was used for another text in this conversation; give each message an id of its own")]
    IdReused {
        /// Its place among the messages of the request.
        input: usize,
    },
    /// There is no such conversation.
    #[error("there is no conversation `{0}`; a message with this conversation_id begins it")]
    NoConversation(String),
    /// The conversation has no hand-over to end.
    #[error("the conversation is not with a person; there is nothing to hand back")]
    NotHandedOver,
}
