//! Utterance and context to token ids, by the model's own tokenizer. What ids mean to the model is not known here.
//!
//! A word is letters and digits together, each punctuation mark alone. An entity begins and ends with a word, so an entity never ends
//! inside a name or takes the full stop behind it along.

use super::frame::Frame;
use super::wordpiece::{Piece, WordPiece};
use super::words::{pieces_of, words};
use super::{Span, Utterance};
use std::path::Path;
use tokenizers::Tokenizer;

/// One word of the message: its first token and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// Index of its first token in [`Encoded::ids`].
    pub token: usize,
    /// Bytes in the message.
    pub span: Span,
}

/// A message as the encoder reads it, in BERT's special tokens: `[CLS] message [SEP]`, with context
/// `[CLS] message [SEP] turn [SEP] … turn [SEP]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Segment of each token: 0 the message, 1 the context.
    pub segments: Vec<u32>,
    /// Words of the message, in order.
    pub words: Vec<Word>,
    /// Whether the message itself was cut.
    pub truncated: bool,
}

/// Why a tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// The file does not parse.
    #[error("`tokenizer.json` cannot be read: {0}")]
    Unreadable(String),
    /// A token the encoder needs is not in the vocabulary.
    #[error(
        "`tokenizer.json` has no token `{0}`, and no post_processor that says which tokens stand around a text; `hearken model import` \
         adds one from tokenizer_config.json"
    )]
    MissingToken(&'static str),
    /// The model's token limit leaves no room for a message.
    #[error("`max_tokens` is {0}; it must be at least 8")]
    TooFewTokens(usize),
}

/// The tokenizer refused a text.
#[derive(Debug, thiserror::Error)]
#[error("the tokenizer failed: {0}")]
pub struct EncodeError(String);

/// What cuts a text into tokens.
#[derive(Debug)]
enum Tokens {
    /// BERT's word pieces, by this project's own fast path.
    WordPiece(WordPiece),
    /// Any other tokenizer that `tokenizer.json` describes.
    Crate(Box<Tokenizer>),
}

/// A tokenizer with the model's limits.
#[derive(Debug)]
pub struct TextEncoder {
    tokens: Tokens,
    vocabulary_size: usize,
    frame: Frame,
    mask: Option<u32>,
    max_tokens: usize,
    context_tokens: usize,
}

impl TextEncoder {
    /// Reads `tokenizer.json`. A message gets at most `max_tokens` tokens in all, of which context may fill `context_tokens`.
    ///
    /// # Errors
    /// When the file does not parse or says nothing of the special tokens around a text.
    pub fn open(file: &Path, max_tokens: usize, context_tokens: usize) -> Result<Self, TokenizerError> {
        let mut tokenizer = Tokenizer::from_file(file).map_err(|error| TokenizerError::Unreadable(error.to_string()))?;
        // Files in the wild pad to 128 and cut at 128; both are this program's matter. A `[SEP]` typed by a customer is text.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| TokenizerError::Unreadable(error.to_string()))?;
        tokenizer.set_encode_special_tokens(true);
        if max_tokens < 8 {
            return Err(TokenizerError::TooFewTokens(max_tokens));
        }
        let (frame, vocabulary_size) = (Frame::of(&tokenizer)?, tokenizer.get_vocab_size(true));
        let mask = ["[MASK]", "<mask>", "[UNK]", "<unk>"].into_iter().find_map(|token| tokenizer.token_to_id(token));
        let tokens = WordPiece::of(&tokenizer).map_or_else(|| Tokens::Crate(Box::new(tokenizer)), Tokens::WordPiece);
        Ok(Self { tokens, vocabulary_size, frame, mask, max_tokens, context_tokens })
    }

    /// Number of ids the tokenizer can produce.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.vocabulary_size
    }

    /// The id that stands for a hidden word: the mask, or the unknown token where there is none.
    #[must_use]
    pub fn mask(&self) -> Option<u32> {
        self.mask
    }

    /// Most tokens of one input.
    #[must_use]
    pub fn max_tokens(&self) -> usize {
        self.max_tokens
    }

    /// Most tokens of context.
    #[must_use]
    pub fn context_tokens(&self) -> usize {
        self.context_tokens
    }

    /// Encodes a message and the turns before it, oldest first. The newest turns are kept whole while they fit.
    ///
    /// # Errors
    /// When the tokenizer fails on the text.
    pub fn encode<'a, C>(&self, message: &Utterance, context: C) -> Result<Encoded, EncodeError>
    where
        C: IntoIterator<Item = &'a Utterance, IntoIter: DoubleEndedIterator>,
    {
        let pieces = self.pieces(message)?;
        let Frame { before, after, between, turn: end_of_turn } = &self.frame;
        let room = self.max_tokens.saturating_sub(self.frame.width());
        let kept = pieces.len().min(room);
        let mut ids = Vec::with_capacity(kept + self.frame.width());
        ids.extend(before);
        ids.extend(pieces.iter().take(kept).map(|piece| piece.id));
        let turns = self.newest_that_fit(context.into_iter(), self.max_tokens.saturating_sub(ids.len() + between.len()))?;
        ids.extend(if turns.is_empty() { after } else { between });
        let mut segments = vec![0; ids.len()];
        for turn in turns {
            ids.extend(turn);
            ids.extend(end_of_turn);
        }
        segments.resize(ids.len(), 1);
        Ok(Encoded { ids, segments, words: words(&pieces, kept, before.len()), truncated: pieces.len() > room })
    }

    fn pieces(&self, text: &str) -> Result<Vec<Piece>, EncodeError> {
        const BYTES_OF_A_PIECE: usize = 3; // few pieces are shorter, so the buffer rarely grows
        let failed = |error: tokenizers::Error| EncodeError(error.to_string());
        match &self.tokens {
            Tokens::WordPiece(tokens) => {
                let mut pieces = Vec::with_capacity(text.len() / BYTES_OF_A_PIECE + 1);
                tokens.encode(text, &mut pieces).map_err(failed)?;
                Ok(pieces)
            }
            Tokens::Crate(tokenizer) => Ok(pieces_of(text, &tokenizer.encode(text, false).map_err(failed)?)),
        }
    }

    fn newest_that_fit<'a>(
        &self,
        context: impl DoubleEndedIterator<Item = &'a Utterance>,
        room: usize,
    ) -> Result<Vec<Vec<u32>>, EncodeError> {
        let mut room = room.min(self.context_tokens);
        let mut turns = Vec::new();
        for turn in context.rev() {
            if room == 0 {
                break;
            }
            let ids: Vec<u32> = self.pieces(turn)?.iter().map(|piece| piece.id).collect();
            let length = ids.len() + self.frame.turn.len();
            if length > room {
                break;
            }
            room -= length;
            turns.push(ids);
        }
        turns.reverse();
        Ok(turns)
    }
}
