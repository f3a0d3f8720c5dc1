//! `/v1/conversations`: what is remembered, and who has it.

use crate::desk::DeskError;
use crate::http::body::json;
use crate::http::openapi::{BodyProblems, Problems, StateProblems};
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::policy::{Episode, Priority};
use crate::store::{ConversationRow, EventRow, MessageRow, moment};
use crate::telemetry;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// Most turns of an answer; a conversation of more is told from its end.
const TURNS: usize = 1000;

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct Conversation {
    id: String,
    /// `bot` or `human`.
    owner: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated: Timestamp,
    /// When it was resolved.
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved: Option<Timestamp>,
    channel: Option<String>,
    customer: CustomerObject,
    metadata: Option<Value>,
    /// The hand-over that is open.
    handover_id: Option<String>,
    /// Turns before those that are told.
    turns_left_out: i64,
    turns: Vec<TurnObject>,
    events: Vec<EventObject>,
}

/// Who writes.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerObject {
    id: Option<String>,
    segment: Option<String>,
}

/// A turn, with what was found and decided where it is the customer's.
#[derive(Debug, Serialize, ToSchema)]
pub struct TurnObject {
    turn: i64,
    id: Option<String>,
    role: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// None once it has expired.
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prediction: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entities: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    handover_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
}

/// An event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventObject {
    id: String,
    r#type: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    message_id: Option<String>,
    handover_id: Option<String>,
    value: Option<f64>,
    data: Option<Value>,
}

/// A hand-over that the caller wants.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HandoverBody {
    /// How soon; `normal` without it.
    priority: Option<Priority>,
}

/// A hand-over that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandoverAnswer {
    handover_id: String,
    /// Whether a person had the conversation already.
    before: bool,
}

/// A hand-over that has ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct ResumeAnswer {
    handover_id: String,
}

/// `GET /v1/conversations/{id}`.
#[utoipa::path(get, path = "/v1/conversations/{id}", tag = "conversations", params(("id" = String, Path, description = "The conversation_id")),
    responses((status = 200, body = Conversation), StateProblems, Problems))]
pub async fn read(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Result<Json<Conversation>, Problem> {
    let store = service.desk()?.store();
    let row = store.conversation(&id).await?.ok_or(DeskError::NoConversation(id))?;
    let messages = store.messages(&row.id, i64::MAX, TURNS).await?;
    let events = store.events(&row.id).await?;
    Ok(Json(conversation(row, messages, events)))
}

/// `DELETE /v1/conversations/{id}`: erases it with all that came of it.
#[utoipa::path(delete, path = "/v1/conversations/{id}", tag = "conversations", params(("id" = String, Path, description = "The conversation_id")),
    responses((status = 204), StateProblems, Problems))]
pub async fn erase(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    if service.desk()?.store().erase(&id).await? { Ok(StatusCode::NO_CONTENT) } else { Err(DeskError::NoConversation(id).into()) }
}

/// `POST /v1/conversations/{id}/handover`: a person gets it, whatever the policy says.
#[utoipa::path(post, path = "/v1/conversations/{id}/handover", tag = "conversations", params(("id" = String, Path, description = "The conversation_id")),
    request_body = HandoverBody, responses((status = 200, body = HandoverAnswer), StateProblems, BodyProblems))]
pub async fn hand_over(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<HandoverAnswer>, Problem> {
    service.check_open()?;
    let HandoverBody { priority } = json(&service, &headers, body).await?;
    let priority = priority.unwrap_or(Priority::Normal);
    let handed = service.desk()?.ask_for_human(&id, priority, Timestamp::now()).await?;
    if !handed.before {
        telemetry::handed_over(priority.name(), &handed.id);
    }
    Ok(Json(HandoverAnswer { handover_id: handed.id, before: handed.before }))
}

/// `POST /v1/conversations/{id}/resume`: the bot gets it back.
#[utoipa::path(post, path = "/v1/conversations/{id}/resume", tag = "conversations", params(("id" = String, Path, description = "The conversation_id")),
    responses((status = 200, body = ResumeAnswer), StateProblems, Problems))]
pub async fn resume(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Result<Json<ResumeAnswer>, Problem> {
    service.check_open()?;
    Ok(Json(ResumeAnswer { handover_id: service.desk()?.hand_back(&id, Timestamp::now()).await? }))
}

fn value(text: Option<String>) -> Option<Value> {
    text.and_then(|text| serde_json::from_str(&text).ok())
}

fn conversation(row: ConversationRow, messages: Vec<MessageRow>, events: Vec<EventRow>) -> Conversation {
    let episode: Episode = serde_json::from_str(&row.episode).unwrap_or_default();
    Conversation {
        owner: if episode.open.is_some() { "human" } else { "bot" },
        created: moment(row.created),
        updated: moment(row.updated),
        resolved: row.resolved.map(moment),
        channel: row.channel,
        customer: CustomerObject { id: row.customer, segment: row.segment },
        metadata: value(row.metadata),
        handover_id: row.handover,
        turns_left_out: messages.first().map_or(0, |row| row.turn),
        turns: messages.into_iter().map(turn).collect(),
        events: events.into_iter().map(event).collect(),
        id: row.id,
    }
}

fn turn(row: MessageRow) -> TurnObject {
    TurnObject {
        turn: row.turn,
        id: row.id,
        role: row.role,
        at: moment(row.at),
        text: row.text,
        prediction: value(row.prediction),
        entities: value(row.entities),
        decision: value(row.decision),
        handover_id: row.handover,
        model: row.model,
    }
}

fn event(row: EventRow) -> EventObject {
    EventObject {
        id: row.id,
        r#type: row.kind,
        at: moment(row.at),
        message_id: row.message,
        handover_id: row.handover,
        value: row.value,
        data: value(row.data),
    }
}
