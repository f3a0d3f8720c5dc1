//! Blanks that were not hit.

use super::{Changes, Distortion, Edit, Message};
use crate::text::Span;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

/// Share of the blanks that are lost.
const SHARE: f64 = 0.15;

/// `where ismy order`: some blanks between letters are lost.
pub struct RunTogether;

impl Distortion for RunTogether {
    fn name(&self) -> &'static str {
        "run-together"
    }

    fn about(&self) -> &'static str {
        "one blank of seven is missing"
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        let text = message.text;
        let letters = |at: usize| {
            let before = text.get(..at).and_then(|before| before.chars().next_back());
            let after = text.get(at + 1..).and_then(|after| after.chars().next());
            before.is_some_and(char::is_alphabetic) && after.is_some_and(char::is_alphabetic)
        };
        let blanks: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).filter(|at| letters(*at)).collect();
        let mut lost: Vec<usize> = blanks.iter().copied().filter(|_| dice.random_bool(SHARE)).collect();
        if lost.is_empty() && !blanks.is_empty() {
            lost.extend(blanks.get(dice.random_range(0..blanks.len())));
        }
        let edits = lost.into_iter().map(|at| Edit { span: Span { start: at, end: at + 1 }, words: String::new() }).collect();
        Changes { edits, ..Changes::default() }
    }
}
