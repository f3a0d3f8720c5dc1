//! Bodies: read in time and within bounds, and JSON where JSON is wanted.

use super::parse::typed;
use super::problem::Problem;
use super::server::Service;
use super::terms::Terms;
use super::wire::Object;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

/// A JSON object of some type.
///
/// # Errors
/// As [`bytes`] and [`typed`] have them.
pub async fn json<T: DeserializeOwned>(service: &Service, headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    let terms = Terms::read(headers, service.deadline())?;
    let Object(value) = typed(&bytes(service, headers, body, &terms).await?)?;
    Ok(value)
}

/// A whole body that says it is JSON.
///
/// # Errors
/// 408, 413 or 415, or 400 when the connection fails.
pub async fn bytes(service: &Service, headers: &HeaderMap, body: Body, terms: &Terms) -> Result<Bytes, Problem> {
    check_content_type(headers)?;
    any(service, body, terms).await
}

/// A whole body, whatever it says it is.
///
/// # Errors
/// 408 or 413, or 400 when the connection fails.
pub async fn any(service: &Service, body: Body, terms: &Terms) -> Result<Bytes, Problem> {
    let limit = service.config.body_limit;
    let read = tokio::time::timeout_at(terms.deadline.into(), axum::body::to_bytes(body, limit)).await;
    let slow = |_| {
        Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow_body",
            "The body came too slowly",
            "the body was not complete before the deadline; send it at once",
        )
    };
    read.map_err(slow)?.map_err(|error| unreadable(&error, limit))
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    let detail = format!("the content type is `{kind}`; send `Content-Type: application/json`");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "The content type is not supported", detail))
}

fn unreadable(error: &axum::Error, limit: usize) -> Problem {
    let too_large = std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"));
    if too_large {
        let detail = format!("the body is larger than {limit} bytes (body_limit); send fewer messages at once");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large", detail);
    }
    Problem::new(StatusCode::BAD_REQUEST, "body", "The body cannot be read", "the body ended early or could not be read")
}
