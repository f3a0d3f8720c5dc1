//! Everything that is asked of a policy at once: what it would have done, beside another, and over the values of a parameter.

use super::diff::{Difference, differences};
use super::played::{Played, play};
use super::recorded::Recorded;
use super::report::{BacktestReport, backtest};
use super::sweep::{Bound, Curve, Sweep, SweepError, sweep};
use crate::policy::Policy;
use rayon::prelude::*;
use serde::Serialize;

/// What a policy would have done.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Examined {
    /// The policy.
    pub report: BacktestReport,
    /// The one beside it.
    pub against: Option<BacktestReport>,
    /// Conversations in which they differ.
    pub differences: Vec<Difference>,
    /// The curve of a parameter.
    pub sweep: Option<Curve>,
}

/// What is asked beside the policy's own figures.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Another policy.
    pub against: Option<&'a Policy>,
    /// Messages after the labelled point that are in time.
    pub within: usize,
    /// A parameter and its values.
    pub sweep: Option<&'a Sweep>,
    /// What the recommended value may cost.
    pub bound: Option<Bound>,
}

/// Plays every conversation, on every core.
///
/// # Errors
/// When the parameter or a value of it means nothing.
pub fn examine(policy: &Policy, recorded: &[Recorded], question: Question<'_>) -> Result<Examined, SweepError> {
    let Question { against, within, sweep: asked, bound } = question;
    let all = |policy: &Policy| -> Vec<Played> { recorded.par_iter().map(|one| play(policy, one)).collect() };
    let played = all(policy);
    let others = against.map(|against| (against, all(against)));
    Ok(Examined {
        report: backtest(policy, recorded, &played, within),
        against: others.as_ref().map(|(against, others)| backtest(against, recorded, others, within)),
        differences: others.as_ref().map(|(_, others)| differences(recorded, &played, others)).unwrap_or_default(),
        sweep: asked.map(|asked| sweep(policy.file(), recorded, asked, within, bound)).transpose()?,
    })
}
