//! From checked messages to outcomes, and from outcomes to decisions: what every route that classifies has in common.

use super::problem::Problem;
use super::server::Service;
use super::terms::Terms;
use crate::engine::{Engine, Input, Outcome, Request, Slot};
use crate::policy::{Decision, Facts, Priority};
use crate::telemetry;
use crate::text::Utterance;
use std::sync::Arc;

/// The engine of a slot by its name.
///
/// # Errors
/// 422 when there is no such slot or it is empty.
pub fn engine(service: &Service, slot: &str) -> Result<Arc<Engine>, Problem> {
    let known = Slot::named(slot).ok_or_else(|| format!("there is no slot `{slot}`; send `stable` or `shadow`"));
    let engine = known.and_then(|slot| service.slots.get(slot).ok_or_else(|| format!("the slot `{}` is empty", slot.name())));
    engine.map_err(|detail| Problem::invalid("/options/model", detail))
}

/// Classifies messages on the terms of their request.
///
/// # Errors
/// When the request is refused, too late, or fails.
pub async fn outcomes(engine: &Engine, inputs: Vec<Input>, terms: &Terms) -> Result<Vec<Outcome>, Problem> {
    let request = Request { class: terms.class(inputs.len()), deadline: Some(terms.deadline), inputs };
    let answer = tokio::time::timeout_at(terms.deadline.into(), engine.classify(request)).await;
    Ok(answer.map_err(|_| Problem::deadline())??)
}

/// What is done about an outcome. Counts the message.
pub fn decide(service: &Service, text: &Utterance, outcome: &Outcome) -> Decision {
    let decision = service.policy.decide(&Facts { text, prediction: &outcome.prediction });
    let status = outcome.prediction.intent.as_ref().map_or("none", |intent| intent.status.name());
    telemetry::classified(status, outcome.tokens, outcome.truncated, decision.priority.map(Priority::name));
    decision
}
