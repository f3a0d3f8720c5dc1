//! Words from a list, before or behind the message.

use super::{Changes, Distortion, Message, one_of};
use rand_chacha::ChaCha8Rng;

/// Where they go.
pub enum Place {
    /// Before the message.
    Before,
    /// Behind it.
    Behind,
}

/// One of a list is added.
pub struct Added {
    /// Name of the distortion.
    pub name: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// What is added, with the blanks around it.
    pub list: &'static [&'static str],
    /// Where.
    pub place: Place,
}

impl Distortion for Added {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes {
        let words = one_of(message.purpose.half(self.list), dice).to_owned();
        match self.place {
            Place::Before => Changes { before: words, ..Changes::default() },
            Place::Behind => Changes { after: words, ..Changes::default() },
        }
    }
}
