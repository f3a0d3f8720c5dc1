//! The sentiment's score is below a threshold.

use super::rounded;
use crate::policy::{Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when the score, p(positive) − p(negative), is below `below`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NegativeSentiment {
    /// In [−1, 1].
    pub below: f32,
    /// How soon.
    pub priority: Priority,
}

impl Rule for NegativeSentiment {
    fn id(&self) -> &'static str {
        "negative_sentiment"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        let missing = || RuleError { rule: self.id(), detail: "the model has no sentiment head".to_owned() };
        let score = rounded(facts.prediction.sentiment.as_ref().ok_or_else(missing)?.score);
        Ok((score < self.below).then(|| Finding {
            rule: self.id(),
            value: Some(score),
            threshold: Some(self.below),
            message: format!("sentiment {score:.2} is below {:.2}", self.below),
            priority: self.priority,
        }))
    }
}
