//! Telephone numbers.

use super::{Key, Kind, bare, pattern};
use crate::patterns::ValueContext;
use crate::text::Span;

/// `+44 7700 900915`; a pseudonym keeps the plus, the first two digits and the groups.
pub struct Phone;

/// The country or the trunk prefix and what follows it: enough for the form, too little for a person.
const KEPT: usize = 2;

impl Kind for Phone {
    fn name(&self) -> &'static str {
        "PHONE"
    }

    fn labels(&self) -> &'static [&'static str] {
        &["phone"]
    }

    fn find(&self, text: &str, context: &ValueContext) -> Vec<Span> {
        pattern("phone", text, context)
    }

    fn pseudonym(&self, surface: &str, key: &Key) -> String {
        let mut dice = key.dice(self.name(), &bare(surface));
        let mut digits = 0;
        let mut like = |c: char| {
            digits += usize::from(c.is_numeric());
            if digits <= KEPT { c } else { dice.like(c) }
        };
        surface.chars().map(&mut like).collect()
    }
}
