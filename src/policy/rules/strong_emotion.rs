//! An emotion is strong.

use super::{rounded, shown, within};
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fires when the probability of one of these emotions reaches its threshold; names the one furthest above.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StrongEmotion {
    /// Emotion and threshold in [0, 1].
    pub any_of: BTreeMap<String, f32>,
    /// How soon.
    pub priority: Priority,
}

impl Rule for StrongEmotion {
    fn id(&self) -> &'static str {
        "strong_emotion"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        let missing = |detail: String| RuleError { rule: self.id().into(), detail };
        let emotions = facts.prediction.emotions.as_ref().ok_or_else(|| missing("the model has no emotions head".to_owned()))?;
        let strong = emotions.iter().filter_map(|emotion| {
            let threshold = *self.any_of.get(&emotion.name)?;
            let score = rounded(emotion.score);
            (score >= threshold).then_some((emotion.name.as_str(), score, threshold))
        });
        let furthest = strong.max_by(|(_, a, at), (_, b, bt)| (a - at).total_cmp(&(b - bt)));
        let unknown = self.any_of.keys().find(|name| !facts.labels.emotions.contains(name));
        if let (None, Some(name)) = (&furthest, unknown) {
            return Err(missing(format!("the model knows no emotion `{name}`")));
        }
        Ok(furthest.map(|(name, score, threshold)| Finding {
            rule: self.id().into(),
            value: Some(score),
            threshold: Some(threshold),
            message: format!("{name} {} reaches {}", shown(score), shown(threshold)),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        if self.any_of.is_empty() {
            return Err(("any_of".to_owned(), "is empty; leave the rule out".to_owned()));
        }
        self.any_of.iter().try_for_each(|(name, value)| within(&format!("any_of.{name}"), *value, 0.0, 1.0))
    }
}
