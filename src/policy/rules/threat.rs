//! The customer threatens: a lawyer, a chargeback, the public.

use super::filled;
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when the message holds one of the phrases as whole words, without regard to case and punctuation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threat {
    /// The phrases.
    pub phrases: Vec<String>,
    /// How soon.
    pub priority: Priority,
}

impl Rule for Threat {
    fn id(&self) -> &'static str {
        "threat"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        let text = words(facts.text);
        let found = self.phrases.iter().find(|phrase| text.contains(&words(phrase)));
        Ok(found.map(|phrase| Finding {
            rule: self.id().into(),
            value: None,
            threshold: None,
            message: format!("the message says \"{phrase}\""),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        filled("phrases", &self.phrases)?;
        let empty = self.phrases.iter().any(|phrase| !phrase.chars().any(char::is_alphanumeric));
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
