//! The mood goes down over several messages: an exponentially weighted mean with hysteresis.

use super::{countable, rounded, sentiment, shown, within};
use crate::policy::{Effect, Facts, Finding, Priority, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// The mean after each message is `ewma_alpha` times its score plus the rest times the mean before; the first score is the first mean.
/// The mood has fallen when the mean goes below `enter_below` with at least `min_turns` messages, and has not any more when it
/// rises above `exit_above`. Fires while it has fallen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FallingSentiment {
    /// Weight of the latest message, in (0, 1].
    pub ewma_alpha: f32,
    /// In [−1, 1].
    pub enter_below: f32,
    /// In [−1, 1], not below `enter_below`.
    pub exit_above: f32,
    /// Fewest messages, 1 or more.
    pub min_turns: usize,
    /// How soon.
    pub priority: Priority,
}

impl Rule for FallingSentiment {
    fn id(&self) -> &'static str {
        "falling_sentiment"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        sentiment(self.id(), facts.prediction)?;
        let all = facts.past.iter().map(|past| &past.prediction).chain([facts.prediction]);
        let (mut mean, mut fallen) = (None, false);
        for (turn, score) in all.filter_map(|prediction| Some(rounded(prediction.sentiment?.score))).enumerate() {
            let next = mean.map_or(score, |mean| self.ewma_alpha.mul_add(score - mean, mean));
            mean = Some(next);
            let next = rounded(next);
            fallen = if fallen { next <= self.exit_above } else { turn + 1 >= self.min_turns && next < self.enter_below };
        }
        let mean = rounded(mean.unwrap_or_default());
        Ok(fallen.then(|| Finding {
            rule: self.id().into(),
            value: Some(mean),
            threshold: Some(self.enter_below),
            message: format!(
                "the mean sentiment has fallen to {} (below {}, until above {})",
                shown(mean),
                shown(self.enter_below),
                shown(self.exit_above)
            ),
            effect: Effect::Escalate(self.priority),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        within("ewma_alpha", self.ewma_alpha, f32::EPSILON, 1.0)?;
        within("enter_below", self.enter_below, -1.0, 1.0)?;
        within("exit_above", self.exit_above, self.enter_below, 1.0)?;
        countable("min_turns", self.min_turns, 1)
    }
}
