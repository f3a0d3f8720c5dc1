//! `POST /v1/classify`.

use crate::engine::Request;
use crate::http::parse::parse;
use crate::http::problem::{FieldError, Problem};
use crate::http::server::Service;
use crate::http::terms::Terms;
use crate::http::wire::{ResponseBody, Shape, Usage, result};
use crate::policy::Facts;
use crate::telemetry;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

/// Answers with one element for each input, in order.
pub async fn classify(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<ResponseBody>, Problem> {
    if service.draining() {
        return Err(Problem::draining());
    }
    let terms = Terms::read(&headers, service.deadline())?;
    check_content_type(&headers)?;
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
    let body = read.map_err(slow)?.map_err(|error| body_problem(&error, limit))?;
    let parsed = parse(&body, service.config.max_inputs)?;
    let (ids, inputs): (Vec<_>, Vec<_>) = parsed.inputs.into_iter().unzip();
    let texts: Vec<_> = inputs.iter().map(|input| input.text.clone()).collect();
    let request = Request { class: terms.class(inputs.len()), deadline: Some(terms.deadline), inputs };
    let answer = tokio::time::timeout_at(terms.deadline.into(), service.engine.classify(request)).await;
    let outcomes = answer.map_err(|_| Problem::deadline())??;
    if let Some((index, outcome)) = outcomes.iter().enumerate().find(|(_, outcome)| outcome.truncated && !parsed.options.truncate) {
        let detail = format!("input {index} is longer than the model reads ({} tokens), and options.truncate is false", outcome.tokens);
        let pointer = if parsed.single { "/input".to_owned() } else { format!("/input/{index}") };
        let errors = vec![FieldError { pointer, detail: detail.clone() }];
        return Err(Problem { errors, ..Problem::invalid("", detail) });
    }
    let shape = Shape { tasks: &parsed.tasks, top_k: parsed.options.top_k, unit: parsed.options.offset_unit };
    let answers = ids.into_iter().zip(texts).zip(outcomes).map(|((id, text), outcome)| {
        let decision = service.policy.decide(&Facts { text: &text, prediction: &outcome.prediction });
        let status = outcome.prediction.intent.as_ref().map_or("none", |intent| intent.status.name());
        telemetry::classified(status, outcome.tokens, outcome.truncated, decision.priority.map(crate::policy::Priority::name));
        result(id, &text, outcome, decision, shape)
    });
    let data: Vec<_> = answers.collect();
    let tokens = data.iter().map(|answer| answer.tokens).sum();
    Ok(Json(ResponseBody { model: service.engine.model().id(), data, usage: Usage { tokens } }))
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") || essence.to_ascii_lowercase().ends_with("+json") {
        return Ok(());
    }
    let detail = format!("the content type is `{kind}`; send `Content-Type: application/json`");
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", "The content type is not supported", detail))
}

fn body_problem(error: &axum::Error, limit: usize) -> Problem {
    let too_large = std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"));
    if too_large {
        let detail = format!("the body is larger than {limit} bytes (body_limit); send fewer messages at once");
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large", detail);
    }
    Problem::new(StatusCode::BAD_REQUEST, "body", "The body cannot be read", "the body ended early or could not be read")
}
