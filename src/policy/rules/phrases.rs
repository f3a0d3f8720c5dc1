//! Phrases in a message: whole words, without regard to case, punctuation and possessives.

use super::filled;
use crate::policy::{Effect, Facts, Finding, Priority};
use serde::{Deserialize, Serialize};

/// Phrases as they are written, and their words, which every message is searched for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Phrases {
    written: Vec<String>,
    words: Vec<String>,
}

impl From<Vec<String>> for Phrases {
    fn from(written: Vec<String>) -> Self {
        Self { words: written.iter().map(|phrase| words(phrase)).collect(), written }
    }
}

impl From<Phrases> for Vec<String> {
    fn from(phrases: Phrases) -> Self {
        phrases.written
    }
}

impl Phrases {
    /// The finding of a rule whose phrase the message has.
    pub fn find(&self, rule: &'static str, priority: Priority, facts: &Facts<'_>) -> Option<Finding> {
        let text = words(facts.text);
        let found = self.written.iter().zip(&self.words).find(|(_, words)| text.contains(words.as_str()));
        found.map(|(phrase, _)| Finding {
            rule: rule.into(),
            value: None,
            threshold: None,
            message: format!("the message says \"{phrase}\""),
            effect: Effect::Escalate(priority),
        })
    }

    /// Checks phrases of a policy file.
    pub fn validate(&self) -> Result<(), (String, String)> {
        filled("phrases", &self.written)?;
        let empty = self.written.iter().any(|phrase| !phrase.chars().any(char::is_alphanumeric));
        if empty { Err(("phrases".to_owned(), "a phrase has neither letter nor digit".to_owned())) } else { Ok(()) }
    }
}

/// The words of a text in lower case, each between spaces, without possessive `'s`.
fn words(text: &str) -> String {
    let lower = text.to_lowercase().replace('\u{2019}', "'");
    let words = lower.split(|c: char| !c.is_alphanumeric() && c != '\'').map(|word| word.trim_matches('\''));
    let words = words.map(|word| word.strip_suffix("'s").unwrap_or(word)).filter(|word| !word.is_empty());
    words.fold(" ".to_owned(), |all, word| all + word + " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_possessives_hide_nothing() {
        for text in ["My lawyer's going to call", "my 'lawyer'", "my lawyer\u{2019}s bill", "LAWYER!!"] {
            assert!(words(text).contains(&words("lawyer")), "{text}");
        }
        assert!(!words("lawyerly").contains(&words("lawyer")));
    }
}
