//! Who may ask what, and how often.

use super::super::problem::Problem;
use super::super::server::Service;
use crate::keys::{Key, KeyFile, Scope};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;

/// The keys in force, each with its limit.
#[derive(Debug, Default)]
pub struct Access {
    /// Without keys everybody may do everything.
    keys: Option<KeyFile>,
    limits: Vec<Option<DefaultDirectRateLimiter>>,
}

impl Access {
    /// Only who has one of these keys may ask.
    #[must_use]
    pub fn keys(keys: KeyFile) -> Self {
        let limit = |key: &Key| key.requests_per_second.and_then(NonZeroU32::new).map(|rate| RateLimiter::direct(Quota::per_second(rate)));
        Self { limits: keys.keys.iter().map(limit).collect(), keys: Some(keys) }
    }

    fn check(&self, headers: &HeaderMap, scope: Scope) -> Result<(), Problem> {
        let Some(keys) = &self.keys else { return Ok(()) };
        let place = sent(headers).and_then(|sent| keys.find(sent)).ok_or_else(|| {
            let detail = "send a key as `Authorization: Bearer hk_…`; `hearken key new` makes one";
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", "A key is needed", detail)
        })?;
        if keys.keys.get(place).is_none_or(|key| !key.may(scope)) {
            let detail = format!("the key has not the scope `{}`", scope.name());
            return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "The key may not do this", detail));
        }
        let Some(limit) = self.limits.get(place).and_then(Option::as_ref) else { return Ok(()) };
        limit.check().map_err(|late| {
            let detail = "the key's requests_per_second are used up; try again after the time in Retry-After";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "Too many requests", detail);
            Problem { retry_after: Some(late.wait_time_from(DefaultClock::default().now())), ..problem }
        })
    }
}

/// The key of a request: a bearer token, or the `x-api-key` that some clients send.
fn sent(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    bearer.map(|(_, key)| key.trim()).or_else(|| headers.get("x-api-key").and_then(|value| value.to_str().ok()))
}

/// Routes about what is stored.
const CONVERSATIONS: [&str; 5] = ["/v1/conversations", "/v1/events", "/v1/handovers", "/v1/analytics", "/v1/backtest"];

/// The scope that a route needs; none for probes and documentation.
fn scope(method: &Method, route: &str) -> Option<Scope> {
    match route {
        "/livez" | "/readyz" | "/startupz" | "/health" | "/ping" | "/v2" | "/v2/health/live" | "/v2/health/ready" | "/openapi.json" => None,
        _ if route.starts_with("/docs") => None,
        "/metrics" | "/info" | "/status" | "/version" => Some(Scope::Read),
        _ if route.starts_with("/v1/models") || route.starts_with("/v2/models") && *method == Method::GET => {
            Some(if *method == Method::GET { Scope::Read } else { Scope::Admin })
        }
        "/v1/policy" => Some(if *method == Method::GET { Scope::Read } else { Scope::Admin }),
        _ if CONVERSATIONS.iter().any(|begin| route.starts_with(begin)) => Some(Scope::Conversations),
        _ => Some(Scope::Classify),
    }
}

/// Lets through who may.
pub async fn authorise(State(service): State<Arc<Service>>, request: Request, next: Next) -> Result<Response, Problem> {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if let Some(scope) = scope(request.method(), route) {
        service.access().check(request.headers(), scope)?;
    }
    Ok(next.run(request).await)
}
