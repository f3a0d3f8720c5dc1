//! Tokens to words: which tokens are one word, and where it lies.
//!
//! A word is letters and digits together; each other sign begins a word of its own, whether the tokenizer splits there (BERT's does) or
//! takes everything between two spaces (unigrams do). The space that some tokenizers carry at a token's front is no part of a word.

use super::encoder::Word;
use super::{Piece, Span};
use unicode_normalization::char::is_combining_mark;

/// The crate's tokens as pieces.
pub fn pieces_of(text: &str, encoding: &tokenizers::Encoding) -> Vec<Piece> {
    let tokens = encoding.get_ids().iter().zip(encoding.get_offsets()).zip(encoding.get_word_ids());
    let mut pieces: Vec<Piece> = Vec::with_capacity(encoding.len());
    let mut last = None;
    let mut end = 0; // of everything so far
    for ((&id, &(from, to)), &of) in tokens {
        let span = with_marks(text, without_spaces(text, Span { start: from, end: to }));
        let word = match pieces.last() {
            None => 0,
            // A part of a character, one of several tokens for what was one, or a mark on the letter before.
            Some(before) if span.start < end || span.start == end && marked(text, span) => before.word,
            Some(before) if of.is_some() && of == last && !parts(text, before.span, span) => before.word,
            Some(before) => before.word + 1,
        };
        last = of;
        end = end.max(span.end);
        pieces.push(Piece { id, span, word });
    }
    pieces
}

/// `span` without the white space at its ends; empty at its end when there is nothing else.
fn without_spaces(text: &str, span: Span) -> Span {
    let slice = span.slice(text);
    let end = span.start + slice.trim_end().len();
    let start = span.end - slice.trim_start().len();
    if start < end { Span { start, end } } else { Span { start: span.end, end: span.end } }
}

/// `span` with the combining marks behind its last letter, which a normalizer may have joined with it.
fn with_marks(text: &str, span: Span) -> Span {
    let behind = text.get(span.end..).unwrap_or_default();
    let marks: usize = behind.chars().take_while(|c| is_combining_mark(*c)).map(char::len_utf8).sum();
    if span.is_empty() { span } else { Span { end: span.end + marks, ..span } }
}

/// Whether a token begins with a combining mark.
fn marked(text: &str, span: Span) -> bool {
    span.slice(text).chars().next().is_some_and(is_combining_mark)
}

/// Whether a word ends between two tokens that the tokenizer takes for one.
fn parts(text: &str, before: Span, after: Span) -> bool {
    let gap = text.get(before.end..after.start).unwrap_or_default();
    let spaced = gap.chars().any(char::is_whitespace);
    let (Some(last), Some(first)) = (before.slice(text).chars().next_back(), after.slice(text).chars().next()) else {
        return spaced;
    };
    let letter = |c: char| c.is_alphanumeric() || is_combining_mark(c);
    spaced || !(letter(last) && letter(first))
}

/// Words of the first `kept` pieces, whose tokens begin at `first`. A word whose later tokens were cut off keeps its whole span.
pub fn words(pieces: &[Piece], kept: usize, first: usize) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::with_capacity(kept);
    let mut current = None;
    for (index, piece) in pieces.iter().enumerate() {
        let token = first + index;
        if current != Some(piece.word) {
            if index >= kept {
                break;
            }
            current = Some(piece.word);
            words.push(Word { token, span: piece.span });
        } else if let Some(last) = words.last_mut() {
            if !last.span.is_empty() {
                last.span.end = piece.span.end.max(last.span.end);
            } else if index < kept {
                *last = Word { token, span: piece.span }; // so far there was only a space
            }
        }
    }
    words.retain(|word| !word.span.is_empty());
    words
}
