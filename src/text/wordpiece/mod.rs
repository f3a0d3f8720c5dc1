//! BERT's word pieces, read off the text where it lies: the same ids, places and word numbers as the `tokenizers` crate gives.
//!
//! Text is cut at spaces, tabs and line ends, where every BERT tokenizer cuts. A chunk made of characters that the normalizer leaves
//! alone but for ASCII case is split and looked up in place; any other chunk (accents, rarer emoji, control characters, Chinese)
//! is normalized and split by the crate. Which characters are which is asked of the crate when a tokenizer is read.
//! `[CLS]`, `[SEP]`, truncation and padding are not known here.

mod vocabulary;

use super::Span;
use tokenizers::models::ModelWrapper;
use tokenizers::normalizers::{BertNormalizer, NormalizerWrapper};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::PostProcessorWrapper;
use tokenizers::{Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, Token, Tokenizer};
use vocabulary::{State, Vocabulary};

/// Where every BERT tokenizer cuts, whatever its normalizer's settings. Normalizing looks at most at the marks behind a letter, so it
/// never looks across one of these.
const SEPARATORS: [char; 4] = [' ', '\t', '\n', '\r'];

/// Characters beyond ASCII worth a look-up of their own: typographic punctuation, currencies and signs. None combines with another.
const COMMON: &str = "‘’‚‛“”„‟–—‐‑…•·«»‹›¡¿£€¥¢₹©®™°±×÷§½¼¾²³µ😀😁😂😅😊😍😎😡😢😤😩😭🎉👍👎💔🔥🙁🙂🙄🙏🤔🤣🤷🥰✅✨";

/// A token of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Id in the vocabulary.
    pub id: u32,
    /// Bytes in the text.
    pub span: Span,
    /// Number of the word it is part of, counted from 0. A punctuation mark is a word.
    pub word: u32,
}

/// A BERT tokenizer: vocabulary and settings. Only a chunk that the crate must normalize allocates anything
/// but the pieces' own room.
#[derive(Debug)]
pub struct WordPiece {
    vocabulary: Vocabulary,
    /// From where the second and later pieces of a word are looked up; nothing when no token continues a word.
    continuation: Option<State>,
    unknown: u32,
    /// A word of more characters is one unknown piece.
    max_word_characters: usize,
    normalizer: BertNormalizer,
    /// Classes of the ASCII characters.
    ascii: [Class; 128],
    /// Classes of the characters in [`COMMON`], in order of character.
    common: Vec<(char, Class)>,
}

/// What a character does to the chunk that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Part of a word, as it is or with its ASCII case folded.
    Letter,
    /// A word of its own, as it is.
    Punctuation,
    /// Changed, dropped or cut at: the chunk is the crate's matter.
    Foreign,
}

impl WordPiece {
    /// The tokenizer's equal: [`WordPiece::encode`] gives what `tokenizer.encode(text, false)` gives. Nothing when the tokenizer is
    /// anything but BERT's normalizer, pre-tokenizer and `WordPiece`, truncates, pads, or looks for added tokens in the text; special
    /// tokens that it encodes as text ([`tokenizers::TokenizerImpl::set_encode_special_tokens`]) are not looked for.
    #[must_use]
    pub fn of(tokenizer: &Tokenizer) -> Option<Self> {
        let (
            Some(&NormalizerWrapper::BertNormalizer(normalizer)),
            Some(PreTokenizerWrapper::BertPreTokenizer(_)),
            ModelWrapper::WordPiece(model),
        ) = (tokenizer.get_normalizer(), tokenizer.get_pre_tokenizer(), tokenizer.get_model())
        else {
            return None;
        };
        let plain = tokenizer.get_truncation().is_none() && tokenizer.get_padding().is_none();
        if !plain || looks_for_added_tokens(tokenizer) || !keeps_pieces(tokenizer.get_post_processor()) {
            return None;
        }
        let vocabulary = Vocabulary::new(&model.get_vocab());
        let mut ascii = [Class::Foreign; 128];
        for (class, character) in ascii.iter_mut().zip('\0'..) {
            *class = Class::of(character, normalizer)?;
        }
        let mut common = COMMON.chars().map(|c| Some((c, Class::of(c, normalizer)?))).collect::<Option<Vec<_>>>()?;
        common.sort_unstable_by_key(|&(c, _)| c);
        Some(Self {
            continuation: vocabulary.after(Vocabulary::START, model.continuing_subword_prefix.as_bytes()),
            vocabulary,
            unknown: model.token_to_id(&model.unk_token)?,
            max_word_characters: model.max_input_chars_per_word,
            normalizer,
            ascii,
            common,
        })
    }

    /// The text's pieces in order, in place of what `pieces` held.
    ///
    /// # Errors
    /// When the crate fails on a chunk.
    pub fn encode(&self, text: &str, pieces: &mut Vec<Piece>) -> tokenizers::Result<()> {
        pieces.clear();
        let mut start = 0;
        for chunk in text.split(SEPARATORS) {
            let span = Span { start, end: start + chunk.len() };
            if !self.plain(text, span, pieces) {
                self.foreign(chunk, start, pieces)?;
            }
            start = span.end + 1; // + 1: a separator is one byte
        }
        Ok(())
    }

    /// Adds the pieces of a chunk without foreign characters. Any other chunk adds nothing and gives false.
    fn plain(&self, text: &str, chunk: Span, pieces: &mut Vec<Piece>) -> bool {
        let before = pieces.len();
        let mut word = chunk.start;
        for (at, c) in chunk.slice(text).char_indices() {
            let mark = Span { start: chunk.start + at, end: chunk.start + at + c.len_utf8() };
            match self.class(c) {
                Class::Letter => {}
                Class::Punctuation => {
                    self.word(text, Span { start: word, end: mark.start }, pieces);
                    self.word(text, mark, pieces);
                    word = mark.end;
                }
                Class::Foreign => {
                    pieces.truncate(before);
                    return false;
                }
            }
        }
        self.word(text, Span { start: word, end: chunk.end }, pieces);
        true
    }

    /// Adds the pieces of a chunk that begins at byte `start` of the text, as the crate normalizes and splits it.
    fn foreign(&self, chunk: &str, start: usize, pieces: &mut Vec<Piece>) -> tokenizers::Result<()> {
        let mut split = pre_tokenized(chunk, self.normalizer)?;
        split.tokenize(|word| {
            let text = word.get();
            let mut found = Vec::new();
            self.word(text, Span { start: 0, end: text.len() }, &mut found);
            Ok(found.iter().map(|piece| Token::new(piece.id, String::new(), (piece.span.start, piece.span.end))).collect())
        })?;
        let encoding = split.into_encoding(None, 0, OffsetType::Byte)?;
        let first = next_word(pieces);
        let places = encoding.get_offsets().iter().zip(encoding.get_word_ids());
        pieces.extend(encoding.get_ids().iter().zip(places).map(|(&id, (offsets, word))| {
            let span = Span { start: start + offsets.0, end: start + offsets.1 };
            Piece { id, span, word: first + word.unwrap_or_default() }
        }));
        Ok(())
    }

    /// Adds the pieces of a word, longest match first, or one unknown piece when they do not cover it. Nothing is a word of no pieces.
    fn word(&self, text: &str, span: Span, pieces: &mut Vec<Piece>) {
        let (before, word) = (pieces.len(), next_word(pieces));
        let characters = span.slice(text);
        let fits = span.len() <= self.max_word_characters || characters.chars().count() <= self.max_word_characters;
        let mut rest = characters.as_bytes();
        let mut from = Some(Vocabulary::START).filter(|_| fits);
        let mut start = span.start;
        while !rest.is_empty() {
            let folded = rest.iter().map(|byte| if self.normalizer.lowercase { byte.to_ascii_lowercase() } else { *byte });
            let Some((length, id)) = from.and_then(|from| self.vocabulary.longest(from, folded)) else {
                pieces.truncate(before);
                pieces.push(Piece { id: self.unknown, span, word });
                return;
            };
            pieces.push(Piece { id, span: Span { start, end: start + length }, word });
            start += length;
            rest = rest.get(length..).unwrap_or_default();
            from = self.continuation;
        }
    }

    #[inline]
    fn class(&self, character: char) -> Class {
        self.ascii.get(character as usize).copied().unwrap_or_else(|| {
            let found = self.common.binary_search_by_key(&character, |&(c, _)| c);
            found.ok().and_then(|at| self.common.get(at)).map_or(Class::Foreign, |&(_, class)| class)
        })
    }
}

impl Class {
    /// What the crate makes of the character between two letters. Nothing when the crate fails.
    fn of(character: char, normalizer: BertNormalizer) -> Option<Self> {
        let text = format!("a{character}a");
        let folded = if normalizer.lowercase { text.to_ascii_lowercase() } else { text.clone() };
        let split = pre_tokenized(&text, normalizer).ok()?;
        let words: Vec<&str> = split.get_splits(OffsetReferential::Original, OffsetType::Byte).iter().map(|word| word.0).collect();
        let alone = [1, folded.len() - 2, 1];
        Some(match words.as_slice() {
            [word] if *word == folded => Self::Letter,
            [..] if words.concat() == folded && words.iter().map(|word| word.len()).eq(alone) => Self::Punctuation,
            _ => Self::Foreign,
        })
    }
}

/// The words of a text without added tokens, as the crate normalizes and splits them.
fn pre_tokenized(text: &str, normalizer: BertNormalizer) -> tokenizers::Result<PreTokenizedString> {
    let mut whole = NormalizedString::from(text);
    normalizer.normalize(&mut whole)?;
    let mut split = PreTokenizedString::from(whole);
    BertPreTokenizer.pre_tokenize(&mut split)?;
    Ok(split)
}

fn next_word(pieces: &[Piece]) -> u32 {
    pieces.last().map_or(0, |piece| piece.word + 1)
}

fn looks_for_added_tokens(tokenizer: &Tokenizer) -> bool {
    let added = tokenizer.get_added_vocabulary();
    let as_text = |token| tokenizer.get_encode_special_tokens() && added.is_special_token(token);
    !added.get_added_tokens_decoder().values().all(|token| as_text(&token.content))
}

/// Whether a text's pieces come through as they are when no special tokens are asked for.
fn keeps_pieces(processor: Option<&PostProcessorWrapper>) -> bool {
    match processor {
        None | Some(PostProcessorWrapper::Bert(_)) => true,
        Some(PostProcessorWrapper::Template(template)) => {
            let steps = serde_json::to_value(&template.single).unwrap_or_default();
            let sequences = steps.as_array().into_iter().flatten().filter_map(|step| step.get("Sequence")?.get("id"));
            sequences.eq(["A"])
        }
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests;
