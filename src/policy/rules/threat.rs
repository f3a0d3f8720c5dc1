//! The customer threatens: a lawyer, a chargeback, the public.

use super::phrases::Phrases;
use crate::policy::{Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when the message has one of the phrases as whole words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threat {
    /// The phrases.
    pub phrases: Phrases,
    /// How soon.
    pub priority: Priority,
}

impl Rule for Threat {
    fn id(&self) -> &'static str {
        "threat"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        Ok(self.phrases.find(self.id(), self.priority, facts))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        self.phrases.validate()
    }
}
