//! Other systems' wires, so that their clients work unchanged: one file each and one line in [`DIALECTS`]. Answers and errors have
//! the shape that the other system gives them.

mod huggingface;
mod open_inference;
mod rasa;
mod tei;

use super::answer::outcomes;
use super::body;
use super::problem::Problem;
use super::server::Service;
use super::terms::Terms;
use crate::engine::{Engine, EngineError, Input, Outcome};
use crate::text::Utterance;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::middleware::map_response;
use axum::response::Response;
use axum::{Json, Router};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;

/// The wire of another system.
pub struct Dialect {
    /// Its routes.
    pub routes: fn() -> Router<Arc<Service>>,
    /// Its part of the OpenAPI document.
    pub document: fn() -> utoipa::openapi::OpenApi,
    /// Its form of an error.
    pub error: fn(&Problem) -> Value,
}

/// Every dialect that the server speaks.
const DIALECTS: &[Dialect] = &[rasa::DIALECT, huggingface::DIALECT, tei::DIALECT, open_inference::DIALECT];

/// An error in the form of a dialect, beside the problem.
#[derive(Debug, Clone)]
pub struct Translated(pub Value);

/// The routes of all dialects.
pub fn router() -> Router<Arc<Service>> {
    let translated = |dialect: &'static Dialect| {
        (dialect.routes)().layer(map_response(move |mut response: Response| async move {
            if let Some(error) = response.extensions().get::<Problem>().map(dialect.error) {
                response.extensions_mut().insert(Translated(error));
            }
            response
        }))
    };
    DIALECTS.iter().fold(Router::new(), |router, dialect| router.merge(translated(dialect)))
}

/// The OpenAPI documents of all dialects.
pub fn documents() -> Vec<utoipa::openapi::OpenApi> {
    DIALECTS.iter().map(|dialect| (dialect.document)()).collect()
}

/// A request of a dialect, read: the engine that answers, and the terms.
struct Call {
    service: Arc<Service>,
    engine: Arc<Engine>,
    terms: Terms,
}

impl Call {
    /// The call and its body.
    async fn read(service: Arc<Service>, headers: &HeaderMap, body: Body) -> Result<(Self, Bytes), Problem> {
        service.check_open()?;
        let terms = Terms::read(headers, service.deadline())?;
        let body = body::any(&service, body, &terms).await?;
        let engine = service.slots.stable();
        Ok((Self { service, engine, terms }, body))
    }

    /// Classifies texts; a text that is none is told with its place.
    async fn classify(&self, texts: Vec<(String, String)>) -> Result<Vec<(Utterance, Outcome)>, Problem> {
        EngineError::check_inputs(texts.len(), self.service.config.max_inputs)?;
        let utterance = |(text, place): (String, String)| Utterance::new(text).map_err(|error| Problem::invalid(place, error.to_string()));
        let texts = texts.into_iter().map(utterance).collect::<Result<Vec<_>, _>>()?;
        let inputs: Vec<Input> = texts.iter().cloned().map(Input::now).collect();
        let outcomes = outcomes(&self.engine, inputs, &self.terms).await?;
        Ok(texts.into_iter().zip(outcomes).collect())
    }
}

/// Whether requests should come here, for the dialects that have no other word for it.
fn ready(service: &Service) -> Result<(), Problem> {
    if service.leaving() || !service.slots.stable().is_alive() { Err(Problem::draining()) } else { Ok(()) }
}

/// The answers, or the answer alone where one was asked for by itself.
fn one_or_all<T: Serialize>(mut answers: Vec<T>, one: bool) -> Json<Value> {
    let answer = if one { serde_json::to_value(answers.pop()) } else { serde_json::to_value(answers) };
    Json(answer.unwrap_or_default())
}
