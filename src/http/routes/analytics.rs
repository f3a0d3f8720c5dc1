//! `/v1/analytics`: what the stored outcomes come to.

use crate::analytics::{self, Bucket, Escalations, Grouping, IntentFigures, Mood, PainPoints, Range, Review, Summary};
use crate::http::openapi::{Problems, StateProblems};
use crate::http::problem::Problem;
use crate::http::server::Service;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Most messages that a review lists.
const MOST: usize = 500;

/// Which messages are counted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Wanted {
    /// From this moment, RFC 3339; 30 days ago without it.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Until before this one; now without it.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Width of a bucket.
    bucket: Option<Bucket>,
    /// Of this channel alone.
    channel: Option<String>,
    /// Of this group of customers alone.
    segment: Option<String>,
    /// Of `sentiment`: by what messages are told apart.
    by: Option<Grouping>,
    /// Of `review`: most messages.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<usize>,
}

/// The moods over time.
#[derive(Debug, Serialize, ToSchema)]
pub struct Moods {
    data: Vec<Mood>,
}

/// The intents.
#[derive(Debug, Serialize, ToSchema)]
pub struct Intents {
    data: Vec<IntentFigures>,
}

/// What is worth a look.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reviews {
    data: Vec<Review>,
}

type Asked = Result<Query<Wanted>, QueryRejection>;

fn range(asked: Asked) -> Result<(Range, Grouping, usize), Problem> {
    let Query(wanted) = asked.map_err(|error| Problem::query(&error.body_text()))?;
    let recent = Range::recent(Timestamp::now());
    let range = Range {
        from: wanted.from.unwrap_or(recent.from),
        to: wanted.to.unwrap_or(recent.to),
        bucket: wanted.bucket.unwrap_or_default(),
        channel: wanted.channel,
        segment: wanted.segment,
    };
    let limit = wanted.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::query(&format!("`limit` is {limit}; send 1 to {MOST}")));
    }
    let range = range.check().map_err(|error| Problem::query(&error.to_string()))?;
    Ok((range, wanted.by.unwrap_or_default(), limit))
}

/// `GET /v1/analytics/summary`: how it is going.
#[utoipa::path(get, path = "/v1/analytics/summary", tag = "analytics", params(Wanted), responses((status = 200, body = Summary), StateProblems, Problems))]
pub async fn summary(State(service): State<Arc<Service>>, asked: Asked) -> Result<Json<Summary>, Problem> {
    let (range, ..) = range(asked)?;
    Ok(Json(analytics::summary(service.desk()?.store(), &range).await?))
}

/// `GET /v1/analytics/sentiment`: how customers feel, over time.
#[utoipa::path(get, path = "/v1/analytics/sentiment", tag = "analytics", params(Wanted), responses((status = 200, body = Moods), StateProblems, Problems))]
pub async fn sentiment(State(service): State<Arc<Service>>, asked: Asked) -> Result<Json<Moods>, Problem> {
    let (range, by, _) = range(asked)?;
    Ok(Json(Moods { data: analytics::sentiment(service.desk()?.store(), &range, by).await? }))
}

/// `GET /v1/analytics/intents`: what customers want.
#[utoipa::path(get, path = "/v1/analytics/intents", tag = "analytics", params(Wanted), responses((status = 200, body = Intents), StateProblems, Problems))]
pub async fn intents(State(service): State<Arc<Service>>, asked: Asked) -> Result<Json<Intents>, Problem> {
    let (range, ..) = range(asked)?;
    Ok(Json(Intents { data: analytics::intents(service.desk()?.store(), &range).await? }))
}

/// `GET /v1/analytics/escalations`: who was handed over, when, and why.
#[utoipa::path(get, path = "/v1/analytics/escalations", tag = "analytics", params(Wanted), responses((status = 200, body = Escalations), StateProblems, Problems))]
pub async fn escalations(State(service): State<Arc<Service>>, asked: Asked) -> Result<Json<Escalations>, Problem> {
    let (range, ..) = range(asked)?;
    Ok(Json(analytics::escalations(service.desk()?.store(), &range).await?))
}

/// `GET /v1/analytics/pain-points`: where it hurts.
#[utoipa::path(get, path = "/v1/analytics/pain-points", tag = "analytics", params(Wanted), responses((status = 200, body = PainPoints), StateProblems, Problems))]
pub async fn pain_points(State(service): State<Arc<Service>>, asked: Asked) -> Result<Json<PainPoints>, Problem> {
    let (range, ..) = range(asked)?;
    Ok(Json(analytics::pain_points(service.desk()?.store(), &range).await?))
}

/// `GET /v1/analytics/review`: what is worth a look, and a label.
#[utoipa::path(get, path = "/v1/analytics/review", tag = "analytics", params(Wanted), responses((status = 200, body = Reviews), StateProblems, Problems))]
pub async fn review(State(service): State<Arc<Service>>, asked: Asked) -> Result<Json<Reviews>, Problem> {
    let (range, _, limit) = range(asked)?;
    Ok(Json(Reviews { data: analytics::reviews(service.desk()?.store(), &range, limit).await? }))
}
