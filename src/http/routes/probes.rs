//! What an orchestrator and a Prometheus server ask for.

use crate::engine::Slot;
use crate::http::openapi::Problems;
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::telemetry;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use std::sync::Arc;

/// `GET /livez`: the process answers.
#[utoipa::path(get, path = "/livez", tag = "operations", responses((status = 200, body = String), Problems))]
pub async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the model is warm and the server takes requests.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses((status = 200, body = String), Problems))]
pub async fn ready(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    if service.leaving() {
        return Err(Problem::draining());
    }
    if !service.slots.stable().is_alive() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopped",
            "The engine has stopped",
            "the engine has stopped; restart the server",
        ));
    }
    Ok("ready\n")
}

/// `GET /startupz`: the model is warm.
#[utoipa::path(get, path = "/startupz", tag = "operations", responses((status = 200, body = String), Problems))]
pub async fn started(state: State<Arc<Service>>) -> Result<&'static str, Problem> {
    ready(state).await
}

/// `GET /metrics`: Prometheus text.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, body = String), Problems))]
pub async fn metrics(State(service): State<Arc<Service>>) -> ([(HeaderName, &'static str); 1], String) {
    let engine = service.slots.stable();
    let models = Slot::ALL.into_iter().filter_map(|slot| Some((slot.name(), service.slots.get(slot)?.id().to_owned())));
    telemetry::observe(engine.queue_depth(), service.policy().id().to_owned(), models);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], service.metrics.render())
}
