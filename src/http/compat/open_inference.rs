//! The Open Inference Protocol, version 2 over REST, as KServe and Triton speak it, with Triton's extension for binary tensors
//! in requests, which `tritonclient` uses unless told otherwise.

use super::{Call, Dialect};
use crate::desk::Answered;
use crate::engine::{Engine, Outcome};
use crate::http::answer::decide;
use crate::http::openapi::ForeignProblems;
use crate::http::parse::typed;
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::http::wire::{Shape, Task, result};
use crate::text::{OffsetUnit, Utterance};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};

/// The dialect.
pub const DIALECT: Dialect = Dialect { routes, document: Document::openapi, error };

/// Length of the JSON before the binary tensors, in bytes.
const HEADER_LENGTH: &str = "inference-header-content-length";
/// The tensors of an answer: name and type.
const OUTPUTS: [(&str, &str); 4] = [("intent", "BYTES"), ("intent_score", "FP32"), ("sentiment_score", "FP32"), ("result", "BYTES")];
/// Intents in the ranking of `result`.
const TOP_K: usize = 3;

/// Its part of the OpenAPI document.
#[derive(OpenApi)]
#[openapi(paths(server, live, ready, metadata, model_ready, infer))]
struct Document;

fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/v2", get(server))
        .route("/v2/health/live", get(live))
        .route("/v2/health/ready", get(ready))
        .route("/v2/models/{model}", get(metadata))
        .route("/v2/models/{model}/ready", get(model_ready))
        .route("/v2/models/{model}/infer", post(infer))
        .route("/v2/models/{model}/versions/{version}", get(metadata))
        .route("/v2/models/{model}/versions/{version}/ready", get(model_ready))
        .route("/v2/models/{model}/versions/{version}/infer", post(infer))
}

fn error(problem: &Problem) -> Value {
    json!({"error": problem.detail})
}

#[utoipa::path(get, path = "/v2", tag = "open inference", responses((status = 200, body = Object), ForeignProblems))]
async fn server() -> Json<Value> {
    Json(json!({"name": "hearken", "version": env!("CARGO_PKG_VERSION"), "extensions": ["binary_tensor_data"]}))
}

#[utoipa::path(get, path = "/v2/health/live", tag = "open inference", responses((status = 200, body = Object), ForeignProblems))]
async fn live() -> Json<Value> {
    Json(json!({"live": true}))
}

#[utoipa::path(get, path = "/v2/health/ready", tag = "open inference", responses((status = 200, body = Object), ForeignProblems))]
async fn ready(State(service): State<Arc<Service>>) -> Result<Json<Value>, Problem> {
    super::ready(&service)?;
    Ok(Json(json!({"live": true, "ready": true})))
}

/// The model of a path, with its version where the path has one.
#[derive(Deserialize, ToSchema)]
struct ModelPath {
    model: String,
    version: Option<String>,
}

impl ModelPath {
    /// Checks that it is the model that answers.
    fn check(&self, engine: &Engine) -> Result<(), Problem> {
        let manifest = &engine.model().manifest;
        if self.model == manifest.name && self.version.as_ref().is_none_or(|version| *version == manifest.version) {
            return Ok(());
        }
        let detail = format!("there is no such model; this server has `{}`, version `{}`", manifest.name, manifest.version);
        Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no such model", detail))
    }
}

#[utoipa::path(get, path = "/v2/models/{model}", tag = "open inference", params(("model" = String, Path, description = "Name of the model")), responses((status = 200, body = Object), ForeignProblems))]
async fn metadata(State(service): State<Arc<Service>>, Path(path): Path<ModelPath>) -> Result<Json<Value>, Problem> {
    let engine = service.slots.stable();
    path.check(&engine)?;
    let manifest = &engine.model().manifest;
    let outputs: Vec<_> = OUTPUTS.iter().map(|(name, datatype)| json!({"name": name, "datatype": datatype, "shape": [-1]})).collect();
    Ok(Json(json!({
        "name": manifest.name, "versions": [manifest.version], "platform": "hearken",
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}], "outputs": outputs
    })))
}

#[utoipa::path(get, path = "/v2/models/{model}/ready", tag = "open inference", params(("model" = String, Path, description = "Name of the model")), responses((status = 200, body = Object), ForeignProblems))]
async fn model_ready(State(service): State<Arc<Service>>, Path(path): Path<ModelPath>) -> Result<Json<Value>, Problem> {
    path.check(&service.slots.stable())?;
    Ok(Json(json!({"name": path.model, "ready": true})))
}

/// What a request has before its binary tensors.
#[derive(Deserialize, ToSchema)]
struct InferBody {
    id: Option<String>,
    inputs: Vec<InputTensor>,
    outputs: Option<Vec<RequestedOutput>>,
}

#[derive(Deserialize, ToSchema)]
struct InputTensor {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    data: Option<Value>,
}

#[derive(Deserialize, ToSchema)]
struct RequestedOutput {
    name: String,
}

#[derive(Serialize, ToSchema)]
struct OutputTensor {
    name: &'static str,
    datatype: &'static str,
    shape: [usize; 1],
    data: Vec<Value>,
}

#[derive(Serialize, ToSchema)]
struct InferAnswer {
    model_name: String,
    model_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<OutputTensor>,
}

#[utoipa::path(post, path = "/v2/models/{model}/infer", tag = "open inference", params(("model" = String, Path, description = "Name of the model")), request_body = InferBody, responses((status = 200, body = InferAnswer), ForeignProblems))]
async fn infer(
    State(service): State<Arc<Service>>,
    Path(path): Path<ModelPath>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<InferAnswer>, Problem> {
    let (call, bytes) = Call::read(service, &headers, body).await?;
    path.check(&call.engine)?;
    let (json, binary) = divided(&headers, &bytes)?;
    let InferBody { id, inputs, outputs } = typed(json)?;
    let wanted = wanted(outputs)?;
    let [input] = inputs.as_slice() else {
        return Err(Problem::invalid("/inputs", format!("has {} tensors; send one, `text`", inputs.len())));
    };
    let texts = texts(input, binary)?;
    let texts = texts.into_iter().enumerate().map(|(i, text)| (text, format!("/inputs/0/data/{i}"))).collect();
    let outcomes = call.classify(texts).await?;
    let manifest = &call.engine.model().manifest;
    let column = |(name, datatype): (&'static str, &'static str)| {
        let data: Vec<_> = outcomes.iter().map(|(text, outcome)| value(&call, name, text, outcome)).collect();
        OutputTensor { name, datatype, shape: [data.len()], data }
    };
    let outputs = wanted.into_iter().map(column).collect();
    Ok(Json(InferAnswer { model_name: manifest.name.clone(), model_version: manifest.version.clone(), id, outputs }))
}

/// The JSON of a body and the binary tensors behind it.
fn divided<'a>(headers: &HeaderMap, bytes: &'a Bytes) -> Result<(&'a [u8], &'a [u8]), Problem> {
    let Some(length) = headers.get(HEADER_LENGTH) else { return Ok((bytes, &[])) };
    let length = length.to_str().ok().and_then(|text| text.parse::<usize>().ok());
    length
        .and_then(|length| bytes.split_at_checked(length))
        .ok_or_else(|| Problem::header(HEADER_LENGTH, "is not a length within the body"))
}

fn wanted(outputs: Option<Vec<RequestedOutput>>) -> Result<Vec<(&'static str, &'static str)>, Problem> {
    let Some(outputs) = outputs.filter(|outputs| !outputs.is_empty()) else { return Ok(OUTPUTS.to_vec()) };
    let known = |(i, output): (usize, RequestedOutput)| {
        OUTPUTS.into_iter().find(|(name, _)| *name == output.name).ok_or_else(|| {
            let names = OUTPUTS.map(|(name, _)| name).join(", ");
            Problem::invalid(format!("/outputs/{i}/name"), format!("is none of the outputs {names}"))
        })
    };
    outputs.into_iter().enumerate().map(known).collect()
}

/// The texts of the tensor, from its JSON or its bytes.
fn texts(input: &InputTensor, binary: &[u8]) -> Result<Vec<String>, Problem> {
    let invalid = |place: &str, detail: String| Problem::invalid(format!("/inputs/0{place}"), detail);
    if input.name != "text" || input.datatype != "BYTES" {
        return Err(invalid("", format!("is `{}` of {}; send `text` of BYTES", input.name, input.datatype)));
    }
    let texts = match (&input.data, input.parameters.get("binary_data_size").and_then(Value::as_u64)) {
        (Some(data), _) => {
            let mut texts = Vec::new();
            flatten(data, &mut texts).ok_or_else(|| invalid("/data", "holds something that is no string".to_owned()))?;
            texts
        }
        (None, Some(size)) if size == binary.len() as u64 => elements(binary)
            .ok_or_else(|| invalid("", "the binary data is not BYTES: 4 bytes of length, little-endian, and UTF-8 each".to_owned()))?,
        (None, Some(size)) => return Err(invalid("", format!("says {size} bytes of binary data, but {} came", binary.len()))),
        (None, None) => return Err(invalid("", "has no `data`".to_owned())),
    };
    let expected = input.shape.iter().copied().fold(1usize, usize::saturating_mul);
    if texts.is_empty() || expected != texts.len() {
        return Err(invalid("/shape", format!("is of {expected} elements, but there are {}; send one or more", texts.len())));
    }
    Ok(texts)
}

/// Strings of nested lists, in order.
fn flatten(value: &Value, texts: &mut Vec<String>) -> Option<()> {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().try_for_each(|value| flatten(value, texts))?,
        _ => return None,
    }
    Some(())
}

/// BYTES of a binary tensor: the length of each element in four bytes, little-endian, and the element.
fn elements(mut bytes: &[u8]) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (text, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        texts.push(std::str::from_utf8(text).ok()?.to_owned());
        bytes = rest;
    }
    Some(texts)
}

fn value(call: &Call, name: &str, text: &Utterance, outcome: &Outcome) -> Value {
    let intent = outcome.prediction.intent.as_ref().and_then(|intent| intent.ranking.first());
    match name {
        "intent" => intent.map(|(name, _)| name.as_str()).into(),
        "intent_score" => intent.map(|(_, score)| *score).into(),
        "sentiment_score" => outcome.prediction.sentiment.map(|sentiment| sentiment.score).into(),
        _ => {
            let decision = decide(&call.service, &call.engine, text, outcome);
            let shape = Shape { tasks: &Task::ALL, top_k: TOP_K, unit: OffsetUnit::Codepoint };
            serde_json::to_string(&result(None, text, Answered { outcome: outcome.clone(), decision, place: None }, shape))
                .unwrap_or_default()
                .into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_elements_are_read_and_broken_ones_are_refused() {
        let bytes = [&2u32.to_le_bytes()[..], b"hi", &3u32.to_le_bytes(), "né".as_bytes()].concat();
        assert_eq!(elements(&bytes).unwrap(), ["hi", "né"]);
        for broken in [&bytes[..5], &bytes[..bytes.len() - 1], &[1, 0, 0, 0, 0xff]] {
            assert!(elements(broken).is_none(), "{broken:?}");
        }
    }
}
