//! `POST /v1/events`: what happened to a conversation elsewhere. An event that comes again under the same id changes nothing.

use crate::conversation::Role;
use crate::desk::{Desk, DeskError, Reply};
use crate::http::body::json;
use crate::http::openapi::{BodyProblems, StateProblems};
use crate::http::parse::named;
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::store::{EventKind, EventRow};
use crate::text::Utterance;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;

/// Least and most of a satisfaction.
const SATISFACTION: std::ops::RangeInclusive<f64> = 1.0..=5.0;

/// An event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBody {
    /// Identifier of the event; made where it is left out.
    #[schema(min_length = 1, max_length = 256)]
    id: Option<String>,
    /// What happened: `handover.accepted`, `handover.resolved`, `conversation.resolved`, `csat`, `correction` or `reply`.
    r#type: EventKind,
    /// When, RFC 3339; now without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    timestamp: Option<String>,
    /// The conversation; with `handover.…` it may be left out.
    conversation_id: Option<String>,
    /// The hand-over; the open one of the conversation without it.
    handover_id: Option<String>,
    /// The message that is corrected, or of the reply.
    message_id: Option<String>,
    /// Of `csat`: 1, not satisfied, to 5, satisfied.
    #[schema(minimum = 1, maximum = 5)]
    score: Option<f64>,
    /// Of `reply`: who spoke.
    role: Option<Role>,
    /// Of `reply`: what was said.
    text: Option<String>,
    /// Of `correction`: the intent that it should have been; `out_of_scope` for none.
    intent: Option<String>,
    /// Of `correction`: the sentiment that it should have been.
    sentiment: Option<crate::heads::Sentiment>,
    /// Whatever else there is to say.
    data: Option<Map<String, Value>>,
}

/// An event that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventAnswer {
    id: String,
    /// Whether it is new.
    recorded: bool,
}

/// Records an event and does what follows from it.
#[utoipa::path(post, path = "/v1/events", tag = "conversations", request_body = EventBody,
    responses((status = 200, body = EventAnswer), StateProblems, BodyProblems))]
pub async fn record(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<EventAnswer>, Problem> {
    service.check_open()?;
    let desk = service.desk()?;
    let body: EventBody = json(&service, &headers, body).await?;
    let kind = body.r#type;
    let at = match &body.timestamp {
        Some(text) => text.parse().map_err(|_| Problem::invalid("/timestamp", "is not an RFC 3339 time such as 2026-05-01T09:30:00Z"))?,
        None => Timestamp::now(),
    };
    if kind == EventKind::Anomaly {
        return Err(Problem::invalid("/type", "anomalies are found by the server itself"));
    }
    let reply = reply(&body)?;
    let row = row(desk, body, at).await?;
    if let (Some(reply), Some(conversation)) = (reply, &row.conversation) {
        desk.reply(conversation, &reply, at).await?;
        return Ok(Json(EventAnswer { id: row.id, recorded: true }));
    }
    let recorded = desk.event(kind, &row).await?;
    Ok(Json(EventAnswer { id: row.id, recorded }))
}

/// What a bot or a person said, where the event is that.
fn reply(body: &EventBody) -> Result<Option<Reply>, Problem> {
    if body.r#type != EventKind::Reply {
        return Ok(None);
    }
    let role = body.role.filter(|role| *role != Role::Customer);
    let role = role.ok_or_else(|| Problem::invalid("/role", "send `bot` or `agent`; what a customer says goes to /v1/classify"))?;
    let text = body.text.clone().ok_or_else(|| Problem::invalid("/text", "is missing; send what was said"))?;
    let text = Utterance::new(text).map_err(|error| Problem::invalid("/text", error.to_string()))?;
    Ok(Some(Reply { role, text: text.as_str().to_owned(), id: body.message_id.clone() }))
}

/// The event as it is kept, with what it is about found.
async fn row(desk: &Desk, body: EventBody, at: Timestamp) -> Result<EventRow, Problem> {
    let kind = body.r#type;
    let name = |value: Option<String>, pointer: &str| value.map(|value| named(value, pointer)).transpose();
    let id = name(body.id, "/id")?.unwrap_or_else(|| format!("ev_{}", uuid::Uuid::now_v7().simple()));
    let mut conversation = name(body.conversation_id, "/conversation_id")?;
    let mut handover = name(body.handover_id, "/handover_id")?;
    let message = name(body.message_id, "/message_id")?;
    if let Some(handover) = &handover {
        let known = desk.store().handover(handover).await?;
        let known = known.ok_or_else(|| Problem::missing(format!("there is no hand-over `{handover}`")))?;
        if conversation.as_ref().is_some_and(|conversation| *conversation != known.conversation) {
            return Err(Problem::invalid("/handover_id", "belongs to another conversation"));
        }
        conversation = Some(known.conversation);
    }
    let conversation =
        conversation.ok_or_else(|| Problem::invalid("/conversation_id", "is missing; send the conversation that it is about"))?;
    let known = desk.store().conversation(&conversation).await?.ok_or_else(|| DeskError::NoConversation(conversation.clone()))?;
    if handover.is_none() && matches!(kind, EventKind::HandoverAccepted | EventKind::HandoverResolved | EventKind::Csat) {
        handover = known.handover;
    }
    if handover.is_none() && matches!(kind, EventKind::HandoverAccepted | EventKind::HandoverResolved) {
        return Err(Problem::conflict("the conversation has no open hand-over; send handover_id for one that has ended"));
    }
    let mut data = body.data.unwrap_or_default();
    if kind == EventKind::Csat {
        let score = body.score.ok_or_else(|| Problem::invalid("/score", "is missing; send 1 to 5"))?;
        if !SATISFACTION.contains(&score) {
            return Err(Problem::invalid("/score", format!("{score} is outside 1..=5")));
        }
    } else if body.score.is_some() {
        return Err(Problem::invalid("/score", "belongs to events of the type csat"));
    }
    if kind == EventKind::Correction {
        let message =
            message.as_ref().ok_or_else(|| Problem::invalid("/message_id", "is missing; send the id of the message that is corrected"))?;
        if desk.store().message(&conversation, message).await?.is_none() {
            return Err(Problem::missing(format!("the conversation has no message `{message}`")));
        }
        if body.intent.is_none() && body.sentiment.is_none() {
            return Err(Problem::invalid("/intent", "is missing; send the intent or the sentiment that it should have been"));
        }
        data.extend(body.intent.map(|intent| ("intent".to_owned(), Value::from(intent))));
        data.extend(body.sentiment.map(|sentiment| ("sentiment".to_owned(), Value::from(sentiment.name()))));
    }
    let data = Some(data).filter(|data| !data.is_empty()).map(|data| Value::Object(data).to_string());
    Ok(EventRow {
        id,
        at: at.as_millisecond(),
        kind: kind.name().to_owned(),
        conversation: Some(conversation),
        handover,
        message,
        value: body.score,
        data,
    })
}
