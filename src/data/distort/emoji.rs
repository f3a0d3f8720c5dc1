//! Emoji behind the message.

use super::{Changes, Distortion, Message, one_of};
use crate::heads::Sentiment;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

const NEGATIVE: &[&str] = &["\u{1f621}", "\u{1f620}", "\u{1f624}", "\u{1f644}", "\u{1f612}", "\u{1f629}", "\u{1f44e}", "\u{1f614}"];
const NEUTRAL: &[&str] =
    &["\u{1f4e6}", "\u{1f6d2}", "\u{1f440}", "\u{1f44b}", "\u{1f4f1}", "\u{1f4ac}", "\u{1f6cd}\u{fe0f}", "\u{270c}\u{fe0f}"];
const POSITIVE: &[&str] = &["\u{1f60a}", "\u{1f600}", "\u{2764}\u{fe0f}", "\u{1f389}", "\u{1f970}", "\u{1f60d}", "\u{1f929}", "\u{1f44d}"];

/// One to four emoji, of the message's own feeling.
pub struct Emoji;

impl Distortion for Emoji {
    fn name(&self) -> &'static str {
        "emoji"
    }

    fn about(&self) -> &'static str {
        "one to four emoji of the message's feeling behind it"
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        let list = match message.sentiment {
            Some(Sentiment::Negative) => NEGATIVE,
            Some(Sentiment::Positive) => POSITIVE,
            Some(Sentiment::Neutral) | None => NEUTRAL,
        };
        let mut after = if dice.random_bool(0.7) { " ".to_owned() } else { String::new() };
        for _ in 0..dice.random_range(1..=4) {
            after.push_str(one_of(list, dice));
        }
        Changes { after, ..Changes::default() }
    }
}
