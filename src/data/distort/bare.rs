//! No capitals and no punctuation.

use super::{Changes, Distortion, Edit, Message};
use crate::text::Span;
use rand_chacha::ChaCha8Rng;

/// `where is my order its late`.
pub struct Bare;

impl Distortion for Bare {
    fn name(&self) -> &'static str {
        "bare"
    }

    fn about(&self) -> &'static str {
        "no capitals, no punctuation"
    }

    fn distort(&self, message: &Message<'_>, _dice: &mut ChaCha8Rng) -> Changes {
        let text = message.text;
        let mut edits = Vec::new();
        for (start, c) in text.char_indices() {
            let end = start + c.len_utf8();
            let lower: String = c.to_lowercase().collect();
            // Marks inside numbers, codes and addresses stay: they are followed by a letter or digit.
            let stays = c.is_alphanumeric() || c.is_whitespace() || !c.is_ascii_punctuation() && c != '\u{2019}';
            let inside =
                text.get(end..).is_some_and(|rest| rest.starts_with(char::is_alphanumeric)) && !matches!(c, '\'' | '\u{2019}' | '(' | '"');
            if !stays && !inside {
                edits.push(Edit { span: Span { start, end }, words: String::new() });
            } else if lower != c.to_string() {
                edits.push(Edit { span: Span { start, end }, words: lower });
            }
        }
        Changes { edits, ..Changes::default() }
    }
}
