//! Choices that depend on nothing but words: the same words, the same choices.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// A source of choices.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice of some words.
    #[must_use]
    pub fn new(words: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for word in words {
            hash.update((word.len() as u64).to_le_bytes());
            hash.update(word.as_bytes());
        }
        Self(ChaCha8Rng::from_seed(hash.finalize().into()))
    }

    /// One of several; an empty string of none.
    pub fn one_of<'s>(&mut self, choices: &[&'s str]) -> &'s str {
        let index = self.0.random_range(0..choices.len().max(1));
        choices.get(index).copied().unwrap_or_default()
    }

    /// A digit for a digit, a letter of the same case for a letter, anything else as it is.
    pub fn like(&mut self, c: char) -> char {
        if c.is_numeric() {
            char::from(b'0' + self.0.random_range(0..10u8))
        } else if c.is_uppercase() {
            char::from(b'A' + self.0.random_range(0..26u8))
        } else if c.is_alphabetic() {
            char::from(b'a' + self.0.random_range(0..26u8))
        } else {
            c
        }
    }

    /// Words in hexadecimal, for identifiers.
    pub fn identifier(&mut self) -> String {
        format!("{:016x}", self.0.random::<u64>())
    }
}
