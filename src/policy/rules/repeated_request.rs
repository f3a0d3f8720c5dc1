//! The customer wants the same thing, again and again.

use super::consecutive_negatives::count;
use super::{countable, knows_one_of};
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when the best intent of this message, if it is in scope, is that of `count` of the last `within_turns` messages, this one among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedRequest {
    /// Messages with the same intent, 2 or more.
    pub count: usize,
    /// Messages looked at, `count` or more.
    pub within_turns: usize,
    /// Intents that come again without anything being wrong, such as `provide_info`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
    /// How soon.
    pub priority: Priority,
}

impl Rule for RepeatedRequest {
    fn id(&self) -> &'static str {
        "repeated_request"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        knows_one_of(self.id(), &facts.labels.intents, facts)?;
        let wanted = facts.prediction.intent.as_ref().and_then(crate::heads::IntentPrediction::matched);
        let Some(wanted) = wanted.filter(|name| !self.except.iter().any(|except| except == name)) else { return Ok(None) };
        let latest = facts.latest(self.within_turns);
        let same = latest.filter(|prediction| prediction.intent.as_ref().and_then(|intent| intent.matched()) == Some(wanted)).count();
        Ok((same >= self.count).then(|| Finding {
            rule: self.id().into(),
            value: Some(count(same)),
            threshold: Some(count(self.count)),
            message: format!("the customer asked for {wanted} in {same} of the last {} messages", self.within_turns),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        countable("count", self.count, 2)?;
        countable("within_turns", self.within_turns, self.count)
    }
}
