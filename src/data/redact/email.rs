//! E-mail addresses.

use super::{Key, Kind, pattern};
use crate::patterns::ValueContext;
use crate::text::Span;

/// `ines.p@example.org`; a pseudonym keeps the form of the part before the `@` and lies in a domain reserved for examples (RFC 2606).
pub struct Email;

impl Kind for Email {
    fn name(&self) -> &'static str {
        "EMAIL"
    }

    fn labels(&self) -> &'static [&'static str] {
        &["email"]
    }

    fn find(&self, text: &str, context: &ValueContext) -> Vec<Span> {
        pattern("email", text, context)
    }

    fn pseudonym(&self, surface: &str, key: &Key) -> String {
        let mut dice = key.dice(self.name(), &surface.to_lowercase());
        let local = surface.split('@').next().unwrap_or_default();
        let local: String = local.to_lowercase().chars().map(|c| dice.like(c)).collect();
        format!("{local}@{}", dice.one_of(&["example.com", "example.net", "example.org"]))
    }
}
