//! Somebody may be harmed or robbed: an injury, a fire, a stolen account.

use super::phrases::Phrases;
use crate::policy::{Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when the message has one of the phrases as whole words, however calm it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Danger {
    /// The phrases.
    pub phrases: Phrases,
    /// How soon.
    pub priority: Priority,
}

impl Rule for Danger {
    fn id(&self) -> &'static str {
        "danger"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        Ok(self.phrases.find(self.id(), self.priority, facts))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        self.phrases.validate()
    }
}
