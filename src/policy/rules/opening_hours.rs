//! Whether people are there.

use crate::policy::hours::Hours;
use crate::policy::{Effect, Facts, Finding, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Out of hours every reason is less pressing by `lower_by`, and the customer is told when people are there again. Nothing is held
/// back: whoever opens in the morning finds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningHours {
    /// When people are there.
    pub hours: Hours,
    /// Steps of priority.
    pub lower_by: u8,
}

impl Rule for OpeningHours {
    fn id(&self) -> &'static str {
        "opening_hours"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        Ok(self.opens(facts).map(|opens| Finding {
            rule: self.id().into(),
            value: None,
            threshold: None,
            message: format!("out of hours; people are there from {opens}"),
            effect: Effect::Lower(self.lower_by),
        }))
    }

    fn opens(&self, facts: &Facts<'_>) -> Option<String> {
        self.hours.opens(facts.at)
    }

    fn validate(&self) -> Result<(), (String, String)> {
        Ok(())
    }
}
