//! One negative message after another.

use super::{countable, sentiment};
use crate::heads::Sentiment;
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when the last `count` messages, this one among them, are all labelled negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsecutiveNegatives {
    /// Messages, 2 or more.
    pub count: usize,
    /// How soon.
    pub priority: Priority,
}

impl Rule for ConsecutiveNegatives {
    fn id(&self) -> &'static str {
        "consecutive_negatives"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        sentiment(self.id(), facts.prediction)?;
        let negative = |sentiment: crate::heads::SentimentPrediction| sentiment.label == Sentiment::Negative;
        let in_a_row = facts.latest(usize::MAX).take_while(|prediction| prediction.sentiment.is_some_and(negative)).count();
        Ok((in_a_row >= self.count).then(|| Finding {
            rule: self.id().into(),
            value: Some(count(in_a_row)),
            threshold: Some(count(self.count)),
            message: format!("{in_a_row} negative messages in a row"),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        countable("count", self.count, 2)
    }
}

/// A count as a value.
pub fn count(messages: usize) -> f32 {
    f32::from(u16::try_from(messages).unwrap_or(u16::MAX))
}
