//! A matter that goes wrong easily.

use super::{below, filled, knows_one_of, within};
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires when one of `intents` is the best intent of a message in scope, where `with_sentiment_below` is given only if the sentiment is below it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SensitiveIntent {
    /// The intents.
    pub intents: Vec<String>,
    /// In [−1, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_sentiment_below: Option<f32>,
    /// How soon.
    pub priority: Priority,
}

impl Rule for SensitiveIntent {
    fn id(&self) -> &'static str {
        "sensitive_intent"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        knows_one_of(self.id(), &self.intents, facts)?;
        let matched = facts.prediction.intent.as_ref().and_then(crate::heads::IntentPrediction::matched);
        let Some(matter) = matched.filter(|name| self.intents.iter().any(|intent| intent == name)) else { return Ok(None) };
        let Some((score, mood)) = below(self.id(), facts, self.with_sentiment_below)? else { return Ok(None) };
        Ok(Some(Finding {
            rule: self.id().into(),
            value: score,
            threshold: self.with_sentiment_below,
            message: format!("{matter} is a sensitive matter{mood}"),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        filled("intents", &self.intents)?;
        self.with_sentiment_below.map_or(Ok(()), |bound| within("with_sentiment_below", bound, -1.0, 1.0))
    }
}
