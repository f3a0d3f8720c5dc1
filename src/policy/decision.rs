//! Rules, and the decision they lead to.

use super::facts::Facts;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How soon a human should take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// When somebody has time.
    Low,
    /// In turn.
    Normal,
    /// Before others.
    High,
    /// At once.
    Urgent,
}

impl Priority {
    const ALL: [Self; 4] = [Self::Low, Self::Normal, Self::High, Self::Urgent];

    /// Name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }

    /// The priority `steps` higher, at most urgent, or lower where negative, at least low.
    #[must_use]
    pub fn moved(self, steps: i32) -> Self {
        let place = (self as usize).saturating_add_signed(steps as isize).min(Self::ALL.len() - 1);
        Self::ALL.get(place).copied().unwrap_or(self)
    }
}

/// What a rule that fired does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Calls for a human.
    Escalate(Priority),
    /// Calls for a human without hurry, and makes every other reason more pressing.
    Raise(u8),
    /// Makes every other reason less pressing; no reason in itself.
    Lower(u8),
}

/// Why one rule would hand over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: Cow<'static, str>,
    /// What was measured, where it is a number.
    pub value: Option<f32>,
    /// What it was measured against.
    pub threshold: Option<f32>,
    /// The reason in words.
    pub message: String,
    /// What it does.
    pub effect: Effect,
}

/// A rule could not decide. It is reported and never counts as passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("rule `{rule}`: {detail}")]
pub struct RuleError {
    /// The rule.
    pub rule: Cow<'static, str>,
    /// What it lacked.
    pub detail: String,
}

/// One reason for a hand-over. Pure: the same facts give the same answer.
pub trait Rule: Send + Sync {
    /// The rule's name in policy files and answers.
    fn id(&self) -> &'static str;

    /// Whether the facts call for a human.
    ///
    /// # Errors
    /// When a fact that the rule needs is missing.
    fn check(&self, facts: &Facts<'_>) -> Result<Option<Finding>, RuleError>;

    /// When people are there again, in words, where this rule knows that they are not.
    fn opens(&self, _facts: &Facts<'_>) -> Option<String> {
        None
    }

    /// Whether the parameters mean something.
    ///
    /// # Errors
    /// The key below the rule's name, and what is wrong with its value.
    fn validate(&self) -> Result<(), (String, String)>;
}

/// What is done about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The bot goes on.
    None,
    /// A person takes over from here.
    HandOver,
    /// A person has the conversation already.
    WithHuman,
    /// There would be a reason, but a person handed the conversation back a moment ago.
    CoolDown {
        /// Until when reasons are passed over.
        until: Timestamp,
    },
}

/// What is to be done about a message, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether a human should take over, or should have.
    pub escalate: bool,
    /// What is done.
    pub action: Action,
    /// Highest priority among the reasons, raised and lowered.
    pub priority: Option<Priority>,
    /// Every rule that fired, the most pressing first, then by name.
    pub reasons: Vec<Finding>,
    /// Every rule that could not decide, by name.
    pub errors: Vec<RuleError>,
    /// Name and hash of the policy.
    pub policy: String,
    /// What to tell the customer, when a human should take over.
    pub acknowledgement: Option<String>,
    /// What to offer the customer, when the message may mean several things.
    pub quick_replies: Vec<QuickReply>,
}

/// One of the things that an ambiguous message may mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuickReply {
    /// The intent.
    pub intent: String,
    /// What a button could say.
    pub text: String,
}
