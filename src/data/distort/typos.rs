//! Slips of the thumb.

use super::{Changes, Distortion, Edit, Message, words};
use crate::text::Span;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// The rows of letters of a keyboard; a slip lands on a neighbour.
const ROWS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
/// Share of the words that get a slip.
const SHARE: f64 = 0.2;
/// Shorter words are typed right.
const SHORTEST: usize = 3;

/// A neighbouring key, a letter lost, doubled, or changed with the next one.
pub struct Typos;

impl Distortion for Typos {
    fn name(&self) -> &'static str {
        "typos"
    }

    fn about(&self) -> &'static str {
        "neighbouring keys, letters lost, doubled or swapped, in one word of five"
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        let words: Vec<Span> =
            words(message.text).into_iter().filter(|word| word.slice(message.text).chars().count() >= SHORTEST).collect();
        let chosen: Vec<Span> = words.iter().copied().filter(|_| dice.random_bool(SHARE)).collect();
        let mut edits: Vec<Edit> = chosen.into_iter().filter_map(|word| slip(message.text, word, dice)).collect();
        if edits.is_empty() && !words.is_empty() {
            let word = words.get(dice.random_range(0..words.len())).copied();
            edits.extend(word.and_then(|word| slip(message.text, word, dice)));
        }
        Changes { edits, ..Changes::default() }
    }
}

/// One slip inside a word, behind its first letter.
fn slip(text: &str, word: Span, dice: &mut ChaCha8Rng) -> Option<Edit> {
    let letters: Vec<(usize, char)> = word.slice(text).char_indices().map(|(at, c)| (word.start + at, c)).collect();
    let index = dice.random_range(1..letters.len());
    let (at, letter) = *letters.get(index)?;
    let span = Span { start: at, end: at + letter.len_utf8() };
    let edit = match dice.random_range(0..4) {
        0 => Edit { span, words: neighbour(letter, dice).to_string() },
        1 => Edit { span, words: String::new() },
        2 => Edit { span, words: format!("{letter}{letter}") },
        _ => {
            let (before_at, before) = *letters.get(index - 1)?;
            Edit { span: Span { start: before_at, end: span.end }, words: format!("{letter}{before}") }
        }
    };
    (edit.words != edit.span.slice(text)).then_some(edit)
}

fn neighbour(letter: char, dice: &mut ChaCha8Rng) -> char {
    for row in ROWS {
        if let Some(place) = row.find(letter.to_ascii_lowercase()) {
            let beside = if place == 0 || (dice.random_bool(0.5) && place + 1 < row.len()) { place + 1 } else { place - 1 };
            return row.chars().nth(beside).unwrap_or(letter);
        }
    }
    letter
}
