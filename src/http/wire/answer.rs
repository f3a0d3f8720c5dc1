//! What is answered. Answers only ever gain fields.

use super::request::Task;
use crate::desk::{Answered, Place};
use crate::engine::Attribution;
use crate::heads::{Sentiment, Status};
use crate::patterns::Source;
use crate::policy::{Action, Decision, Priority, QuickReply};
use crate::text::OffsetUnit;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// The answer to a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponseBody {
    /// `name@version`.
    pub model: String,
    /// One element for each input, in order.
    pub data: Vec<ResultObject>,
    /// What it cost.
    pub usage: Usage,
}

/// What a request cost.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// Tokens the encoder read.
    pub tokens: usize,
}

/// A name with its probability.
#[derive(Debug, Serialize, ToSchema)]
pub struct Scored {
    name: String,
    score: f64,
}

/// One entity.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntityObject {
    label: String,
    text: String,
    start: usize,
    end: usize,
    score: f64,
    source: Source,
    value: Option<serde_json::Value>,
}

/// Probability of each feeling.
#[derive(Debug, Serialize, ToSchema)]
pub struct Probabilities {
    negative: f64,
    neutral: f64,
    positive: f64,
}

/// Sentiment.
#[derive(Debug, Serialize, ToSchema)]
pub struct SentimentObject {
    label: Sentiment,
    score: f64,
    probabilities: Probabilities,
}

/// Why a human is recommended.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonObject {
    #[schema(value_type = String)]
    rule: Cow<'static, str>,
    value: Option<f64>,
    threshold: Option<f64>,
    message: String,
}

/// Whether a human is recommended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EscalationObject {
    /// Whether a human should take over; not, where one handed the conversation back a moment ago.
    recommended: bool,
    /// What was done in the conversation: `none`, `hand_over`, `with_human` or `cool_down`.
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<&'static str>,
    priority: Option<Priority>,
    reasons: Vec<ReasonObject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    policy: String,
    acknowledgement: Option<String>,
    /// The hand-over that the message began or falls into.
    handover_id: Option<String>,
    /// Until when reasons are passed over, after a hand-back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    cool_down_until: Option<jiff::Timestamp>,
}

/// Where a message stands in its conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlaceObject {
    id: String,
    /// Its turn, from 0, turns of others counted.
    turn: u64,
    /// Whether the answer is from memory, because the message came before.
    repeated: bool,
}

/// What a part of the text gave to the answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttributionObject {
    text: String,
    start: usize,
    end: usize,
    intent: Option<f64>,
    sentiment: Option<f64>,
}

/// The answer to one input.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResultObject {
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<Scored>,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent_ranking: Option<Vec<Scored>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entities: Option<Vec<EntityObject>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sentiment: Option<SentimentObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emotions: Option<Vec<Scored>>,
    escalation: EscalationObject,
    /// What to offer the customer, where the message may mean several things.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    quick_replies: Vec<QuickReply>,
    /// Where the message stands, if it belongs to a conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<PlaceObject>,
    /// Which words made the answer, where that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Vec<AttributionObject>>,
    /// Tokens the encoder read.
    pub tokens: usize,
    truncated: bool,
}

/// What shapes an answer.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'a> {
    /// Parts that are wanted.
    pub tasks: &'a [Task],
    /// Most intents in the ranking.
    pub top_k: usize,
    /// What offsets count.
    pub unit: OffsetUnit,
}

/// A score with four decimals: more are noise.
fn score(value: f32) -> f64 {
    (f64::from(value) * 1e4).round() / 1e4
}

/// The answer to one input.
#[must_use]
pub fn result(id: Option<String>, text: &str, answered: Answered, shape: Shape<'_>) -> ResultObject {
    let Answered { outcome, mut decision, place } = answered;
    let wants = |task| shape.tasks.contains(&task);
    let prediction = outcome.prediction;
    let scored = |(name, value): (String, f32)| Scored { name, score: score(value) };
    let intent = prediction.intent.filter(|_| wants(Task::Intent));
    let entity = |entity: crate::patterns::Entity| {
        let (start, end) = entity.span.offsets(text, shape.unit);
        let slice = entity.span.slice(text).to_owned();
        EntityObject {
            label: entity.label,
            text: slice,
            start,
            end,
            score: score(entity.score),
            source: entity.source,
            value: entity.value,
        }
    };
    let sentiment = prediction.sentiment.filter(|_| wants(Task::Sentiment)).map(|sentiment| {
        let [negative, neutral, positive] = sentiment.probabilities.map(score);
        SentimentObject {
            label: sentiment.label,
            score: score(sentiment.score),
            probabilities: Probabilities { negative, neutral, positive },
        }
    });
    let present = |emotions: Vec<crate::heads::EmotionScore>| {
        emotions.into_iter().filter(|emotion| emotion.present).map(|emotion| scored((emotion.name, emotion.score))).collect()
    };
    ResultObject {
        id,
        status: intent.as_ref().map(|intent| intent.status),
        intent: intent.as_ref().and_then(|intent| intent.ranking.first().cloned().map(scored)),
        intent_ranking: intent.map(|intent| intent.ranking.into_iter().take(shape.top_k).map(scored).collect()),
        entities: prediction.entities.filter(|_| wants(Task::Entities)).map(|found| found.into_iter().map(entity).collect()),
        sentiment,
        emotions: prediction.emotions.filter(|_| wants(Task::Emotions)).map(present),
        quick_replies: std::mem::take(&mut decision.quick_replies),
        escalation: escalation(decision, place.as_ref()),
        conversation: place.map(|place| PlaceObject { id: place.conversation, turn: place.turn, repeated: place.repeated }),
        explanation: None,
        tokens: outcome.tokens,
        truncated: outcome.truncated,
    }
}

/// What each part of the text gave to the answer.
#[must_use]
pub fn attributions(text: &str, found: &[Attribution], unit: OffsetUnit) -> Vec<AttributionObject> {
    let object = |found: &Attribution| {
        let (start, end) = found.span.offsets(text, unit);
        let text = found.span.slice(text).to_owned();
        AttributionObject { text, start, end, intent: found.intent.map(score), sentiment: found.sentiment.map(score) }
    };
    found.iter().map(object).collect()
}

fn escalation(decision: Decision, place: Option<&Place>) -> EscalationObject {
    let reason = |reason: crate::policy::Finding| ReasonObject {
        rule: reason.rule,
        value: reason.value.map(score),
        threshold: reason.threshold.map(score),
        message: reason.message,
    };
    EscalationObject {
        recommended: decision.escalate && !matches!(decision.action, Action::CoolDown { .. }),
        action: place.map(|_| action(decision.action)),
        priority: decision.priority,
        reasons: decision.reasons.into_iter().map(reason).collect(),
        errors: decision.errors.iter().map(ToString::to_string).collect(),
        policy: decision.policy,
        acknowledgement: decision.acknowledgement,
        handover_id: place.and_then(|place| place.handover.clone()),
        cool_down_until: match decision.action {
            Action::CoolDown { until } => Some(until),
            _ => None,
        },
    }
}

/// Name of what was done.
#[must_use]
pub fn action(action: Action) -> &'static str {
    match action {
        Action::None => "none",
        Action::HandOver => "hand_over",
        Action::WithHuman => "with_human",
        Action::CoolDown { .. } => "cool_down",
    }
}
