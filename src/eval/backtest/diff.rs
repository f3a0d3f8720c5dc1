//! Two policies beside each other, conversation by conversation.

use super::played::Played;
use super::recorded::{Recorded, Wanted};
use serde::Serialize;

/// A conversation in which two policies differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    /// The conversation.
    pub conversation: String,
    /// The message of the customer, from 1, at which the first hands over.
    pub first: Option<usize>,
    /// The message at which the second does.
    pub second: Option<usize>,
    /// The rules that fired for whichever hands over first.
    pub rules: Vec<String>,
    /// The message from which a human should have taken over, from 1; 0 for not at all; none where it is not known.
    pub wanted: Option<usize>,
    /// The message at which they part.
    pub text: String,
}

/// The conversations in which two policies differ.
#[must_use]
pub fn differences(recorded: &[Recorded], first: &[Played], second: &[Played]) -> Vec<Difference> {
    let parts = recorded.iter().zip(first).zip(second).filter(|((_, one), two)| one.handed_over != two.handed_over);
    let entry = |((recorded, one), two): ((&Recorded, &Played), &Played)| {
        let one_first = one.handed_over.is_some_and(|at| two.handed_over.is_none_or(|other| at < other));
        let (sooner, at) = if one_first { (one, one.handed_over) } else { (two, two.handed_over) };
        let reasons = at.and_then(|at| sooner.decisions.get(at)).map(|decision| &decision.reasons);
        Difference {
            conversation: recorded.id.clone(),
            first: one.handed_over.map(|at| at + 1),
            second: two.handed_over.map(|at| at + 1),
            rules: reasons.into_iter().flatten().map(|reason| reason.rule.clone().into_owned()).collect(),
            wanted: recorded.wanted.map(|wanted| match wanted {
                Wanted::From(point) => point + 1,
                Wanted::No => 0,
            }),
            text: at.and_then(|at| recorded.messages.get(at)).map(|message| message.text.clone()).unwrap_or_default(),
        }
    };
    parts.map(entry).collect()
}
