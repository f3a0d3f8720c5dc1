//! Errors on the wire: RFC 9457 `application/problem+json`. Internals never show; the log has them under the request's id.

use crate::desk::DeskError;
use crate::engine::EngineError;
use crate::store::StoreError;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::time::Duration;

/// One thing that is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) into the request.
    pub pointer: String,
    /// What is wrong and what to do.
    pub detail: String,
}

/// A request that has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable name for programs.
    pub code: &'static str,
    /// Short name for people.
    pub title: &'static str,
    /// What is wrong and what to do.
    pub detail: String,
    /// The fields that are wrong.
    pub errors: Vec<FieldError>,
    /// What only the log shows.
    pub internal: Option<Box<str>>,
    /// When the same request would be taken.
    pub retry_after: Option<Duration>,
}

/// A request that has no answer (RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(super) struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    /// A problem of some status.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), errors: Vec::new(), internal: None, retry_after: None }
    }

    /// The request is understood but does not mean anything; `pointer` names the place.
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let (pointer, detail) = (pointer.into(), detail.into());
        let summary = if pointer.is_empty() { detail.clone() } else { format!("{pointer}: {detail}") };
        let errors = vec![FieldError { pointer, detail }];
        Self { errors, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not valid", summary) }
    }

    /// A header that makes no sense.
    #[must_use]
    pub fn header(name: &str, detail: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "header", "A header is not valid", format!("header `{name}`: {detail}"))
    }

    /// The answer came, or would come, too late.
    #[must_use]
    pub fn deadline() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "deadline",
            "The deadline has passed",
            "there is no answer before the deadline (x-request-timeout-ms, or the server's deadline_ms); send smaller batches or fewer requests at once",
        )
    }

    /// A query that means nothing.
    #[must_use]
    pub fn query(detail: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The query is not valid", format!("the query: {detail}"))
    }

    /// There is no such thing.
    #[must_use]
    pub fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here", detail)
    }

    /// Not possible as things stand.
    #[must_use]
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "Not possible in this state", detail)
    }

    /// The server keeps no conversations.
    #[must_use]
    pub fn no_store() -> Self {
        Self::conflict("this server keeps no conversations (store = none); start it with a store, or send `context` with each message")
    }

    /// The server stops.
    #[must_use]
    pub fn draining() -> Self {
        Self {
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "draining",
                "The server is stopping",
                "the server is stopping; send the request to another replica",
            )
        }
    }

    pub(super) fn document<'a>(&'a self, instance: &'a str, request_id: &'a str) -> Document<'a> {
        Document {
            r#type: format!("urn:hearken:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            code: self.code,
            request_id,
            errors: &self.errors,
        }
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Overloaded { retry_after } => Self {
                retry_after: Some(*retry_after),
                ..Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "overloaded",
                    "The server is overloaded",
                    "the queue is full; try again after the time in Retry-After",
                )
            },
            EngineError::Deadline => Self::deadline(),
            EngineError::TooManyInputs { .. } => {
                let errors = vec![FieldError { pointer: "/input".to_owned(), detail: error.to_string() }];
                Self { errors, ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, "batch_too_large", "The batch is too large", error.to_string()) }
            }
            EngineError::Encode(_) | EngineError::Compute(_) | EngineError::Decode(_) | EngineError::Stopped => Self {
                internal: Some(error.to_string().into()),
                ..Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "The server failed",
                    "the message could not be classified; the log has the reason under this request_id",
                )
            },
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = "what belongs to a conversation cannot be stored or read now; messages without conversation_id are answered";
        Self {
            internal: Some(error.to_string().into()),
            retry_after: Some(Duration::from_secs(1)),
            ..Self::new(StatusCode::SERVICE_UNAVAILABLE, "store", "The store failed", detail)
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Engine(error) => error.into(),
            DeskError::Store(error) => error.into(),
            DeskError::Truncated { input, .. } => {
                let errors = vec![FieldError { pointer: format!("/input/{input}"), detail: error.to_string() }];
                Self { errors, ..Self::invalid("", error.to_string()) }
            }
            DeskError::IdReused { input } => {
                let errors = vec![FieldError { pointer: format!("/input/{input}/id"), detail: error.to_string() }];
                Self { errors, ..Self::conflict(error.to_string()) }
            }
            DeskError::NoConversation(_) => Self::missing(error.to_string()),
            DeskError::NotHandedOver => Self::conflict(error.to_string()),
        }
    }
}

impl IntoResponse for Problem {
    /// An empty response that carries the problem; the outermost layer, which knows the request's id, writes the document.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
