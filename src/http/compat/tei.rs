//! Text Embeddings Inference's `POST /predict`, by its router's source: all labels of a classifier, best first.

use super::{Call, Dialect, one_or_all, ready};
use crate::engine::Outcome;
use crate::http::openapi::ForeignProblems;
use crate::http::parse::typed;
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::text::Utterance;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

/// The dialect.
pub const DIALECT: Dialect = Dialect { routes, document: Document::openapi, error };

/// Its part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(predict, info, health, ping))]
struct Document;

fn routes() -> Router<Arc<Service>> {
    Router::new().route("/predict", post(predict)).route("/info", get(info)).route("/health", get(health)).route("/ping", get(ping))
}

fn error(problem: &Problem) -> Value {
    let kind = match problem.status {
        StatusCode::TOO_MANY_REQUESTS => "Overloaded",
        StatusCode::SERVICE_UNAVAILABLE => "Unhealthy",
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => "Validation",
        _ => "Backend",
    };
    json!({"error": problem.detail, "error_type": kind})
}

#[derive(Deserialize, ToSchema)]
struct PredictBody {
    inputs: PredictInputs,
    truncate: Option<bool>,
    #[serde(default)]
    raw_scores: bool,
}

/// `"a"` and `["a"]` are one text, `["a", "b"]` is one pair of texts, `[["a"], ["b"]]` is a batch.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum PredictInputs {
    One(String),
    Sequence(Vec<String>),
    Batch(Vec<Vec<String>>),
}

#[derive(Serialize, ToSchema)]
struct Score {
    score: f32,
    label: String,
}

#[utoipa::path(post, path = "/predict", tag = "tei", request_body = PredictBody, responses((status = 200, body = Vec<Score>), ForeignProblems))]
async fn predict(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<Value>, Problem> {
    let (call, body) = Call::read(service, &headers, body).await?;
    let PredictBody { inputs, truncate, raw_scores } = typed(&body)?;
    if raw_scores {
        return Err(Problem::invalid("/raw_scores", "raw scores cannot be had: scores are calibrated probabilities"));
    }
    let one = !matches!(inputs, PredictInputs::Batch(_));
    let outcomes = call.classify(texts(inputs)?).await?;
    // Its servers cut only when they are told to, here or by --auto-truncate, which is on by default.
    if truncate == Some(false) && outcomes.iter().any(|(_, outcome)| outcome.truncated) {
        return Err(Problem::invalid("/inputs", "an input is longer than the model reads, and `truncate` is false"));
    }
    let scores = |(_, outcome): &(Utterance, Outcome)| -> Vec<Score> {
        let ranking = outcome.prediction.intent.iter().flat_map(|intent| &intent.ranking);
        ranking.map(|(label, score)| Score { score: *score, label: label.clone() }).collect()
    };
    Ok(one_or_all(outcomes.iter().map(scores).collect(), one))
}

fn texts(inputs: PredictInputs) -> Result<Vec<(String, String)>, Problem> {
    let sequence = |texts: Vec<String>, place: String| match <[String; 1]>::try_from(texts) {
        Ok([text]) => Ok((text, place)),
        Err(texts) if texts.len() == 2 => Err(Problem::invalid(
            place,
            "two texts are one pair here, and this model reads single texts; send a batch as [[\"a\"], [\"b\"]]",
        )),
        Err(texts) => {
            Err(Problem::invalid(place, format!("invalid length {}, expected one text; send a batch as [[\"a\"], [\"b\"]]", texts.len())))
        }
    };
    match inputs {
        PredictInputs::One(text) => Ok(vec![(text, "/inputs".to_owned())]),
        PredictInputs::Sequence(texts) => Ok(vec![sequence(texts, "/inputs".to_owned())?]),
        PredictInputs::Batch(batch) => batch.into_iter().enumerate().map(|(i, texts)| sequence(texts, format!("/inputs/{i}"))).collect(),
    }
}

#[utoipa::path(get, path = "/info", tag = "tei", responses((status = 200, body = Object), ForeignProblems))]
async fn info(State(service): State<Arc<Service>>) -> Json<Value> {
    let engine = service.slots.stable();
    let manifest = &engine.model().manifest;
    let labels = manifest.heads.intent.as_ref().map(|head| head.labels.clone()).unwrap_or_default();
    let id2label: Map<String, Value> = labels.iter().enumerate().map(|(id, label)| (id.to_string(), json!(label))).collect();
    let label2id: Map<String, Value> = labels.iter().enumerate().map(|(id, label)| (label.clone(), json!(id))).collect();
    let config = &service.config;
    Json(json!({
        "model_id": engine.id(), "model_sha": null, "model_dtype": "float16", "served_model_name": manifest.name,
        "model_type": {"classifier": {"id2label": id2label, "label2id": label2id}},
        "max_concurrent_requests": config.queue, "max_input_length": manifest.max_tokens, "max_batch_tokens": engine.limits().tokens,
        "max_batch_requests": null, "max_client_batch_size": config.max_inputs, "auto_truncate": true, "tokenization_workers": 1,
        "version": env!("CARGO_PKG_VERSION"), "sha": null, "docker_label": null
    }))
}

#[utoipa::path(get, path = "/health", tag = "tei", responses((status = 200), ForeignProblems))]
async fn health(State(service): State<Arc<Service>>) -> Result<(), Problem> {
    ready(&service)
}

#[utoipa::path(get, path = "/ping", tag = "tei", responses((status = 200), ForeignProblems))]
async fn ping(state: State<Arc<Service>>) -> Result<(), Problem> {
    health(state).await
}
