//! `/v1/handovers`: the outbox.

use crate::http::openapi::{Problems, StateProblems};
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::store::{DeliveryRow, HandoverRow, HandoverState, Store, moment};
use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

const MOST: usize = 200;

/// Which hand-overs are told.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// Of this state.
    state: Option<HandoverState>,
    /// With a delivery of this state.
    delivery: Option<DeliveryState>,
    /// Those before this one: the `id` of the last of the page before.
    before: Option<String>,
    /// Most of them.
    #[param(minimum = 1, maximum = 200)]
    limit: usize,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { state: None, delivery: None, before: None, limit: 50 }
    }
}

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// It is tried.
    Pending,
    /// The target has it.
    Delivered,
    /// It is given up.
    Dead,
}

impl DeliveryState {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// Hand-overs, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Handovers {
    data: Vec<HandoverObject>,
}

/// A hand-over.
#[derive(Debug, Serialize, ToSchema)]
pub struct HandoverObject {
    id: String,
    conversation_id: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `policy` or `request`.
    source: String,
    priority: String,
    state: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    accepted: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved: Option<Timestamp>,
    rules: Option<Value>,
    deliveries: Vec<DeliveryObject>,
    /// What targets are told, where one hand-over is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Value>,
}

/// A delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryObject {
    target: String,
    state: String,
    attempts: i64,
    /// When the next attempt is due.
    #[schema(value_type = Option<String>, format = DateTime)]
    due: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished: Option<Timestamp>,
    /// HTTP status of the last attempt.
    status: Option<i64>,
    error: Option<String>,
}

/// `GET /v1/handovers`.
#[utoipa::path(get, path = "/v1/handovers", tag = "handovers", params(Wanted), responses((status = 200, body = Handovers), StateProblems, Problems))]
pub async fn list(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Handovers>, Problem> {
    let Query(wanted) = wanted.map_err(|error| Problem::query(&error.body_text()))?;
    if !(1..=MOST).contains(&wanted.limit) {
        return Err(Problem::query(&format!("`limit` is {}; send 1 to {MOST}", wanted.limit)));
    }
    let store = service.desk()?.store();
    let (state, delivery) = (wanted.state.map(HandoverState::name), wanted.delivery.map(DeliveryState::name));
    let rows = store.handovers(state, delivery, wanted.before.as_deref(), wanted.limit).await?;
    let mut data = Vec::with_capacity(rows.len());
    for row in rows {
        data.push(object(store, row, false).await?);
    }
    Ok(Json(Handovers { data }))
}

/// `GET /v1/handovers/{id}`.
#[utoipa::path(get, path = "/v1/handovers/{id}", tag = "handovers", params(("id" = String, Path, description = "The handover_id")),
    responses((status = 200, body = HandoverObject), StateProblems, Problems))]
pub async fn read(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Result<Json<HandoverObject>, Problem> {
    let store = service.desk()?.store();
    let row = store.handover(&id).await?.ok_or_else(|| missing(&id))?;
    Ok(Json(object(store, row, true).await?))
}

/// `POST /v1/handovers/{id}/retry`: deliveries that were given up, or wait, are tried again at once.
#[utoipa::path(post, path = "/v1/handovers/{id}/retry", tag = "handovers", params(("id" = String, Path, description = "The handover_id")),
    responses((status = 200, body = HandoverObject), StateProblems, Problems))]
pub async fn retry(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Result<Json<HandoverObject>, Problem> {
    service.check_open()?;
    let desk = service.desk()?;
    let row = desk.store().handover(&id).await?.ok_or_else(|| missing(&id))?;
    if desk.retry(&id, Timestamp::now()).await? == 0 {
        return Err(Problem::conflict("every target has the hand-over; there is nothing to try again"));
    }
    Ok(Json(object(desk.store(), row, true).await?))
}

fn missing(id: &str) -> Problem {
    Problem::missing(format!("there is no hand-over `{id}`"))
}

async fn object(store: &Store, row: HandoverRow, whole: bool) -> Result<HandoverObject, Problem> {
    let deliveries = store.deliveries(&row.id).await?;
    let delivery = |row: DeliveryRow| DeliveryObject {
        due: (row.state == "pending").then(|| moment(row.due)),
        target: row.target,
        state: row.state,
        attempts: row.attempts,
        finished: row.finished.map(moment),
        status: row.status,
        error: row.error,
    };
    Ok(HandoverObject {
        id: row.id,
        conversation_id: row.conversation,
        at: moment(row.at),
        source: row.source,
        priority: row.priority,
        state: row.state,
        accepted: row.accepted.map(moment),
        resolved: row.resolved.map(moment),
        rules: serde_json::from_str(&row.rules).ok(),
        deliveries: deliveries.into_iter().map(delivery).collect(),
        payload: if whole { serde_json::from_str(&row.payload).ok() } else { None },
    })
}
