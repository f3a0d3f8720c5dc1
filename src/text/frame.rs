//! The special tokens around a text: what the tokenizer's post-processor puts before, between and behind.
//!
//! Read off the post-processor by giving it two texts of one token each, so that every kind of post-processor is understood. A file
//! without one is BERT's: `[CLS]` and `[SEP]`.

use super::TokenizerError;
use tokenizers::{Encoding, PostProcessor, Token, Tokenizer};

/// The text and the context in a frame; no vocabulary has so many tokens.
const TEXT: u32 = u32::MAX;
const CONTEXT: u32 = u32::MAX - 1;

/// Special tokens around a text and its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Before the text.
    pub before: Vec<u32>,
    /// Behind a text without context.
    pub after: Vec<u32>,
    /// Between the text and its context.
    pub between: Vec<u32>,
    /// Behind each turn of the context.
    pub turn: Vec<u32>,
}

impl Frame {
    /// The frame that `tokenizer.json` describes.
    ///
    /// # Errors
    /// When its post-processor fails, or it has neither one nor `[CLS]` and `[SEP]`.
    pub fn of(tokenizer: &Tokenizer) -> Result<Self, TokenizerError> {
        if let Some(frame) = Self::described(tokenizer)? {
            return Ok(frame);
        }
        let id = |token| tokenizer.token_to_id(token).ok_or(TokenizerError::MissingToken(token)).map(|id| vec![id]);
        let (first, end) = (id("[CLS]")?, id("[SEP]")?);
        Ok(Self { before: first, after: end.clone(), between: end.clone(), turn: end })
    }

    /// The frame of the post-processor; nothing when it adds no token behind a text.
    fn described(tokenizer: &Tokenizer) -> Result<Option<Self>, TokenizerError> {
        let Some(processor) = tokenizer.get_post_processor() else { return Ok(None) };
        let sides = |pair: bool| {
            let text = |id| Encoding::from_tokens(vec![Token::new(id, "x".to_owned(), (0, 1))], 0);
            let framed = processor.process(text(TEXT), pair.then(|| text(CONTEXT)), true);
            let framed = framed.map_err(|error| TokenizerError::Unreadable(format!("post_processor: {error}")))?;
            Ok::<Vec<Vec<u32>>, TokenizerError>(framed.get_ids().split(|id| [TEXT, CONTEXT].contains(id)).map(<[u32]>::to_vec).collect())
        };
        let unusual = || TokenizerError::Unreadable("post_processor: it does not keep a text and its pair in this order".to_owned());
        let [before, after] = sides(false)?.try_into().map_err(|_| unusual())?;
        if after.is_empty() {
            return Ok(None);
        }
        let [_, between, turn] = sides(true)?.try_into().map_err(|_| unusual())?;
        // A file may describe single texts only; then what ends a text ends each turn.
        let or_after = |part: Vec<u32>| if part.is_empty() { after.clone() } else { part };
        Ok(Some(Self { before, between: or_after(between), turn: or_after(turn), after }))
    }

    /// Special tokens around a text without context.
    #[must_use]
    pub fn width(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn tokenizer(post_processor: &Value, tokens: &[&str]) -> Tokenizer {
        let vocab: serde_json::Map<String, Value> = tokens.iter().enumerate().map(|(id, token)| ((*token).to_owned(), id.into())).collect();
        let file = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null, "pre_tokenizer": null,
            "decoder": null, "post_processor": post_processor, "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "u"}});
        serde_json::from_value(file).unwrap()
    }

    fn frame(before: &[u32], after: &[u32], between: &[u32], turn: &[u32]) -> Frame {
        Frame { before: before.to_vec(), after: after.to_vec(), between: between.to_vec(), turn: turn.to_vec() }
    }

    #[test]
    fn every_post_processor_is_understood() {
        let roberta =
            json!({"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": true, "add_prefix_space": false});
        let bert = json!({"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]});
        let level = json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false, "use_regex": true});
        let sequence = json!({"type": "Sequence", "processors": [level, roberta]});
        let tokens = ["u", "<s>", "</s>", "[CLS]", "[SEP]"];
        let of = |processor: &Value| Frame::of(&tokenizer(processor, &tokens)).unwrap();
        assert_eq!(of(&roberta), frame(&[1], &[2], &[2, 2], &[2]));
        assert_eq!(of(&sequence), of(&roberta));
        assert_eq!(of(&bert), frame(&[1], &[2], &[2], &[2]));
        for silent in [&Value::Null, &level] {
            assert_eq!(of(silent), frame(&[3], &[4], &[4], &[4]));
        }
    }

    #[test]
    fn a_tokenizer_without_special_tokens_is_refused() {
        let error = Frame::of(&tokenizer(&Value::Null, &["u", "[CLS]"])).unwrap_err().to_string();
        assert!(error.contains("[SEP]") && error.contains("hearken model import"), "{error}");
    }
}
