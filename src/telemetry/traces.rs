//! Traces over OTLP: a span for each request and one for each of its stages, within the trace of whoever asked (W3C Trace Context).
//!
//! Stages run on other threads and are measured there; their spans are made afterwards from what was measured. The exporter is a thread
//! of its own, so that a slow collector costs no request anything. Texts of customers are in no span.

use super::TracedStage;
use opentelemetry::trace::{Span as _, SpanContext, SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

static TRACES: OnceLock<SdkTracer> = OnceLock::new();
const VERSION: &str = "00";
const EXPORT: Duration = Duration::from_secs(10);

/// Exports what is left when it is dropped.
#[derive(Debug)]
pub struct Exporting(SdkTracerProvider);

impl Drop for Exporting {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(EXPORT) {
            tracing::warn!("traces may be lost: {error}");
        }
    }
}

/// Begins to export to a collector, such as `http://localhost:4318`. `OTEL_TRACES_SAMPLER` and the like hold.
///
/// # Errors
/// When the endpoint makes no sense, or traces are exported already.
pub fn export(endpoint: &str) -> anyhow::Result<Exporting> {
    let endpoint = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder().with_http().with_http_client(Client).with_endpoint(endpoint).with_timeout(EXPORT).build()?;
    let resource =
        Resource::builder().with_service_name("hearken").with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build()).build();
    anyhow::ensure!(TRACES.set(provider.tracer("hearken")).is_ok(), "traces are exported already");
    Ok(Exporting(provider))
}

/// Whether anybody wants traces.
#[must_use]
pub fn tracing_requests() -> bool {
    TRACES.get().is_some()
}

/// Makes the spans of a request that has just ended. Returns the `traceparent` of its own span.
pub fn traced(name: String, parent: Option<&str>, time: Duration, status: u16, id: &str, stages: &[TracedStage]) -> Option<String> {
    let tracer = TRACES.get()?;
    let end = SystemTime::now();
    let begin = end - time;
    let parent = parent.and_then(parsed).map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
    let attributes = [KeyValue::new("http.response.status_code", i64::from(status)), KeyValue::new("request_id", id.to_owned())];
    let builder = tracer.span_builder(name).with_kind(SpanKind::Server).with_start_time(begin).with_attributes(attributes);
    let mut span = tracer.build_with_context(builder, &parent);
    if status >= 500 {
        span.set_status(Status::error("the request failed"));
    }
    let own = span.span_context().clone();
    let within = Context::new().with_remote_span_context(own.clone());
    for stage in stages {
        let builder = tracer.span_builder(stage.name).with_start_time(begin + stage.begin);
        tracer.build_with_context(builder, &within).end_with_timestamp(begin + stage.begin + stage.time);
    }
    span.end_with_timestamp(end);
    Some(format!("{VERSION}-{}-{}-{:02x}", own.trace_id(), own.span_id(), own.trace_flags()))
}

/// A `traceparent` header (W3C Trace Context, level 1).
fn parsed(header: &str) -> Option<SpanContext> {
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId, TraceState};
    let mut parts = header.trim().split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = version.len() == 2 && version != "ff" && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
    let lengths = lengths && (version != VERSION || parts.next().is_none());
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let context = SpanContext::new(TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?, flags, true, TraceState::NONE);
    (lengths && context.is_valid()).then_some(context)
}

/// The HTTP client of the rest of the program, for the exporter's thread, where waiting is no harm.
#[derive(Debug)]
struct Client;

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let mut response = ureq::run(Request::from_parts(head, body.to_vec()))?;
        let bytes = response.body_mut().read_to_vec()?;
        let mut answer = Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            *headers = response.headers().clone();
        }
        Ok(answer.body(Bytes::from(bytes))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_by_the_letter() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(parsed(good).unwrap().is_sampled());
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        ] {
            assert!(parsed(bad).is_none(), "{bad}");
        }
    }
}
