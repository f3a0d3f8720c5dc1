//! Utterance and context to token ids, by the model's own tokenizer. What ids mean to the model is not known here.
//!
//! A word is what the tokenizer's pre-tokenizer splits off: letters and digits together, each punctuation mark alone. An entity
//! begins and ends with a word, so an entity never ends inside `A-10293` or takes the full stop behind it along.

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

/// A message as the encoder reads it: `[CLS] message [SEP]`, with context `[CLS] message [SEP] turn [SEP] … turn [SEP]`.
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
    #[error("`tokenizer.json` has no token `{0}`; hearken needs a BERT-style tokenizer")]
    MissingToken(&'static str),
    /// The model's token limit leaves no room for a message.
    #[error("`max_tokens` is {0}; it must be at least 8")]
    TooFewTokens(usize),
}

/// The tokenizer refused a text.
#[derive(Debug, thiserror::Error)]
#[error("the tokenizer failed: {0}")]
pub struct EncodeError(String);

/// A tokenizer with the model's limits.
#[derive(Debug)]
pub struct TextEncoder {
    tokenizer: Tokenizer,
    cls: u32,
    sep: u32,
    max_tokens: usize,
    context_tokens: usize,
}

impl TextEncoder {
    /// Reads `tokenizer.json`. A message gets at most `max_tokens` tokens in all, of which context may fill `context_tokens`.
    ///
    /// # Errors
    /// When the file does not parse or lacks `[CLS]` or `[SEP]`.
    pub fn open(file: &Path, max_tokens: usize, context_tokens: usize) -> Result<Self, TokenizerError> {
        let mut tokenizer = Tokenizer::from_file(file).map_err(|error| TokenizerError::Unreadable(error.to_string()))?;
        // Files in the wild pad to 128 and cut at 128; both are this program's matter. A `[SEP]` typed by a customer is text.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).map_err(|error| TokenizerError::Unreadable(error.to_string()))?;
        tokenizer.set_encode_special_tokens(true);
        if max_tokens < 8 {
            return Err(TokenizerError::TooFewTokens(max_tokens));
        }
        let id = |token| tokenizer.token_to_id(token).ok_or(TokenizerError::MissingToken(token));
        Ok(Self { cls: id("[CLS]")?, sep: id("[SEP]")?, tokenizer, max_tokens, context_tokens })
    }

    /// Number of ids the tokenizer can produce.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.tokenizer.get_vocab_size(true)
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
        let encoding = self.tokens(message)?;
        let room = self.max_tokens - 2;
        let kept = encoding.get_ids().len().min(room);
        let mut ids = Vec::with_capacity(kept + 2);
        ids.push(self.cls);
        ids.extend(encoding.get_ids().iter().take(kept));
        ids.push(self.sep);
        let mut segments = vec![0; ids.len()];
        for turn in self.newest_that_fit(context.into_iter(), self.max_tokens - ids.len())? {
            segments.resize(segments.len() + turn.len() + 1, 1);
            ids.extend(turn);
            ids.push(self.sep);
        }
        Ok(Encoded { ids, segments, words: words(&encoding, kept), truncated: encoding.get_ids().len() > room })
    }

    fn tokens(&self, text: &str) -> Result<tokenizers::Encoding, EncodeError> {
        self.tokenizer.encode(text, false).map_err(|error| EncodeError(error.to_string()))
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
            let ids = self.tokens(turn)?.get_ids().to_vec();
            if ids.len() + 1 > room {
                break;
            }
            room -= ids.len() + 1;
            turns.push(ids);
        }
        turns.reverse();
        Ok(turns)
    }
}

/// Word starts of the first `kept` tokens. A word whose later tokens were cut off keeps its whole span.
fn words(encoding: &tokenizers::Encoding, kept: usize) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut current = None;
    for (token, (word, &(start, end))) in encoding.get_word_ids().iter().zip(encoding.get_offsets()).enumerate() {
        if word.is_none() || *word != current {
            if token >= kept {
                break;
            }
            current = *word;
            words.push(Word { token: token + 1, span: Span { start, end } }); // + 1: [CLS]
        } else if let Some(last) = words.last_mut() {
            last.span.end = end.max(last.span.end);
        }
    }
    words
}
