//! `POST /v1/classify/stream`: a message a line in, an answer a line out, in order. As many lines are under way as the engine takes; a
//! client that reads slowly is read from slowly.

use crate::desk::{Answered, Asked};
use crate::engine::{Engine, EngineError};
use crate::http::answer::{answers, engine};
use crate::http::layers::{RequestId, answered_by};
use crate::http::openapi::BodyProblems;
use crate::http::parse::line;
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::http::terms::Terms;
use crate::http::wire::{ResultObject, Shape, Task, result};
use crate::text::OffsetUnit;
use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use std::collections::hash_map::DefaultHasher;
use std::convert::Infallible;
use std::hash::{Hash as _, Hasher as _};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::bytes::BytesMut;
use tokio_util::codec::{Decoder, FramedRead, LinesCodec, LinesCodecError};
use tokio_util::io::StreamReader;

/// Lines of one stream that are under way at once.
const UNDER_WAY: usize = 64;
/// A stream that brings no line for so long has ended.
const SILENCE: Duration = Duration::from_mins(1);
/// Longest time for one line, which nobody waits for by itself.
const LINE: Duration = Duration::from_mins(10);
/// Conversations of a stream are told apart by so many hashes.
const SHARDS: usize = 256;

/// Options of a stream, in its query.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct StreamOptions {
    /// Parts of the answer, separated by commas; all without it.
    tasks: Option<String>,
    /// Most intents in the ranking.
    #[param(minimum = 1)]
    top_k: usize,
    /// What offsets count.
    offset_unit: OffsetUnit,
    /// Whether messages longer than the model reads are cut (or refused).
    truncate: bool,
    /// The model's slot.
    model: String,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self { tasks: None, top_k: 3, offset_unit: OffsetUnit::Codepoint, truncate: true, model: "stable".to_owned() }
    }
}

/// Answers line by line: a string or an object as in `input` of `/v1/classify` in each line, an element of `data` in each line of the answer.
/// A line that cannot be answered becomes `{"line", "error"}`.
#[utoipa::path(post, path = "/v1/classify/stream", tag = "classify", params(StreamOptions),
    request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), BodyProblems))]
pub async fn stream(
    State(service): State<Arc<Service>>,
    Extension(RequestId(id)): Extension<RequestId>,
    options: Result<Query<StreamOptions>, axum::extract::rejection::QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    service.check_open()?;
    let Query(options) = options.map_err(|error| Problem::query(&error.body_text()))?;
    let tasks = tasks(options.tasks.as_deref())?;
    if options.top_k == 0 {
        return Err(Problem::query("`top_k` is 0; send 1 or more"));
    }
    let engine = engine(&service, &options.model)?;
    let turns = (0..SHARDS).map(|_| tokio::sync::Mutex::default()).collect();
    let desk = Arc::new(Desk { service, engine: Arc::clone(&engine), options, tasks, id, turns });
    let bytes = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    let lines = FramedRead::new(bytes, Lines(LinesCodec::new_with_max_length(desk.service.config.body_limit)));
    let lines = tokio_stream::StreamExt::timeout(lines, SILENCE);
    // It ends when the client has gone or says nothing more.
    let lines = lines.scan((), |(), line| std::future::ready(line.ok().and_then(Result::ok)));
    let answers = lines.enumerate().map(move |(number, line)| {
        let desk = Arc::clone(&desk);
        async move { desk.answer(number + 1, line).await }
    });
    let answers = answers.buffered(UNDER_WAY).filter_map(std::future::ready);
    let mut response = Body::from_stream(answers.map(|line| Ok::<_, Infallible>(Bytes::from(line)))).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    answered_by(&mut response, &engine);
    Ok(response)
}

/// What the lines of one stream have in common.
struct Desk {
    service: Arc<Service>,
    engine: Arc<Engine>,
    options: StreamOptions,
    tasks: Vec<Task>,
    id: String,
    /// Whose turn it is in a conversation, by the hash of its name.
    turns: Vec<tokio::sync::Mutex<()>>,
}

impl Desk {
    /// The answer to a line with its line end; nothing for an empty line.
    async fn answer(&self, number: usize, line: Result<String, LinesCodecError>) -> Option<Vec<u8>> {
        let answer = match &line {
            Ok(line) if line.trim().is_empty() => return None,
            Ok(line) => self.result(line).await,
            Err(error) => Err(broken(error, self.service.config.body_limit)),
        };
        let mut bytes = match answer {
            Ok(answer) => serde_json::to_vec(&answer),
            Err(problem) => {
                let document = problem.document("/v1/classify/stream", &self.id);
                serde_json::to_vec(&serde_json::json!({"line": number, "error": document}))
            }
        }
        .unwrap_or_default();
        bytes.push(b'\n');
        Some(bytes)
    }

    async fn result(&self, text: &str) -> Result<ResultObject, Problem> {
        let asked = line(text.as_bytes())?;
        if self.options.model != "stable" && asked.conversation.is_some() {
            return Err(Problem::invalid("/conversation_id", "conversations go on with the stable model; leave it out"));
        }
        self.service.check_open()?;
        // Messages of one conversation are answered one after the other, in the order of their lines.
        let _turn = match &asked.conversation {
            Some(id) => Some(self.turns.get(shard(id)).ok_or_else(Problem::deadline)?.lock().await),
            None => None,
        };
        let answered = self.answer_in_time(&asked).await?;
        let shape = Shape { tasks: &self.tasks, top_k: self.options.top_k, unit: self.options.offset_unit };
        Ok(result(asked.id, &asked.input.text, answered, shape))
    }

    /// Waits until the engine has room: a stream is slowed down, not refused.
    async fn answer_in_time(&self, asked: &Asked) -> Result<Answered, Problem> {
        loop {
            let terms = Terms::bulk(LINE);
            let answers = answers(&self.service, &self.engine, std::slice::from_ref(asked), &terms, !self.options.truncate).await;
            match answers {
                Ok(mut answers) => return answers.pop().ok_or_else(|| EngineError::Stopped.into()),
                Err(Problem { code: "overloaded", retry_after, .. }) => {
                    let pause = retry_after.unwrap_or_default().clamp(Duration::from_millis(1), Duration::from_millis(100));
                    tokio::time::sleep(pause).await;
                }
                Err(problem) => return Err(at_line(problem)),
            }
        }
    }
}

/// A problem with the only input, as it is told of a line.
fn at_line(mut problem: Problem) -> Problem {
    for error in &mut problem.errors {
        if let Some(rest) = error.pointer.strip_prefix("/input/0") {
            error.pointer = if rest.is_empty() { "/text".to_owned() } else { rest.to_owned() };
        }
    }
    problem
}

fn shard(conversation: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    conversation.hash(&mut hasher);
    usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or_default()
}

fn tasks(names: Option<&str>) -> Result<Vec<Task>, Problem> {
    let Some(names) = names else { return Ok(Task::ALL.to_vec()) };
    let task = |name: &str| serde_json::from_value(serde_json::Value::from(name.trim()));
    names.split(',').map(task).collect::<Result<_, _>>().map_err(|_| {
        Problem::query("`tasks` names what is not a task; send any of intent, entities, sentiment and emotions, separated by commas")
    })
}

fn broken(error: &LinesCodecError, limit: usize) -> Problem {
    match error {
        LinesCodecError::MaxLineLengthExceeded => {
            let detail = format!("the line is longer than {limit} bytes (body_limit)");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "The line is too long", detail)
        }
        LinesCodecError::Io(_) => Problem::new(StatusCode::BAD_REQUEST, "not_json", "The line is not JSON", "the line is not UTF-8"),
    }
}

/// Lines whose faults are items, so that one bad line does not end the stream.
struct Lines(LinesCodec);

impl Decoder for Lines {
    type Item = Result<String, LinesCodecError>;
    type Error = io::Error;

    fn decode(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        Ok(self.0.decode(bytes).transpose())
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> io::Result<Option<Self::Item>> {
        Ok(self.0.decode_eof(bytes).transpose())
    }
}
