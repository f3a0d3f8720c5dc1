//! The sentiment's score is below a threshold.

use super::{rounded, sentiment, shown, within};
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
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
        let score = rounded(sentiment(self.id(), facts.prediction)?.score);
        Ok((score < self.below).then(|| Finding {
            rule: self.id().into(),
            value: Some(score),
            threshold: Some(self.below),
            message: format!("sentiment {} is below {}", shown(score), shown(self.below)),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        within("below", self.below, -1.0, 1.0)
    }
}
