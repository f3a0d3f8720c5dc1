//! The bot does not understand, again and again.

use super::consecutive_negatives::count;
use super::countable;
use crate::heads::Status;
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when this message is not understood and, with it, `count` of the last `within_turns` messages are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedFallback {
    /// Messages not understood, 1 or more.
    pub count: usize,
    /// Messages looked at, `count` or more.
    pub within_turns: usize,
    /// What is not understood.
    #[serde(default = "statuses", skip_serializing_if = "is_default")]
    pub statuses: Vec<Status>,
    /// How soon.
    pub priority: Priority,
}

fn statuses() -> Vec<Status> {
    vec![Status::OutOfScope]
}

fn is_default(given: &Vec<Status>) -> bool {
    *given == statuses()
}

impl Rule for RepeatedFallback {
    fn id(&self) -> &'static str {
        "repeated_fallback"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        let missing = || RuleError { rule: self.id().into(), detail: "the model has no intent head".to_owned() };
        let fails = |status: Status| self.statuses.contains(&status);
        if !fails(facts.prediction.intent.as_ref().ok_or_else(missing)?.status) {
            return Ok(None);
        }
        let latest = facts.latest(self.within_turns);
        let failed = latest.filter(|prediction| prediction.intent.as_ref().is_some_and(|intent| fails(intent.status))).count();
        Ok((failed >= self.count).then(|| Finding {
            rule: self.id().into(),
            value: Some(count(failed)),
            threshold: Some(count(self.count)),
            message: format!("{failed} of the last {} messages were not understood", self.within_turns),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        countable("count", self.count, 1)?;
        countable("within_turns", self.within_turns, self.count)?;
        if self.statuses.is_empty() { Err(("statuses".to_owned(), "is empty; leave the rule out".to_owned())) } else { Ok(()) }
    }
}
