//! From checked messages to answers: what every route that classifies has in common.

use super::problem::Problem;
use super::server::Service;
use super::terms::Terms;
use crate::desk::{self, Answered, Asked, DeskError};
use crate::engine::{Engine, Input, Outcome, Request, Slot};
use crate::policy::{Action, Decision, Facts, Priority};
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

/// Answers messages, those of a conversation beside what was said before. `whole` refuses messages longer than the model reads.
///
/// # Errors
/// When the request is refused, too late, or fails, or names a conversation where none are kept.
pub async fn answers(service: &Service, engine: &Engine, asked: &[Asked], terms: &Terms, whole: bool) -> Result<Vec<Answered>, Problem> {
    let answers = if asked.iter().any(|one| one.conversation.is_some()) {
        let own = desk::Terms { class: terms.class(asked.len()), deadline: Some(terms.deadline), whole };
        let taken = service.desk()?.take(engine, asked, own);
        tokio::time::timeout_at(terms.deadline.into(), taken).await.map_err(|_| Problem::deadline())??
    } else {
        let outcomes = outcomes(engine, asked.iter().map(|one| one.input.clone()).collect(), terms).await?;
        if let Some((input, outcome)) = outcomes.iter().enumerate().find(|(_, outcome)| whole && outcome.truncated) {
            return Err(DeskError::Truncated { input, tokens: outcome.tokens }.into());
        }
        let policy = service.policy();
        let answer = |(one, outcome): (&Asked, Outcome)| {
            let decision = policy.decide(&one.facts(&outcome, engine));
            Answered { outcome, decision, place: None }
        };
        asked.iter().zip(outcomes).map(answer).collect()
    };
    for answered in &answers {
        count(&answered.outcome, &answered.decision);
        if let Some(place) = answered.place.as_ref().filter(|place| !place.repeated && answered.decision.action == Action::HandOver) {
            telemetry::handed_over(
                answered.decision.priority.map_or("normal", Priority::name),
                place.handover.as_deref().unwrap_or_default(),
            );
        }
    }
    Ok(answers)
}

/// What is done about the outcome of a message that belongs to no conversation. Counts the message.
pub fn decide(service: &Service, engine: &Engine, text: &Utterance, outcome: &Outcome) -> Decision {
    let decision = service.policy().decide(&Facts::lone(text, &outcome.prediction, engine.labels()));
    count(outcome, &decision);
    decision
}

fn count(outcome: &Outcome, decision: &Decision) {
    let status = outcome.prediction.intent.as_ref().map_or("none", |intent| intent.status.name());
    telemetry::classified(status, outcome.tokens, outcome.truncated, decision.priority.map(Priority::name));
    for error in &decision.errors {
        telemetry::rule_failed(&error.rule);
    }
}
