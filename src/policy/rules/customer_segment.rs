//! The customer belongs to a group that is looked after sooner.

use super::{below, filled, within};
use crate::policy::{Effect, Facts, Finding, Rule, RuleError};
use serde::{Deserialize, Serialize};

/// Fires for customers of `segments`, where `with_sentiment_below` is given only if the sentiment is below it. Makes every other
/// reason more pressing by `raise_by`, and is a reason itself: a low one, raised by as much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerSegment {
    /// The groups.
    pub segments: Vec<String>,
    /// In [−1, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_sentiment_below: Option<f32>,
    /// Steps of priority.
    pub raise_by: u8,
}

impl Rule for CustomerSegment {
    fn id(&self) -> &'static str {
        "customer_segment"
    }

    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError> {
        let Some(segment) = facts.segment.filter(|segment| self.segments.iter().any(|one| one == segment)) else { return Ok(None) };
        let Some((score, mood)) = below(self.id(), facts, self.with_sentiment_below)? else { return Ok(None) };
        Ok(Some(Finding {
            rule: self.id().into(),
            value: score,
            threshold: self.with_sentiment_below,
            message: format!("a customer of the segment {segment}{mood}"),
            effect: Effect::Raise(self.raise_by),
        }))
    }

    fn validate(&self) -> Result<(), (String, String)> {
        filled("segments", &self.segments)?;
        self.with_sentiment_below.map_or(Ok(()), |bound| within("with_sentiment_below", bound, -1.0, 1.0))
    }
}
