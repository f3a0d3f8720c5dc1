//! The JSON of `/v1/classify`. Unknown request fields are errors; responses only ever gain fields.

use crate::conversation::Role;
use crate::engine::{Attribution, Outcome};
use crate::heads::{Sentiment, Status};
use crate::patterns::Source;
use crate::policy::{Decision, Priority};
use crate::text::OffsetUnit;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::marker::PhantomData;
use utoipa::ToSchema;

/// Part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// What the customer wants.
    Intent,
    /// Which things are named.
    Entities,
    /// How the customer feels.
    Sentiment,
    /// Which emotions show.
    Emotions,
}

impl Task {
    /// Every part.
    pub const ALL: [Self; 4] = [Self::Intent, Self::Entities, Self::Sentiment, Self::Emotions];
}

/// A structure written as a JSON object. serde would take an array of the fields' values as well.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// What is to be classified.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "the document's form of `RequestBody::input`, which is read by hand so that each fault has its place")]
pub enum Input {
    /// One message.
    Text(String),
    /// Several messages.
    Texts(Vec<String>),
    /// Messages with what is known of them.
    Objects(Vec<InputObject>),
}

/// The body of a request, its inputs not yet read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestBody {
    /// A string, an array of strings, or an array of objects.
    #[schema(value_type = Input)]
    pub input: serde_json::Value,
    /// Parts of the answer that are wanted; all without it.
    #[schema(min_items = 1)]
    pub tasks: Option<Vec<Task>>,
    /// Options.
    #[schema(value_type = Option<RequestOptions>)]
    pub options: Option<Object<RequestOptions>>,
}

/// Options of a request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RequestOptions {
    /// Most intents in the ranking.
    #[schema(minimum = 1, default = 3)]
    pub top_k: usize,
    /// What offsets count.
    pub offset_unit: OffsetUnit,
    /// Whether messages longer than the model reads are cut (or refused).
    pub truncate: bool,
    /// The model's slot: `stable` or `shadow`.
    #[schema(default = "stable")]
    pub model: String,
    /// Whether to say which words made the answer.
    pub explain: bool,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self { top_k: 3, offset_unit: OffsetUnit::Codepoint, truncate: true, model: "stable".to_owned(), explain: false }
    }
}

/// One input as an object.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "channel, customer and metadata are checked for their shape; no rule reads them yet")]
pub struct InputObject {
    /// Given back in the answer.
    pub id: Option<String>,
    /// The message.
    #[schema(min_length = 1, max_length = 16384)]
    pub text: String,
    /// The conversation that the message belongs to.
    pub conversation_id: Option<String>,
    /// What was said before, oldest first.
    #[schema(value_type = Option<Vec<ContextTurn>>, max_items = 200)]
    pub context: Option<Vec<Object<ContextTurn>>>,
    /// BCP 47 tag; its region settles national phone numbers and dates.
    pub language: Option<String>,
    /// When the message was written, RFC 3339.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub timestamp: Option<String>,
    /// IANA name; relative dates are resolved in it.
    pub timezone: Option<String>,
    /// Where the message came in.
    pub channel: Option<String>,
    /// Who wrote it.
    #[schema(value_type = Option<Customer>)]
    pub customer: Option<Object<Customer>>,
    /// Whatever the caller likes to add.
    pub metadata: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A turn before the message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextTurn {
    /// Who spoke.
    pub role: Role,
    /// What was said.
    #[schema(min_length = 1, max_length = 16384)]
    pub text: String,
}

/// Who wrote a message.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "checked for its shape; no rule reads it yet")]
pub struct Customer {
    /// The shop's identifier.
    pub id: Option<String>,
    /// A group such as `vip`.
    pub segment: Option<String>,
}

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
    rule: &'static str,
    value: Option<f64>,
    threshold: Option<f64>,
    message: String,
}

/// Whether a human is recommended.
#[derive(Debug, Serialize, ToSchema)]
pub struct EscalationObject {
    recommended: bool,
    priority: Option<Priority>,
    reasons: Vec<ReasonObject>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    policy: String,
    acknowledgement: Option<String>,
    handover_id: Option<String>,
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
pub fn result(id: Option<String>, text: &str, outcome: Outcome, decision: Decision, shape: Shape<'_>) -> ResultObject {
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
        escalation: escalation(decision),
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

fn escalation(decision: Decision) -> EscalationObject {
    let reason = |reason: crate::policy::Finding| ReasonObject {
        rule: reason.rule,
        value: reason.value.map(score),
        threshold: reason.threshold.map(score),
        message: reason.message,
    };
    EscalationObject {
        recommended: decision.escalate,
        priority: decision.priority,
        reasons: decision.reasons.into_iter().map(reason).collect(),
        errors: decision.errors.iter().map(ToString::to_string).collect(),
        policy: decision.policy,
        acknowledgement: decision.acknowledgement,
        handover_id: None,
    }
}
