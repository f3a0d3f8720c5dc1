//! What does the operator see? Every metric and log line of the service as one typed function.

mod metrics;
#[cfg(feature = "otlp")]
mod traces;
#[cfg(not(feature = "otlp"))]
#[path = "no_traces.rs"]
mod traces;

pub use metrics::{
    Stage, anomaly, batch, batch_panicked, classified, courier_failed, delivery, handed_over, model_gone, observe, policy_changed,
    policy_gone, purged, recorder, refused, request, rule_failed, stage, store_group, upkeep_failed,
};
pub use traces::{Exporting, export, traced, tracing_requests};

use std::time::Duration;

/// A stage of a request: its name, when it began after the request did, and how long it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracedStage {
    /// Name of the span.
    pub name: &'static str,
    /// When it began, counted from the begin of the request.
    pub begin: Duration,
    /// How long it took.
    pub time: Duration,
}
