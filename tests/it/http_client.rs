//! Requests to a router without a socket.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use hearken::http::Service;
use serde_json::Value;
use std::sync::Arc;
use tower::ServiceExt as _;

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Null where the text is not JSON.
    pub body: Value,
    pub text: String,
}

pub async fn send(service: &Arc<Service>, request: Request<Body>) -> Answer {
    let response = service.router().oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::Null), text }
}

pub async fn post(service: &Arc<Service>, path: &str, body: Value) -> Answer {
    post_text(service, path, body.to_string()).await
}

pub async fn post_text(service: &Arc<Service>, path: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json").body(body.into()).unwrap();
    send(service, request).await
}

pub async fn get(service: &Arc<Service>, path: &str) -> Answer {
    send(service, Request::get(path).body(Body::empty()).unwrap()).await
}

pub async fn delete(service: &Arc<Service>, path: &str) -> Answer {
    send(service, Request::delete(path).body(Body::empty()).unwrap()).await
}
