//! Facts, rules and the decision they lead to.

use super::file::PolicyFile;
use super::rules::RULES;
use crate::heads::Prediction;
use serde::{Deserialize, Serialize};

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
}

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The message.
    pub text: &'a str,
    /// What the message says.
    pub prediction: &'a Prediction,
}

/// Why one rule would hand over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The rule.
    pub rule: &'static str,
    /// What was measured, where it is a number.
    pub value: Option<f32>,
    /// What it was measured against.
    pub threshold: Option<f32>,
    /// The reason in words.
    pub message: String,
    /// How soon.
    #[serde(skip)]
    pub priority: Priority,
}

/// A rule could not decide. It is reported and never counts as passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("rule `{rule}`: {detail}")]
pub struct RuleError {
    /// The rule.
    pub rule: &'static str,
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
}

/// What is to be done about a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Whether a human should take over.
    pub escalate: bool,
    /// Highest priority among the reasons.
    pub priority: Option<Priority>,
    /// Every rule that fired, the most pressing first, then by name.
    pub reasons: Vec<Finding>,
    /// Every rule that could not decide, by name.
    pub errors: Vec<RuleError>,
    /// Name and hash of the policy.
    pub policy: String,
    /// What to tell the customer, when a human should take over.
    pub acknowledgement: Option<String>,
}

/// The rules of a policy file, ready to decide.
pub struct Policy {
    rules: Vec<Box<dyn Rule>>,
    file: PolicyFile,
    id: String,
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policy").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Policy {
    /// The policy of a file, under a name.
    #[must_use]
    pub fn new(name: &str, file: PolicyFile) -> Self {
        let rules = RULES.iter().filter_map(|build| build(&file.escalate)).collect();
        Self { rules, id: format!("{name}@sha256:{}", file.hash()), file }
    }

    /// Name and hash.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Decides. The order of the rules does not matter.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        let (mut reasons, mut errors) = (Vec::new(), Vec::new());
        for rule in &self.rules {
            match rule.check(facts) {
                Ok(finding) => reasons.extend(finding),
                Err(error) => errors.push(error),
            }
        }
        reasons.sort_by(|a, b| b.priority.cmp(&a.priority).then(a.rule.cmp(b.rule)));
        errors.sort_by_key(|error| error.rule);
        let priority = reasons.first().map(|reason| reason.priority);
        let acknowledgement = priority.map(|_| self.file.acknowledgement(facts.prediction).to_owned());
        Decision { escalate: priority.is_some(), priority, reasons, errors, policy: self.id.clone(), acknowledgement }
    }
}
