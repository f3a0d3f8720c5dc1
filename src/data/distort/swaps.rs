//! Words that are written in another way, from a table.

use super::{Edit, words};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// Replaces whole words of the table with `probability`, capital for capital.
pub fn swaps(text: &str, table: &[(&str, &str)], probability: f64, dice: &mut ChaCha8Rng) -> Vec<Edit> {
    let mut edits = Vec::new();
    for word in words(text) {
        let surface = word.slice(text);
        let lower = surface.to_lowercase().replace('\u{2019}', "'");
        let Some((_, new)) = table.iter().find(|(old, _)| *old == lower) else { continue };
        if !dice.random_bool(probability) {
            continue;
        }
        let words = if surface.starts_with(char::is_uppercase) { capitalised(new) } else { (*new).to_owned() };
        edits.push(Edit { span: word, words });
    }
    edits
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
