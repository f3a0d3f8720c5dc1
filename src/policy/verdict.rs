//! A policy ready to decide: which rules count for a message, and what their findings come to.

use super::decision::{Action, Decision, Effect, Finding, Priority, Rule, RuleError};
use super::facts::Facts;
use super::file::{PolicyFile, When};
use super::rules::{ASKED_FOR_HUMAN, RULES};
use super::words::{acknowledgement, quick_replies};
use jiff::SignedDuration;

type Rules = Vec<Box<dyn Rule>>;

/// The rules of a policy file, ready to decide.
pub struct Policy {
    rules: Rules,
    overrides: Vec<(When, Rules, Vec<String>)>,
    file: PolicyFile,
    hash: String,
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
        let of = |escalate| RULES.iter().filter_map(|build| build(escalate)).collect();
        let overrides = file.overrides.iter().map(|other| (other.when.clone(), of(&other.escalate), other.off.clone())).collect();
        let hash = file.hash();
        Self { rules: of(&file.escalate), overrides, id: format!("{name}@sha256:{hash}"), hash, file }
    }

    /// The name of the policy in a file.
    #[must_use]
    pub fn name_of(file: &std::path::Path) -> String {
        file.file_stem().map_or_else(|| "policy".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Name and hash.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The hash of its file.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The file it was made from.
    #[must_use]
    pub fn file(&self) -> &PolicyFile {
        &self.file
    }

    /// Silence after which a conversation begins anew.
    #[must_use]
    pub fn idle(&self) -> SignedDuration {
        self.file.episode_idle
    }

    /// Decides. The order of the rules does not matter.
    #[must_use]
    pub fn decide(&self, facts: &Facts<'_>) -> Decision {
        let (mut reasons, mut errors) = (Vec::new(), Vec::new());
        let rules = self.rules_for(facts);
        for rule in &rules {
            match rule.check(facts) {
                Ok(finding) => reasons.extend(finding),
                Err(error) => errors.push(error),
            }
        }
        errors.sort_by(|a: &RuleError, b| a.rule.cmp(&b.rule));
        let priority = priority(&reasons);
        if priority.is_none() {
            reasons.clear();
        }
        reasons.sort_by(|a, b| pressing(b).cmp(&pressing(a)).then(a.rule.cmp(&b.rule)));
        let action = self.action(facts, &reasons);
        let sentences = &self.file.acknowledgements;
        let speak = |_| {
            let opens = rules.iter().find_map(|rule| rule.opens(facts));
            acknowledgement(sentences, facts.language, facts.prediction, opens.as_deref())
        };
        let acknowledgement = priority.filter(|_| !matches!(action, Action::CoolDown { .. })).map(speak);
        let bot = matches!(action, Action::None | Action::CoolDown { .. });
        let quick_replies = if bot { self.offer(facts) } else { Vec::new() };
        Decision {
            escalate: priority.is_some(),
            action,
            priority,
            reasons,
            errors,
            policy: self.id.clone(),
            acknowledgement,
            quick_replies,
        }
    }

    fn offer(&self, facts: &Facts<'_>) -> Vec<super::QuickReply> {
        quick_replies(&self.file.quick_replies, facts.language, facts.prediction)
    }

    /// The rules of the file, changed by every override that fits, in the file's order.
    fn rules_for(&self, facts: &Facts<'_>) -> Vec<&dyn Rule> {
        let mut rules: Vec<&dyn Rule> = self.rules.iter().map(AsRef::as_ref).collect();
        for (_, others, off) in self.overrides.iter().filter(|(when, ..)| when.fits(facts.channel, facts.segment)) {
            rules.retain(|rule| !off.iter().any(|id| id == rule.id()) && !others.iter().any(|other| other.id() == rule.id()));
            rules.extend(others.iter().map(AsRef::as_ref));
        }
        rules
    }

    /// What findings lead to: a person has it, had it a moment ago, or gets it now.
    fn action(&self, facts: &Facts<'_>, reasons: &[Finding]) -> Action {
        if facts.episode.open.is_some() {
            return Action::WithHuman;
        }
        let Some(severity) = severity(reasons) else { return Action::None };
        let asked = reasons.iter().any(|reason| reason.rule == ASKED_FOR_HUMAN);
        match facts.episode.ended {
            Some(ended) if !asked && severity <= ended.severity => {
                let until = ended.at.checked_add(self.file.cool_down).unwrap_or(jiff::Timestamp::MAX);
                if facts.at < until { Action::CoolDown { until } } else { Action::HandOver }
            }
            _ => Action::HandOver,
        }
    }
}

/// The highest priority among the reasons, before anything raises or lowers it; none where nothing calls for a human.
pub fn severity(reasons: &[Finding]) -> Option<Priority> {
    let own = |reason: &Finding| match reason.effect {
        Effect::Escalate(priority) => Some(priority),
        Effect::Raise(_) => Some(Priority::Low),
        Effect::Lower(_) => None,
    };
    reasons.iter().filter_map(own).max()
}

/// The same, raised and lowered.
fn priority(reasons: &[Finding]) -> Option<Priority> {
    let step = |reason: &Finding| match reason.effect {
        Effect::Escalate(_) => 0,
        Effect::Raise(by) => i32::from(by),
        Effect::Lower(by) => -i32::from(by),
    };
    severity(reasons).map(|severity| severity.moved(reasons.iter().map(step).sum()))
}

/// Where a reason stands among others.
fn pressing(reason: &Finding) -> Option<Priority> {
    match reason.effect {
        Effect::Escalate(priority) => Some(priority),
        Effect::Raise(_) | Effect::Lower(_) => None,
    }
}
