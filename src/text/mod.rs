//! What does a message look like to the encoder? An utterance within bounds becomes token ids, each with its place in the text.
//!
//! Offsets are bytes inside the program and are converted once, for what is returned.

mod encoder;
mod frame;
mod offsets;
mod utterance;
mod wordpiece;
mod words;

pub use encoder::{EncodeError, Encoded, TextEncoder, TokenizerError, Word};
pub use offsets::{OffsetError, OffsetUnit, Span};
pub use utterance::{Utterance, UtteranceError};
pub use wordpiece::{Piece, WordPiece};
