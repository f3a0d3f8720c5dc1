//! `POST /v1/classify`.

use crate::desk::Asked;
use crate::engine::Timings;
use crate::http::answer::{answers, engine};
use crate::http::body;
use crate::http::layers::{Begin, Stages, answered_by};
use crate::http::mirror::Mirror;
use crate::http::openapi::{BodyProblems, ConversationProblems};
use crate::http::parse::{Parsed, parse};
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::http::terms::Terms;
use crate::http::wire::{RequestBody, ResponseBody, Shape, Usage, attributions, result};
use crate::telemetry::{self, TracedStage};
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use std::sync::Arc;
use std::time::Duration;

/// Answers with one element for each input, in order.
#[utoipa::path(post, path = "/v1/classify", tag = "classify", request_body = RequestBody, params(
        ("x-request-timeout-ms" = Option<u32>, Header, minimum = 1, description = "Milliseconds in which the answer is wanted; the server's own deadline is the longest"),
        ("x-request-class" = Option<String>, Header, pattern = "^(interactive|bulk)$", description = "`interactive` or `bulk`; by default requests of more than 8 messages are bulk")
    ),
    responses((status = 200, body = ResponseBody), ConversationProblems, BodyProblems))]
pub async fn classify(
    State(service): State<Arc<Service>>,
    Extension(Begin(begin)): Extension<Begin>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    service.check_open()?;
    let terms = Terms::read(&headers, service.deadline())?;
    let body = body::bytes(&service, &headers, body, &terms).await?;
    let Parsed { inputs, single, tasks, options } = parse(&body, service.config.max_inputs)?;
    let engine = engine(&service, &options.model)?;
    check_slot(&options.model, &inputs)?;
    let parsed = begin.elapsed();
    let answers = answers(&service, &engine, &inputs, &terms, !options.truncate)
        .await
        .map_err(|problem| if single { alone(problem) } else { problem })?;
    let decided = begin.elapsed();
    let slowest = answers.iter().map(|answered| answered.outcome.timings).max_by_key(Timings::total).unwrap_or_default();
    let shape = Shape { tasks: &tasks, top_k: options.top_k, unit: options.offset_unit };
    if options.model == "stable" {
        Mirror::compare(&service, &inputs, &answers);
    }
    let mut data = Vec::with_capacity(inputs.len());
    for (asked, answered) in inputs.into_iter().zip(answers) {
        let input = &asked.input;
        let explanation = if options.explain { Some(engine.explain(input, &answered.outcome, Some(terms.deadline)).await?) } else { None };
        let mut answer = result(asked.id, &input.text, answered, shape);
        answer.explanation = explanation.map(|found| attributions(&input.text, &found, shape.unit));
        data.push(answer);
    }
    let tokens = data.iter().map(|answer| answer.tokens).sum();
    let mut response = Json(ResponseBody { model: engine.id().to_owned(), data, usage: Usage { tokens } }).into_response();
    answered_by(&mut response, &engine);
    if telemetry::tracing_requests() {
        response.extensions_mut().insert(Stages(stages(parsed, slowest, decided, begin.elapsed())));
    }
    Ok(response)
}

/// The stages of a request, of its slowest message where it has several.
fn stages(parsed: Duration, slowest: Timings, decided: Duration, end: Duration) -> Vec<TracedStage> {
    let engine = [("tokenise", slowest.encode), ("queue", slowest.queue), ("compute", slowest.compute), ("decode", slowest.decode)];
    let mut begin = parsed;
    let within = engine.map(|(name, time)| {
        let stage = TracedStage { name, begin, time };
        begin += time;
        stage
    });
    let parse = TracedStage { name: "parse", begin: Duration::ZERO, time: parsed };
    let decide = TracedStage { name: "decide", begin: decided, time: end.saturating_sub(decided) };
    std::iter::once(parse).chain(within).chain([decide]).collect()
}

/// A problem with the first of several inputs, as it is told where there was one plain string.
fn alone(mut problem: Problem) -> Problem {
    for error in &mut problem.errors {
        if error.pointer == "/input/0" {
            "/input".clone_into(&mut error.pointer);
        }
    }
    problem
}

/// The shadow is tried beside the stable model and remembers nothing.
fn check_slot(slot: &str, asked: &[Asked]) -> Result<(), Problem> {
    let place = asked.iter().position(|one| one.conversation.is_some()).filter(|_| slot != "stable");
    let refused =
        |place| Problem::invalid(format!("/input/{place}/conversation_id"), "conversations go on with the stable model; leave it out");
    place.map_or(Ok(()), |place| Err(refused(place)))
}
