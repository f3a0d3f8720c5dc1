//! The whole message in capitals.

use super::{Changes, Distortion, Edit, Message, words};
use rand_chacha::ChaCha8Rng;

/// `WHERE IS MY ORDER`.
pub struct Capitals;

impl Distortion for Capitals {
    fn name(&self) -> &'static str {
        "capitals"
    }

    fn about(&self) -> &'static str {
        "everything in capitals"
    }

    fn distort(&self, message: &Message<'_>, _dice: &mut ChaCha8Rng) -> Changes {
        let upper = |span: crate::text::Span| Edit { span, words: span.slice(message.text).to_uppercase() };
        Changes { edits: words(message.text).into_iter().map(upper).collect(), ..Changes::default() }
    }
}
