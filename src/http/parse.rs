//! A body becomes checked inputs, or a problem that points at the place.

use super::problem::Problem;
use super::wire::{ContextTurn, Customer, InputObject, Object, RequestBody, RequestOptions, Task};
use crate::conversation::Turn;
use crate::desk::Asked;
use crate::engine::{EngineError, Input};
use crate::patterns::ValueContext;
use crate::text::Utterance;
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

/// Most turns of context that one input may bring.
const MAX_TURNS: usize = 200;
/// Most bytes of a name that is kept.
const LONGEST_NAME: usize = 256;
/// Most bytes of metadata.
const LONGEST_METADATA: usize = 4096;
/// Most inputs that are explained in one request: each costs a pass for each of its words.
const MOST_EXPLAINED: usize = 8;
/// Most characters of serde's words in a detail; an unknown field's name may be of any length.
const LONGEST_DETAIL: usize = 200;

/// A request that means something.
#[derive(Debug)]
pub struct Parsed {
    /// Each message with what is known of it.
    pub inputs: Vec<Asked>,
    /// Whether the input was one plain string.
    pub single: bool,
    /// Parts that are wanted.
    pub tasks: Vec<Task>,
    /// Options.
    pub options: RequestOptions,
}

/// Reads a body.
///
/// # Errors
/// 400 when it is not JSON, 413 when it has too many inputs, 422 with a pointer when it means nothing.
pub fn parse(body: &[u8], most_inputs: usize) -> Result<Parsed, Problem> {
    let Object(request): Object<RequestBody> = typed(body)?;
    let tasks = match request.tasks {
        Some(tasks) if tasks.is_empty() => return Err(Problem::invalid("/tasks", "is empty; name at least one task or leave it out")),
        Some(tasks) => tasks,
        None => Task::ALL.to_vec(),
    };
    let options = request.options.map(|Object(options)| options).unwrap_or_default();
    check_options(&options)?;
    let single = request.input.is_string();
    let inputs = match request.input {
        Value::String(text) => vec![plain(text, "/input")?],
        Value::Array(values) if values.is_empty() => return Err(Problem::invalid("/input", "is empty; send at least one message")),
        Value::Array(values) => {
            EngineError::check_inputs(values.len(), most_inputs)?;
            values.into_iter().enumerate().map(|(i, value)| element(value, &format!("/input/{i}"))).collect::<Result<_, _>>()?
        }
        other => {
            return Err(Problem::invalid(
                "/input",
                format!("is {}; send a string, an array of strings, or an array of objects with `text`", kind(&other)),
            ));
        }
    };
    if options.explain && inputs.len() > MOST_EXPLAINED {
        let detail = format!("is true for {} inputs; at most {MOST_EXPLAINED} can be explained at once", inputs.len());
        return Err(Problem::invalid("/options/explain", detail));
    }
    Ok(Parsed { inputs, single, tasks, options })
}

/// One line of a stream: a string, or an object with `text`.
///
/// # Errors
/// 400 when it is not JSON, 422 with a pointer when it means nothing.
pub fn line(line: &[u8]) -> Result<Asked, Problem> {
    element(typed(line)?, "")
}

/// Reads JSON of a type.
///
/// # Errors
/// 400 when it is not JSON, 422 with a pointer when it is of another type.
pub fn typed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if let Err(error) = std::str::from_utf8(body) {
        return Err(not_json(format!("invalid UTF-8 at byte {}", error.valid_up_to())));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, inner) = (pointer("", error.path()), error.inner());
        let escape = ["surrogate", "unexpected end of hex escape"];
        let surrogate = !inner.is_data() && escape.iter().any(|words| inner.to_string().contains(words));
        if surrogate {
            return Problem::invalid(path, "a \\u escape is half of a surrogate pair; send both halves or the character itself");
        }
        match inner.classify() {
            serde_json::error::Category::Data => Problem::invalid(path, without_value(inner)),
            _ => not_json(inner.to_string()),
        }
    })?;
    deserializer.end().map_err(|error| not_json(error.to_string()))?;
    Ok(value)
}

fn not_json(detail: impl std::fmt::Display) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "not_json", "The body is not JSON", format!("the body is not JSON: {detail}"))
}

/// What is wrong with a value, without the value: it may be a customer's words, and the detail goes to the log. serde's line and
/// column go too; they mean little beside a pointer.
fn without_value(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let Some(rest) = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: ")) else {
        return message.chars().take(LONGEST_DETAIL).collect();
    };
    let (given, expected) = rest.rsplit_once(", expected ").unwrap_or((rest, "something else"));
    let given = given.split([' ', '`', '"']).next().unwrap_or_default();
    let number = |name: &str| ["usize", "u32", "u64", "f32", "f64"].contains(&name);
    format!("is of the type {given}; send {}", if number(expected) { "a number that is not negative" } else { expected })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A JSON pointer (RFC 6901) for a path below `base`.
fn pointer(base: &str, path: &Path) -> String {
    let mut pointer = base.to_owned();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => {
                pointer.pop();
            }
        }
    }
    pointer
}

fn check_options(options: &RequestOptions) -> Result<(), Problem> {
    if options.top_k == 0 {
        return Err(Problem::invalid("/options/top_k", "is 0; send 1 or more"));
    }
    Ok(())
}

fn utterance(text: String, pointer: &str) -> Result<Utterance, Problem> {
    Utterance::new(text).map_err(|error| Problem::invalid(pointer, error.to_string()))
}

fn plain(text: String, pointer: &str) -> Result<Asked, Problem> {
    Ok(Asked::lone(None, Input::now(utterance(text, pointer)?)))
}

fn element(value: Value, place: &str) -> Result<Asked, Problem> {
    match value {
        Value::String(text) => plain(text, place),
        Value::Object(_) => object(typed_value(value, place)?, place),
        other => Err(Problem::invalid(place, format!("is {}; send a string or an object with `text`", kind(&other)))),
    }
}

fn typed_value<T: DeserializeOwned>(value: Value, place: &str) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| Problem::invalid(pointer(place, error.path()), without_value(error.inner())))
}

fn object(mut object: InputObject, place: &str) -> Result<Asked, Problem> {
    let context = object.context.take().unwrap_or_default();
    if context.len() > MAX_TURNS {
        return Err(Problem::invalid(format!("{place}/context"), format!("has {} turns; at most {MAX_TURNS} are taken", context.len())));
    }
    let turn = |(i, Object(turn)): (usize, Object<ContextTurn>)| {
        Ok(Turn { role: turn.role, text: utterance(turn.text, &format!("{place}/context/{i}/text"))? })
    };
    let context = context.into_iter().enumerate().map(turn).collect::<Result<_, Problem>>()?;
    let now = now(object.timestamp.as_deref(), object.timezone.as_deref(), place)?;
    let values = ValueContext { now: Some(now), region: object.language.as_deref().and_then(region) };
    let input = Input { text: utterance(object.text, &format!("{place}/text"))?, context, values };
    let name = |value: Option<String>, key: &str| value.map(|value| named(value, &format!("{place}/{key}"))).transpose();
    let customer = object.customer.map_or(Customer { id: None, segment: None }, |Object(customer)| customer);
    let metadata = object.metadata.map(|metadata| Value::Object(metadata).to_string());
    if let Some(metadata) = metadata.as_ref().filter(|metadata| metadata.len() > LONGEST_METADATA) {
        let detail = format!("has {} bytes; at most {LONGEST_METADATA} are kept", metadata.len());
        return Err(Problem::invalid(format!("{place}/metadata"), detail));
    }
    // An identifier matters where a message is known again by it; elsewhere it is only given back.
    let id = if object.conversation_id.is_some() { name(object.id, "id")? } else { object.id };
    Ok(Asked {
        id,
        conversation: name(object.conversation_id, "conversation_id")?,
        input,
        at: object.timestamp.as_deref().and_then(|text| text.parse().ok()),
        channel: name(object.channel, "channel")?,
        customer: name(customer.id, "customer/id")?,
        segment: name(customer.segment, "customer/segment")?,
        language: name(object.language, "language")?,
        metadata,
    })
}

/// A name that is kept: not empty, not long, without control characters.
///
/// # Errors
/// 422 with the place.
pub fn named(value: String, pointer: &str) -> Result<String, Problem> {
    let wrong = if value.trim().is_empty() {
        "is empty; leave it out or send a name"
    } else if value.len() > LONGEST_NAME {
        "is longer than 256 bytes"
    } else if value.chars().any(char::is_control) {
        "has a control character"
    } else {
        return Ok(value);
    };
    Err(Problem::invalid(pointer, wrong))
}

/// The moment of the message in the customer's time zone.
fn now(timestamp: Option<&str>, timezone: Option<&str>, place: &str) -> Result<jiff::Zoned, Problem> {
    let zone = match timezone {
        Some(name) => TimeZone::get(name).map_err(|_| {
            Problem::invalid(format!("{place}/timezone"), format!("`{name}` is not an IANA time zone such as Europe/Berlin"))
        })?,
        None => TimeZone::UTC,
    };
    let moment = match timestamp {
        Some(text) => text.parse().map_err(|_| {
            Problem::invalid(format!("{place}/timestamp"), format!("`{text}` is not an RFC 3339 time such as 2026-05-01T09:30:00Z"))
        })?,
        None => jiff::Timestamp::now(),
    };
    Ok(moment.to_zoned(zone))
}

/// The region of a BCP 47 tag: `GB` of `en-GB`.
fn region(tag: &str) -> Option<String> {
    let region = tag.split(['-', '_']).skip(1).find(|part| part.len() == 2 && part.chars().all(|c| c.is_ascii_alphabetic()));
    region.map(str::to_ascii_uppercase)
}
