//! The customer asks for a person.

use super::{filled, knows_one_of, rounded, within};
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// The rule's name. What it finds counts even in a cool-down.
pub const ID: &str = "asked_for_human";

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
        ID
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        knows_one_of(ID, &self.intents, facts)?;
        let best = facts.prediction.intent.as_ref().and_then(|intent| intent.ranking.first());
        let asks = best.filter(|(name, score)| self.intents.contains(name) && rounded(*score) >= self.min_score);
        Ok(asks.map(|(name, score)| Finding {
            rule: ID.into(),
            value: Some(rounded(*score)),
            threshold: Some(self.min_score),
            message: format!("the customer asks for a person ({name}, {score:.2})"),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        filled("intents", &self.intents)?;
        within("min_score", self.min_score, 0.0, 1.0)
    }
}
