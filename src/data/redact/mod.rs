//! Which words say who somebody is? They become placeholders such as `[EMAIL]`, or pseudonyms, and the labels stay where they belong.
//!
//! A kind of word is one file and one line in [`KINDS`]. `record.rs` does a whole row.

mod card;
mod dice;
mod email;
mod iban;
mod name;
mod phone;
mod record;
mod runs;

pub use record::Redactor;

use crate::patterns::{PATTERNS, ValueContext};
use crate::text::Span;
use dice::Dice;
use std::fmt;

/// A kind of words that say who somebody is.
pub trait Kind: Sync {
    /// What stands in the brackets of the placeholder.
    fn name(&self) -> &'static str;

    /// Labels of entities that are of this kind.
    fn labels(&self) -> &'static [&'static str] {
        &[]
    }

    /// Where such words stand. The spans may overlap.
    fn find(&self, text: &str, context: &ValueContext) -> Vec<Span>;

    /// Words of the same form that nobody is meant by; a fresh `dice` for each identity gives the same for the same.
    fn pseudonym(&self, surface: &str, key: &Key) -> String;
}

/// All kinds; of two finds of one length at one place, the first wins.
pub const KINDS: &[&dyn Kind] = &[&email::Email, &iban::BankAccount, &card::Card, &phone::Phone, &name::Name];

/// What pseudonyms are drawn with: the same key gives the same pseudonyms, and who has it can try out originals.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// A key of the user's words, or, without, a random one that is kept nowhere.
    #[must_use]
    pub fn new(seed: Option<&str>) -> Self {
        Self(seed.map_or_else(|| format!("{:032x}", rand::random::<u128>()), str::to_owned))
    }

    /// Dice for one thing of a kind.
    #[must_use]
    pub fn dice(&self, kind: &str, identity: &str) -> Dice {
        Dice::new(&[&self.0, kind, identity])
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// What is done to the words.
#[derive(Debug, Clone)]
pub enum Replacement {
    /// `[EMAIL]`.
    Placeholder,
    /// Words of the same form.
    Pseudonym(Key),
}

impl Replacement {
    fn of(&self, kind: &dyn Kind, surface: &str) -> String {
        match self {
            Self::Placeholder => format!("[{}]", kind.name()),
            Self::Pseudonym(key) => kind.pseudonym(surface, key),
        }
    }
}

/// Finds of the pattern that has this label.
fn pattern(label: &str, text: &str, context: &ValueContext) -> Vec<Span> {
    let pattern = PATTERNS.iter().find(|pattern| pattern.label() == label);
    pattern.map(|pattern| pattern.find_in(text, context)).unwrap_or_default()
}

/// Letters and digits in lower case: what two spellings of one number have in common.
fn bare(surface: &str) -> String {
    surface.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind.
    const SAMPLES: &[(&str, &str, &str)] = &[
        ("EMAIL", "write to ines.p@example.org please", "ines.p@example.org"),
        ("IBAN", "to DE89 3704 0044 0532 0130 00 please", "DE89 3704 0044 0532 0130 00"),
        ("CARD", "card 4111 1111 1111 1111 was charged", "4111 1111 1111 1111"),
        ("PHONE", "I am +44 7700 900915 all day", "+44 7700 900915"),
        ("NAME", "hello, my name is Ines Palme", "Ines Palme"),
    ];

    #[test]
    fn every_kind_finds_its_sample_and_no_other_kind_does() {
        let context = ValueContext { now: None, region: None };
        for kind in KINDS {
            for (name, text, surface) in SAMPLES {
                let found: Vec<&str> = kind.find(text, &context).iter().map(|span| span.slice(text)).collect();
                let wanted: &[&str] = if *name == kind.name() { &[surface] } else { &[] };
                assert_eq!(found, wanted, "{} in {text}", kind.name());
            }
        }
    }

    #[test]
    fn a_pseudonym_is_of_its_kind_and_form_and_stays_the_same() {
        let context = ValueContext { now: None, region: None };
        let (key, other) = (Key::new(Some("secret")), Key::new(Some("another")));
        for (name, text, surface) in SAMPLES {
            let kind = KINDS.iter().find(|kind| kind.name() == *name).unwrap();
            let pseudonym = kind.pseudonym(surface, &key);
            assert_ne!(&pseudonym, surface);
            assert_eq!(pseudonym, kind.pseudonym(surface, &key), "{name}");
            assert_ne!(pseudonym, kind.pseudonym(surface, &other), "{name}");
            assert_eq!(pseudonym.split(' ').count(), surface.split(' ').count(), "{name}: {pseudonym}");
            let text = text.replace(surface, &pseudonym);
            let found: Vec<&str> = kind.find(&text, &context).iter().map(|span| span.slice(&text)).collect();
            assert_eq!(found, [pseudonym.as_str()], "{name}");
        }
    }

    #[test]
    fn no_text_breaks_a_kind() {
        let context = ValueContext { now: None, region: Some("GB".into()) };
        let long = "4 ".repeat(9000);
        for text in ["", "@", "\u{1f600}\u{301}", "4111111111111111\u{301}", "my name is", "my name is \u{df}", "DE", "+1", "Mr.", &long] {
            for kind in KINDS {
                for span in kind.find(text, &context) {
                    assert!(!span.slice(text).is_empty(), "{} {text:?}", kind.name());
                }
                let _ = kind.pseudonym(text, &Key::new(Some("x")));
            }
        }
    }
}
