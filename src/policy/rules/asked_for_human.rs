//! The customer asks for a person.

use super::rounded;
use crate::policy::{Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when one of `intents` is the best intent with at least `min_score`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedForHuman {
    /// Intents that ask for a person.
    pub intents: Vec<String>,
    /// In [0, 1].
    pub min_score: f32,
    /// How soon.
    pub priority: Priority,
}

impl Rule for AskedForHuman {
    fn id(&self) -> &'static str {
        "asked_for_human"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        let missing = || RuleError { rule: self.id(), detail: "the model has no intent head".to_owned() };
        let intent = facts.prediction.intent.as_ref().ok_or_else(missing)?;
        if !intent.ranking.iter().any(|(name, _)| self.intents.contains(name)) {
            return Err(RuleError { rule: self.id(), detail: format!("the model knows none of the intents {}", self.intents.join(", ")) });
        }
        let best = intent.ranking.first().filter(|(name, score)| self.intents.contains(name) && rounded(*score) >= self.min_score);
        Ok(best.map(|(name, score)| Finding {
            rule: self.id(),
            value: Some(rounded(*score)),
            threshold: Some(self.min_score),
            message: format!("the customer asks for a person ({name}, {score:.2})"),
            priority: self.priority,
        }))
    }
}
