//! The router, apart from the socket, and the server that waits for a signal to stop.

use super::compat;
use super::layers;
use super::mirror::Mirror;
use super::routes::{classify, models, probes, stream};
use crate::config::ServeConfig;
use crate::engine::{Engine, Slots};
use crate::policy::Policy;
use crate::telemetry;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

/// Upper bounds of the histograms, in seconds: from a tenth of a millisecond to the longest deadline worth having.
const BUCKETS: [f64; 15] = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Brings a model to work by its name.
pub type Loader = Box<dyn Fn(&str) -> anyhow::Result<Engine> + Send + Sync>;

/// What the routes work with.
pub struct Service {
    /// The models at work.
    pub slots: Slots,
    /// The policy in force.
    pub policy: Policy,
    /// The settings.
    pub config: ServeConfig,
    pub(super) metrics: PrometheusHandle,
    pub(super) mirror: Mirror,
    pub(super) loader: Loader,
    pub(super) loading: tokio::sync::Mutex<()>,
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
    pub fn new(engine: Engine, loader: Loader, policy: Policy, config: ServeConfig) -> anyhow::Result<Self> {
        Ok(Self {
            slots: Slots::new(engine),
            policy,
            config,
            metrics: recorder()?,
            mirror: Mirror::default(),
            loader,
            loading: tokio::sync::Mutex::new(()),
            draining: AtomicBool::new(false),
        })
    }

    /// Whether the server is stopping.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
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
            .route("/livez", get(probes::live))
            .route("/readyz", get(probes::ready))
            .route("/startupz", get(probes::ready))
            .route("/metrics", get(probes::metrics))
            .merge(compat::router())
            .fallback(layers::not_found)
            .method_not_allowed_fallback(layers::wrong_method)
            .layer(CatchPanicLayer::custom(layers::panicked))
            .layer(from_fn_with_state(Arc::clone(self), layers::observe))
            .with_state(Arc::clone(self))
    }
}

/// The process's one metrics recorder.
fn recorder() -> anyhow::Result<PrometheusHandle> {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = RECORDER.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder();
    let handle = RECORDER.get_or_init(|| recorder.handle()).clone();
    if metrics::set_global_recorder(recorder).is_ok() {
        telemetry::describe();
    }
    Ok(handle)
}

/// Serves until `stop` completes, then lets requests under way finish.
///
/// # Errors
/// When the socket fails.
pub async fn serve(service: Arc<Service>, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    let (stopping, stopped) = tokio::sync::oneshot::channel();
    let (signal, router) = (Arc::clone(&service), service.router());
    let graceful = async move {
        stop.await;
        signal.draining.store(true, Ordering::Relaxed);
        let _ = stopping.send(());
    };
    let upkeep = service.metrics.clone();
    let upkeep = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(5)).await;
            upkeep.run_upkeep();
        }
    });
    let server = axum::serve(listener, router).with_graceful_shutdown(graceful);
    let limit = Duration::from_secs(service.config.drain_seconds);
    let late = async {
        drop(stopped.await);
        tokio::time::sleep(limit).await;
    };
    let result = tokio::select! {
        result = server => result,
        () = late => {
            tracing::warn!(seconds = limit.as_secs(), "requests under way did not finish in time; stopping");
            Ok(())
        }
    };
    upkeep.abort();
    result
}
