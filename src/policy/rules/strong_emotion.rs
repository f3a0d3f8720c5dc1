//! An emotion is strong.

use super::rounded;
use crate::policy::{Facts, Finding, Priority, Rule, RuleError};
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
        let missing = || RuleError { rule: self.id(), detail: "the model has no emotions head".to_owned() };
        let emotions = facts.prediction.emotions.as_ref().ok_or_else(missing)?;
        let strong = emotions.iter().filter_map(|emotion| {
            let threshold = *self.any_of.get(&emotion.name)?;
            let score = rounded(emotion.score);
            (score >= threshold).then_some((emotion.name.as_str(), score, threshold))
        });
        let furthest = strong.max_by(|(_, a, at), (_, b, bt)| (a - at).total_cmp(&(b - bt)));
        let unknown = self.any_of.keys().find(|name| !emotions.iter().any(|emotion| emotion.name == **name));
        if let (None, Some(name)) = (&furthest, unknown) {
            return Err(RuleError { rule: self.id(), detail: format!("the model knows no emotion `{name}`") });
        }
        Ok(furthest.map(|(name, score, threshold)| Finding {
            rule: self.id(),
            value: Some(score),
            threshold: Some(threshold),
            message: format!("{name} {score:.2} reaches {threshold:.2}"),
            priority: self.priority,
        }))
    }
}
