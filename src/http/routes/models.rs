//! `/v1/models`: which model answers, which is tried beside it, and how that changes. A model is warmed up before it takes a slot,
//! and the change is one swap: no request fails for it.

use crate::engine::{Engine, Slot, SlotError, Slots};
use crate::http::body::json;
use crate::http::mirror::MirrorReport;
use crate::http::openapi::{BodyProblems, Problems, SlotProblems};
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::telemetry;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The slots.
#[derive(Debug, Serialize, ToSchema)]
pub struct Models {
    stable: ModelObject,
    shadow: Option<ShadowObject>,
    /// What a rollback would bring back.
    previous: Option<String>,
}

/// A model at work.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelObject {
    /// `name@version`.
    model: String,
    backend: &'static str,
    max_tokens: usize,
    intents: Vec<String>,
    entities: Vec<String>,
    emotions: Vec<String>,
    sentiment: bool,
}

/// The model in the shadow, and what would change with it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShadowObject {
    #[serde(flatten)]
    model: ModelObject,
    report: MirrorReport,
}

/// Which model to load.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadBody {
    /// Name of a model below the server's `models/`.
    model: String,
}

/// `GET /v1/models`.
#[utoipa::path(get, path = "/v1/models", tag = "models", responses((status = 200, body = Models), Problems))]
pub async fn list(State(service): State<Arc<Service>>) -> Json<Models> {
    Json(models(&service))
}

/// `POST /v1/models/{slot}`: loads a model, warms it up, and puts it into the slot.
#[utoipa::path(post, path = "/v1/models/{slot}", tag = "models", params(("slot" = String, Path, description = "`stable` or `shadow`")), request_body = LoadBody,
    responses((status = 200, body = Models), SlotProblems, BodyProblems))]
pub async fn load(
    State(service): State<Arc<Service>>,
    Path(slot): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Models>, Problem> {
    let slot = named(&slot)?;
    let LoadBody { model } = json(&service, &headers, body).await?;
    if model.is_empty() || model.starts_with('.') || model.contains(['/', '\\']) {
        return Err(Problem::invalid("/model", "is not a name; send the name of a directory below the server's `models/`"));
    }
    let Ok(_one_at_a_time) = service.loading.try_lock() else {
        return Err(Problem::conflict("another model is being loaded; try again when it is done"));
    };
    let loader = Arc::clone(&service);
    let engine = tokio::task::spawn_blocking(move || (loader.loader)(&model)).await;
    let engine = engine.map_err(|error| error.to_string()).and_then(|engine| engine.map_err(|error| format!("{error:#}")));
    let engine = engine.map_err(|detail| Problem::invalid("/model", detail))?;
    let id = engine.id().to_owned();
    forget(&service);
    service.slots.put(slot, engine);
    service.mirror.clear();
    tracing::info!(slot = slot.name(), model = id, "model loaded");
    Ok(Json(models(&service)))
}

/// `POST /v1/models/{slot}/promote`: the shadow becomes stable.
#[utoipa::path(post, path = "/v1/models/{slot}/promote", tag = "models", params(("slot" = String, Path, description = "`stable` or `shadow`")),
    responses((status = 200, body = Models), SlotProblems, Problems))]
pub async fn promote(State(service): State<Arc<Service>>, Path(slot): Path<String>) -> Result<Json<Models>, Problem> {
    change(&service, &slot, Slot::Shadow, "promoted", "model promoted", Slots::promote)
}

/// `POST /v1/models/{slot}/rollback`: what was stable before is so again.
#[utoipa::path(post, path = "/v1/models/{slot}/rollback", tag = "models", params(("slot" = String, Path, description = "`stable` or `shadow`")),
    responses((status = 200, body = Models), SlotProblems, Problems))]
pub async fn roll_back(State(service): State<Arc<Service>>, Path(slot): Path<String>) -> Result<Json<Models>, Problem> {
    change(&service, &slot, Slot::Stable, "rolled back", "model rolled back", Slots::roll_back)
}

/// `DELETE /v1/models/{slot}`: takes the model out of the shadow.
#[utoipa::path(delete, path = "/v1/models/{slot}", tag = "models", params(("slot" = String, Path, description = "`stable` or `shadow`")),
    responses((status = 200, body = Models), SlotProblems, Problems))]
pub async fn clear(State(service): State<Arc<Service>>, Path(slot): Path<String>) -> Result<Json<Models>, Problem> {
    change(&service, &slot, Slot::Shadow, "emptied", "shadow emptied", Slots::clear_shadow)
}

/// A change that only one slot can undergo.
fn change(
    service: &Service,
    slot: &str,
    only: Slot,
    done: &str,
    logged: &str,
    change: impl FnOnce(&Slots) -> Result<(), SlotError>,
) -> Result<Json<Models>, Problem> {
    if named(slot)? != only {
        return Err(Problem::conflict(format!("only the slot `{}` can be {done}", only.name())));
    }
    forget(service);
    change(&service.slots).map_err(|error| Problem::conflict(error.to_string()))?;
    service.mirror.clear();
    tracing::info!(model = service.slots.stable().id(), "{logged}");
    Ok(Json(models(service)))
}

/// What is in the slots now may not be so any more; the next reading of the metrics says what is.
fn forget(service: &Service) {
    for slot in Slot::ALL {
        if let Some(engine) = service.slots.get(slot) {
            telemetry::model_gone(slot.name(), engine.id().to_owned());
        }
    }
}

fn named(slot: &str) -> Result<Slot, Problem> {
    let problem = || {
        let detail = format!("there is no slot `{slot}`; there are `stable` and `shadow`");
        Problem::new(StatusCode::NOT_FOUND, "not_found", "There is no such slot", detail)
    };
    Slot::named(slot).ok_or_else(problem)
}

fn models(service: &Service) -> Models {
    let shadow = |engine: Arc<Engine>| ShadowObject { model: object(&engine), report: service.mirror.report() };
    Models {
        stable: object(&service.slots.stable()),
        shadow: service.slots.get(Slot::Shadow).map(shadow),
        previous: service.slots.previous().map(|engine| engine.id().to_owned()),
    }
}

fn object(engine: &Engine) -> ModelObject {
    let heads = &engine.model().manifest.heads;
    ModelObject {
        model: engine.id().to_owned(),
        backend: engine.backend(),
        max_tokens: engine.model().manifest.max_tokens,
        intents: heads.intent.as_ref().map(|head| head.labels.clone()).unwrap_or_default(),
        entities: heads.entities.as_ref().map(|head| head.labels.clone()).unwrap_or_default(),
        emotions: heads.emotions.as_ref().map(|head| head.labels.clone()).unwrap_or_default(),
        sentiment: heads.sentiment.is_some(),
    }
}
