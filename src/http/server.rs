//! What the routes work with, and the router, apart from the socket.

use super::compat;
use super::layers::{self, Access};
use super::mirror::Mirror;
use super::openapi;
use super::problem::Problem;
use super::routes::{analytics, backtest, classify, conversations, events, handovers, models, policy, probes, stream};
use super::terms;
use crate::config::ServeConfig;
use crate::desk::Desk;
use crate::engine::{Engine, Slots};
use crate::keys::KeyFile;
use crate::policy::Policy;
use crate::telemetry;
use arc_swap::ArcSwap;
use axum::Router;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa_swagger_ui::SwaggerUi;

/// Brings a model to work by its name.
pub type Loader = Box<dyn Fn(&str) -> anyhow::Result<Engine> + Send + Sync>;

/// What the routes work with.
pub struct Service {
    /// The models at work.
    pub slots: Slots,
    /// The policy in force, which the desk reads too.
    policy: Arc<ArcSwap<Policy>>,
    /// Where conversations go on; none where none are kept.
    desk: Option<Desk>,
    /// The settings.
    pub config: ServeConfig,
    pub(super) metrics: PrometheusHandle,
    pub(super) mirror: Mirror,
    pub(super) loader: Loader,
    pub(super) loading: tokio::sync::Mutex<()>,
    access: RwLock<Arc<Access>>,
    leaving: AtomicBool,
    draining: AtomicBool,
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service").field("slots", &self.slots).field("config", &self.config).finish_non_exhaustive()
    }
}

impl Service {
    /// Brings the parts together and registers the metrics.
    ///
    /// # Errors
    /// When the metrics cannot be set up.
    pub fn new(
        engine: Engine,
        loader: Loader,
        policy: Arc<ArcSwap<Policy>>,
        desk: Option<Desk>,
        config: ServeConfig,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            slots: Slots::new(engine),
            policy,
            desk,
            config,
            metrics: telemetry::recorder(openapi::routes)?,
            mirror: Mirror::default(),
            loader,
            loading: tokio::sync::Mutex::new(()),
            access: RwLock::default(),
            leaving: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        })
    }

    /// The policy in force.
    #[must_use]
    pub fn policy(&self) -> Arc<Policy> {
        self.policy.load_full()
    }

    /// Exchanges the policy in force.
    pub fn set_policy(&self, policy: Policy) {
        telemetry::policy_gone(self.policy().id().to_owned());
        self.policy.store(Arc::new(policy));
    }

    /// Where conversations go on.
    ///
    /// # Errors
    /// When none are kept.
    pub fn desk(&self) -> Result<&Desk, Problem> {
        self.desk.as_ref().ok_or_else(Problem::no_store)
    }

    /// The keys in force.
    pub(super) fn access(&self) -> Arc<Access> {
        Arc::clone(&self.access.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Exchanges the keys in force; limits begin anew.
    pub fn set_keys(&self, keys: KeyFile) {
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Access::keys(keys));
    }

    /// Is not ready from now on, but answers what still comes: whoever sends requests here needs a moment to notice.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Relaxed);
    }

    /// Whether requests should go elsewhere.
    #[must_use]
    pub fn leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    /// Takes no new requests from now on.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is stopping.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Checks that requests are still taken.
    ///
    /// # Errors
    /// When the server is stopping.
    pub(super) fn check_open(&self) -> Result<(), Problem> {
        if self.draining() { Err(Problem::draining()) } else { Ok(()) }
    }

    /// Time until a request is given up.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.config.deadline_ms)
    }

    /// Every route.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/classify", post(classify::classify))
            .route("/classify", post(classify::classify))
            .route("/v1/classify/stream", post(stream::stream))
            .route("/v1/models", get(models::list))
            .route("/v1/models/{slot}", post(models::load).delete(models::clear))
            .route("/v1/models/{slot}/promote", post(models::promote))
            .route("/v1/models/{slot}/rollback", post(models::roll_back))
            .route("/v1/conversations/{id}", get(conversations::read).delete(conversations::erase))
            .route("/v1/conversations/{id}/handover", post(conversations::hand_over))
            .route("/v1/conversations/{id}/resume", post(conversations::resume))
            .route("/v1/events", post(events::record))
            .route("/v1/handovers", get(handovers::list))
            .route("/v1/handovers/{id}", get(handovers::read))
            .route("/v1/handovers/{id}/retry", post(handovers::retry))
            .route("/v1/analytics/summary", get(analytics::summary))
            .route("/v1/analytics/sentiment", get(analytics::sentiment))
            .route("/v1/analytics/intents", get(analytics::intents))
            .route("/v1/analytics/escalations", get(analytics::escalations))
            .route("/v1/analytics/pain-points", get(analytics::pain_points))
            .route("/v1/analytics/review", get(analytics::review))
            .route("/v1/backtest", post(backtest::run))
            .route("/v1/policy", get(policy::read).put(policy::replace))
            .route("/livez", get(probes::live))
            .route("/readyz", get(probes::ready))
            .route("/startupz", get(probes::started))
            .route("/metrics", get(probes::metrics))
            .merge(compat::router())
            .merge(SwaggerUi::new(openapi::PAGE).url(openapi::PATH, openapi::document()))
            .fallback(layers::not_found)
            .method_not_allowed_fallback(layers::wrong_method)
            .route_layer(from_fn_with_state(Arc::clone(self), layers::authorise))
            .layer(CatchPanicLayer::custom(layers::panicked))
            .layer(self.cross_origin())
            .layer(from_fn_with_state(Arc::clone(self), layers::observe))
            .with_state(Arc::clone(self))
    }

    /// Other origins may ask where the settings name them; by default none may.
    fn cross_origin(&self) -> CorsLayer {
        let origins = self.config.cors_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        let layer = CorsLayer::new().allow_origin(AllowOrigin::list(origins));
        layer.allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE]).allow_headers([
            header::CONTENT_TYPE,
            header::AUTHORIZATION,
            HeaderName::from_static(terms::TIMEOUT),
            HeaderName::from_static(terms::CLASS),
        ])
    }
}
