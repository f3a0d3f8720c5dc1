//! Rasa's `POST /model/parse`, by its OpenAPI document and what its 3.x servers really send.

use super::{Call, Dialect};
use crate::engine::Outcome;
use crate::heads::Status;
use crate::http::answer::decide;
use crate::http::openapi::ForeignProblems;
use crate::http::parse::typed;
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::text::{OffsetUnit, Utterance};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

/// The dialect.
pub const DIALECT: Dialect = Dialect { routes, document: Document::openapi, error };

/// The intent that Rasa's `FallbackClassifier` puts first where none can be relied on.
const FALLBACK: &str = "nlu_fallback";

/// Its part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(parse, status, version))]
struct Document;

fn routes() -> Router<Arc<Service>> {
    Router::new().route("/model/parse", post(parse)).route("/status", get(status)).route("/version", get(version))
}

fn error(problem: &Problem) -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"), "status": "failure", "message": problem.detail, "reason": problem.title,
        "details": {}, "help": null, "code": problem.status.as_u16()
    })
}

/// What Rasa takes; it lets other fields be.
#[derive(Deserialize, ToSchema)]
struct ParseBody {
    text: String,
    message_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Confident {
    name: String,
    confidence: f32,
}

#[derive(Serialize, ToSchema)]
struct ParsedEntity {
    entity: String,
    start: usize,
    end: usize,
    confidence_entity: f32,
    confidence: f32,
    value: String,
    extractor: &'static str,
}

#[derive(Serialize, ToSchema)]
struct ParseResult {
    text: String,
    message_id: Option<String>,
    intent: Option<Confident>,
    entities: Vec<ParsedEntity>,
    intent_ranking: Vec<Confident>,
    metadata: Map<String, Value>,
}

#[utoipa::path(post, path = "/model/parse", tag = "rasa", request_body = ParseBody, responses((status = 200, body = ParseResult), ForeignProblems))]
async fn parse(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<ParseResult>, Problem> {
    let (call, body) = Call::read(service, &headers, body).await?;
    let ParseBody { text, message_id } = typed(&body)?;
    let (text, outcome) = call.classify(vec![(text, "/text".to_owned())]).await?.pop().ok_or_else(Problem::deadline)?;
    let decision = decide(&call.service, &call.engine, &text, &outcome);
    let sentiment =
        outcome.prediction.sentiment.map_or(Value::Null, |sentiment| json!({"label": sentiment.label, "score": sentiment.score}));
    let metadata = Map::from_iter([("sentiment".to_owned(), sentiment), ("escalate".to_owned(), decision.escalate.into())]);
    let intent_ranking = ranking(&outcome);
    let intent = intent_ranking.first().map(|best| Confident { name: best.name.clone(), confidence: best.confidence });
    Ok(Json(ParseResult {
        entities: entities(&text, &outcome),
        text: text.as_str().to_owned(),
        message_id,
        intent,
        intent_ranking,
        metadata,
    }))
}

/// The intents, led by the fallback where none of them can be relied on.
fn ranking(outcome: &Outcome) -> Vec<Confident> {
    let Some(intent) = &outcome.prediction.intent else { return Vec::new() };
    let best = intent.ranking.first().map_or(0.0, |(_, score)| *score);
    let fallback = (intent.status != Status::Matched).then(|| Confident { name: FALLBACK.to_owned(), confidence: 1.0 - best });
    let intents = intent.ranking.iter().map(|(name, score)| Confident { name: name.clone(), confidence: *score });
    fallback.into_iter().chain(intents).collect()
}

fn entities(text: &Utterance, outcome: &Outcome) -> Vec<ParsedEntity> {
    let entity = |found: &crate::patterns::Entity| {
        let (start, end) = found.span.offsets(text, OffsetUnit::Codepoint);
        let value = match &found.value {
            Some(Value::String(value)) => value.clone(),
            _ => found.span.slice(text).to_owned(),
        };
        let (entity, score) = (found.label.clone(), found.score);
        ParsedEntity { entity, start, end, confidence_entity: score, confidence: score, value, extractor: "hearken" }
    };
    outcome.prediction.entities.iter().flatten().map(entity).collect()
}

#[utoipa::path(get, path = "/status", tag = "rasa", responses((status = 200, body = Object), ForeignProblems))]
async fn status(State(service): State<Arc<Service>>) -> Json<Value> {
    Json(json!({"fingerprint": {}, "model_file": service.slots.stable().id(), "num_active_training_jobs": 0}))
}

#[utoipa::path(get, path = "/version", tag = "rasa", responses((status = 200, body = Object), ForeignProblems))]
async fn version() -> Json<Value> {
    Json(json!({"version": env!("CARGO_PKG_VERSION"), "minimum_compatible_version": env!("CARGO_PKG_VERSION")}))
}
