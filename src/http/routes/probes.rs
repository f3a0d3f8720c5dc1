//! What an orchestrator and a Prometheus server ask for.

use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::telemetry;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use std::sync::Arc;

/// `GET /livez`: the process answers.
pub async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the model is warm and the server takes requests.
pub async fn ready(State(service): State<Arc<Service>>) -> Result<&'static str, Problem> {
    if service.draining() {
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

/// `GET /metrics`: Prometheus text.
pub async fn metrics(State(service): State<Arc<Service>>) -> ([(HeaderName, &'static str); 1], String) {
    telemetry::queue_depth(service.slots.stable().queue_depth());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], service.metrics.render())
}
