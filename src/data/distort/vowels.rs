//! Words without vowels.

use super::{Changes, Distortion, Edit, Message, words};
use crate::text::Span;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// Share of the words that lose their vowels.
const SHARE: f64 = 0.4;
/// Shorter words keep theirs.
const SHORTEST: usize = 4;

/// `pls cncl my order`: vowels behind the first letter are left out.
pub struct Vowels;

impl Distortion for Vowels {
    fn name(&self) -> &'static str {
        "no-vowels"
    }

    fn about(&self) -> &'static str {
        "two words of five without their vowels"
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        let mut edits = Vec::new();
        for word in words(message.text) {
            let letters: Vec<(usize, char)> = word.slice(message.text).char_indices().collect();
            if letters.len() < SHORTEST || !dice.random_bool(SHARE) {
                continue;
            }
            let vowels = letters.iter().skip(1).filter(|(_, c)| "aeiouAEIOU".contains(*c));
            edits.extend(vowels.map(|(at, c)| {
                let start = word.start + at;
                Edit { span: Span { start, end: start + c.len_utf8() }, words: String::new() }
            }));
        }
        Changes { edits, ..Changes::default() }
    }
}
