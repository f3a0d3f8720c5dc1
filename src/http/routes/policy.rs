//! `/v1/policy`: the policy in force.

use crate::http::body::json;
use crate::http::openapi::{BodyProblems, Problems};
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::policy::{Policy, PolicyFile};
use crate::telemetry;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// The name of a policy that did not come from a file.
const UNNAMED: &str = "custom";

/// A policy.
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyObject {
    /// Name and hash.
    id: String,
    /// Whether it outlives the server: it is in the file that the server was started with.
    persistent: bool,
    /// The file's content.
    policy: Value,
}

/// `GET /v1/policy`.
#[utoipa::path(get, path = "/v1/policy", tag = "policy", responses((status = 200, body = PolicyObject), Problems))]
pub async fn read(State(service): State<Arc<Service>>) -> Json<PolicyObject> {
    Json(object(&service))
}

/// `PUT /v1/policy`: another policy, checked before it takes effect. Where the server has a policy file, it is written there too, as
/// JSON, which is YAML.
#[utoipa::path(put, path = "/v1/policy", tag = "policy", request_body = Object, responses((status = 200, body = PolicyObject), BodyProblems))]
pub async fn replace(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<PolicyObject>, Problem> {
    service.check_open()?;
    let written: Value = json(&service, &headers, body).await?;
    let file = PolicyFile::parse(&written.to_string()).map_err(|error| Problem::invalid("", error.to_string()))?;
    let mut name = UNNAMED.to_owned();
    if let Some(path) = &service.config.policy {
        let text = serde_json::to_string_pretty(&file).unwrap_or_default();
        let fresh = path.with_extension("new");
        let written = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, path));
        written.map_err(|error| {
            let problem = Problem::conflict("the server's policy file cannot be written; the policy stays as it was");
            Problem { internal: Some(format!("`{}`: {error}", path.display()).into()), ..problem }
        })?;
        name = Policy::name_of(path);
    }
    service.set_policy(Policy::new(&name, file));
    telemetry::policy_changed(service.policy().id());
    Ok(Json(object(&service)))
}

fn object(service: &Service) -> PolicyObject {
    let policy = service.policy();
    PolicyObject {
        id: policy.id().to_owned(),
        persistent: service.config.policy.is_some(),
        policy: serde_json::to_value(policy.file()).unwrap_or_default(),
    }
}
