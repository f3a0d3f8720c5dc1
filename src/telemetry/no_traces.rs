//! Traces, left out of this build.

use super::TracedStage;
use std::time::Duration;

/// Nothing is exported.
#[derive(Debug)]
pub struct Exporting(());

/// Refuses.
///
/// # Errors
/// Always.
pub fn export(_endpoint: &str) -> anyhow::Result<Exporting> {
    anyhow::bail!("this build has no traces; build with the feature `otlp`")
}

/// Nobody wants traces.
#[must_use]
pub fn tracing_requests() -> bool {
    false
}

/// Makes no spans.
pub fn traced(_: String, _: Option<&str>, _: Duration, _: u16, _: &str, _: &[TracedStage]) -> Option<String> {
    None
}
