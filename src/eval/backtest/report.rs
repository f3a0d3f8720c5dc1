//! The figures of a back-test.

use super::played::Played;
use super::recorded::{Recorded, Wanted};
use crate::policy::Policy;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a policy would have done.
#[derive(Debug, Clone, PartialEq, Default, Serialize, utoipa::ToSchema)]
pub struct BacktestReport {
    /// Name and hash of the policy.
    pub policy: String,
    /// Conversations.
    pub conversations: usize,
    /// Messages of customers.
    pub messages: usize,
    /// Conversations that were handed over.
    pub handed_over: usize,
    /// Their share.
    pub rate: f64,
    /// Days on which messages were written.
    pub days: usize,
    /// Hand-overs a day.
    pub per_day: f64,
    /// Messages of the customer, in the mean, until a hand-over, this one counted.
    pub messages_until: Option<f64>,
    /// Conversations by the rule that was the first reason.
    pub by_rule: BTreeMap<String, usize>,
    /// Conversations by priority.
    pub by_priority: BTreeMap<&'static str, usize>,
    /// Messages about which a rule could not decide, by rule.
    pub errors: BTreeMap<String, usize>,
    /// How right that is, where it is known.
    pub labelled: Option<AgainstLabels>,
}

/// Against what should have been.
#[derive(Debug, Clone, PartialEq, Default, Serialize, utoipa::ToSchema)]
pub struct AgainstLabels {
    /// Conversations of which it is known.
    pub conversations: usize,
    /// Of them, those that a human should have taken over.
    pub wanted: usize,
    /// Of those, handed over at or before `within` messages after the point.
    pub in_time: usize,
    /// Messages after the point that count as in time.
    pub within: usize,
    /// Of those that a human should have taken over, handed over later.
    pub late: usize,
    /// Never.
    pub missed: usize,
    /// Of those that no human was needed for, handed over.
    pub false_alarms: usize,
    /// Of those that should have been, the share in time.
    pub recall: f64,
    /// Of those handed over, the share that should have been.
    pub precision: f64,
    /// Of those that should not have been, the share handed over.
    pub false_alarm_rate: f64,
    /// False alarms among 1,000 conversations of this kind.
    pub false_alarms_per_1000: f64,
    /// Messages of the customer, in the mean, by which the hand-over came before the point; negative where it came after.
    pub messages_saved: Option<f64>,
    /// Up to twenty conversations that were missed or late.
    pub worst_missed: Vec<String>,
    /// Up to twenty false alarms.
    pub worst_false: Vec<String>,
}

/// Conversations that are named.
const NAMED: usize = 20;

/// The figures of conversations that were played through; `within` messages after the labelled point are in time.
#[must_use]
pub fn backtest(policy: &Policy, recorded: &[Recorded], played: &[Played], within: usize) -> BacktestReport {
    let mut report = BacktestReport { policy: policy.id().to_owned(), conversations: recorded.len(), ..BacktestReport::default() };
    let mut days = BTreeSet::new();
    let mut until = Vec::new();
    for (recorded, played) in recorded.iter().zip(played) {
        report.messages += recorded.messages.len();
        days.extend(recorded.messages.iter().map(|message| message.at.as_second().div_euclid(86_400)));
        for error in played.decisions.iter().flat_map(|decision| &decision.errors) {
            *report.errors.entry(error.rule.clone().into_owned()).or_default() += 1;
        }
        let Some(at) = played.handed_over else { continue };
        report.handed_over += 1;
        until.push(ratio(at + 1, 1));
        let Some(decision) = played.decisions.get(at) else { continue };
        if let Some(reason) = decision.reasons.first() {
            *report.by_rule.entry(reason.rule.clone().into_owned()).or_default() += 1;
        }
        if let Some(priority) = decision.priority {
            *report.by_priority.entry(priority.name()).or_default() += 1;
        }
    }
    report.days = days.len();
    report.rate = ratio(report.handed_over, report.conversations);
    report.per_day = ratio(report.handed_over, report.days);
    report.messages_until = mean(&until);
    report.labelled = labelled(recorded, played, within);
    report
}

fn labelled(recorded: &[Recorded], played: &[Played], within: usize) -> Option<AgainstLabels> {
    let mut found = AgainstLabels { within, ..AgainstLabels::default() };
    let mut saved = Vec::new();
    for (recorded, played) in recorded.iter().zip(played) {
        match (recorded.wanted, played.handed_over) {
            (None, _) => continue,
            (Some(Wanted::No), None) => {}
            (Some(Wanted::No), Some(_)) => {
                found.false_alarms += 1;
                name(&mut found.worst_false, &recorded.id);
            }
            (Some(Wanted::From(point)), Some(at)) => {
                found.wanted += 1;
                saved.push(ratio(point, 1) - ratio(at, 1));
                if at <= point + within {
                    found.in_time += 1;
                } else {
                    found.late += 1;
                    name(&mut found.worst_missed, &recorded.id);
                }
            }
            (Some(Wanted::From(_)), None) => {
                found.wanted += 1;
                found.missed += 1;
                name(&mut found.worst_missed, &recorded.id);
            }
        }
        found.conversations += 1;
    }
    let calm = found.conversations - found.wanted;
    found.recall = ratio(found.in_time, found.wanted);
    found.precision = ratio(found.in_time + found.late, found.in_time + found.late + found.false_alarms);
    found.false_alarm_rate = ratio(found.false_alarms, calm);
    found.false_alarms_per_1000 = 1000.0 * ratio(found.false_alarms, found.conversations);
    found.messages_saved = mean(&saved);
    Some(found).filter(|found| found.conversations > 0)
}

fn name(list: &mut Vec<String>, id: &str) {
    if list.len() < NAMED {
        list.push(id.to_owned());
    }
}

/// A share; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of conversations")]
pub(super) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / ratio(values.len(), 1))
}
