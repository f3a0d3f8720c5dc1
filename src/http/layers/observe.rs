//! An id, a measurement, and a document for whatever failed.

use super::super::compat::Translated;
use super::super::problem::Problem;
use super::super::server::Service;
use crate::engine::Engine;
use crate::telemetry::{self, TracedStage};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::sync::Arc;
use std::time::Instant;

const REQUEST_ID: &str = "x-request-id";
const TRACE_PARENT: &str = "traceparent";
const MODEL: &str = "x-model";
/// Nothing here is a page but the documentation; no answer is to be kept, framed or guessed at.
const SECURITY: [(&str, &str); 4] =
    [("x-content-type-options", "nosniff"), ("cache-control", "no-store"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY")];
const LONGEST_ID: usize = 128;

/// The identifier of a request, for handlers that write it themselves.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// When a request began, for handlers that say which stages it went through.
#[derive(Debug, Clone, Copy)]
pub struct Begin(pub Instant);

/// The stages of a request, for its trace.
#[derive(Debug, Clone)]
pub struct Stages(pub Vec<TracedStage>);

/// The outermost layer.
pub async fn observe(State(service): State<Arc<Service>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    // Methods that no route takes share one series, so that a client cannot make new ones.
    let known = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH];
    let method = known.iter().find(|known| *known == request.method()).map_or("other", Method::as_str).to_owned();
    let path = request.uri().path().to_owned();
    let given = request.headers().get(REQUEST_ID).filter(|id| !id.is_empty() && id.len() <= LONGEST_ID);
    let id = given.and_then(|id| id.to_str().ok()).map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
    let parent = request.headers().get(TRACE_PARENT).filter(|_| telemetry::tracing_requests()).cloned();
    request.extensions_mut().insert(Begin(started));
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let detail = problem.internal.as_deref().unwrap_or(&problem.detail);
        telemetry::refused(problem.code, problem.status.as_u16(), detail, &id);
        response = document(&problem, &path, &id, &response);
    }
    if !response.headers().contains_key(MODEL) {
        answered_by(&mut response, &service.slots.stable());
    }
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in SECURITY {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if telemetry::tracing_requests() {
        let stages = response.extensions_mut().remove::<Stages>().map(|Stages(stages)| stages).unwrap_or_default();
        let name = format!("{method} {route}");
        let own = telemetry::traced(
            name,
            parent.as_ref().and_then(|value| value.to_str().ok()),
            started.elapsed(),
            response.status().as_u16(),
            &id,
            &stages,
        );
        if let Some(own) = own.and_then(|own| HeaderValue::from_str(&own).ok()) {
            response.headers_mut().insert(TRACE_PARENT, own);
        }
    }
    telemetry::request(route, method, response.status().as_u16(), started.elapsed());
    response
}

/// Names the model that answered.
pub fn answered_by(response: &mut Response, engine: &Engine) {
    if let Ok(id) = HeaderValue::from_str(engine.id()) {
        response.headers_mut().insert(MODEL, id);
    }
}

/// The problem as a document, in the form of the route's dialect, with the headers (such as `Allow`) that the response had.
fn document(problem: &Problem, path: &str, id: &str, before: &Response) -> Response {
    let translated = before.extensions().get::<Translated>();
    let (body, kind) = match translated {
        Some(Translated(error)) => (serde_json::to_vec(error), "application/json"),
        None => (serde_json::to_vec(&problem.document(path, id)), "application/problem+json"),
    };
    let body = body.unwrap_or_default();
    let mut response = (problem.status, body).into_response();
    let headers = response.headers_mut();
    if problem.status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    headers.extend(before.headers().iter().filter(|(name, _)| *name == header::ALLOW).map(|(name, value)| (name.clone(), value.clone())));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(time) = problem.retry_after {
        // The header counts whole seconds; clients that can wait less find the time beside it.
        headers.insert(header::RETRY_AFTER, HeaderValue::from(u64::try_from(time.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)));
        headers.insert("retry-after-ms", HeaderValue::from(u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1)));
    }
    response
}

/// A panic in a handler: the request fails, the server goes on.
pub fn panicked(panic: Box<dyn std::any::Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    let detail = "the request failed; the log has the reason under this request_id";
    let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed", detail);
    Problem { internal: Some(format!("panic: {}", text.unwrap_or_default()).into()), ..problem }.into_response()
}

/// No such route.
pub async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here", "no such route; classify a message with POST /v1/classify")
}

/// A route, but not this method.
pub async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "The method is not allowed",
        "the route does not take this method; see the Allow header",
    )
}
