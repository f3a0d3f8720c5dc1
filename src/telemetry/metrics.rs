//! Prometheus series. Each is registered at start-up, so that a dashboard finds it before the first message.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const REQUESTS: &str = "hearken_http_requests_total";
const REQUEST_SECONDS: &str = "hearken_http_request_duration_seconds";
const STAGE_SECONDS: &str = "hearken_stage_duration_seconds";
const BATCH_MESSAGES: &str = "hearken_batch_messages";
const BATCH_TOKENS: &str = "hearken_batch_tokens";
const BATCH_FILL: &str = "hearken_batch_fill_ratio";
const MODEL: &str = "hearken_model_info";
const POLICY: &str = "hearken_policy_info";
const MESSAGES: &str = "hearken_messages_total";
const TOKENS: &str = "hearken_tokens_total";
const TRUNCATED: &str = "hearken_truncated_total";
const ESCALATIONS: &str = "hearken_escalations_recommended_total";
const REFUSED: &str = "hearken_refused_total";
const HANDOVERS: &str = "hearken_handovers_total";
const RULE_ERRORS: &str = "hearken_rule_errors_total";
const ANOMALIES: &str = "hearken_anomalies_total";
const DELIVERIES: &str = "hearken_handover_deliveries_total";
const DELIVERY_SECONDS: &str = "hearken_handover_delivery_duration_seconds";
const STORE_SECONDS: &str = "hearken_store_write_duration_seconds";
const STORE_CHANGES: &str = "hearken_store_changes_total";
const QUEUE: &str = "hearken_queue_messages";

/// A stage of a message's way through the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Text to token ids.
    Encode,
    /// Waiting for a worker.
    Queue,
    /// The forward pass of its batch.
    Compute,
    /// Logits and patterns to prediction.
    Decode,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Encode, Self::Queue, Self::Compute, Self::Decode];

    fn name(self) -> &'static str {
        match self {
            Self::Encode => "encode",
            Self::Queue => "queue",
            Self::Compute => "compute",
            Self::Decode => "decode",
        }
    }
}

/// Upper bounds of the durations, in seconds: from a tenth of a millisecond to the longest deadline worth having.
const DURATIONS: [f64; 15] = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Upper bounds of what a batch holds.
const SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// Upper bounds of how full a batch is.
const SHARES: [f64; 10] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0];

/// The process's one recorder, with every series of these routes (method and path) described and registered.
///
/// # Errors
/// When the recorder cannot be set up.
pub fn recorder(routes: impl FnOnce() -> Vec<(String, String)>) -> Result<PrometheusHandle, BuildError> {
    static RECORDER: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
    // Whoever comes second waits, so that the handle is that of the recorder in force.
    let mut made = RECORDER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = made.as_ref() {
        return Ok(handle.clone());
    }
    let of = |name: &str| Matcher::Full(name.to_owned());
    let builder = PrometheusBuilder::new().set_buckets(&DURATIONS)?;
    let builder = builder.set_buckets_for_metric(of(BATCH_MESSAGES), &SIZES)?.set_buckets_for_metric(of(BATCH_TOKENS), &SIZES)?;
    let recorder = builder.set_buckets_for_metric(of(BATCH_FILL), &SHARES)?.build_recorder();
    let handle = made.insert(recorder.handle()).clone();
    if metrics::set_global_recorder(recorder).is_ok() {
        describe(&routes());
    }
    Ok(handle)
}

/// What is measured anew for each reading.
pub fn observe(queue: usize, policy: String, models: impl IntoIterator<Item = (&'static str, String)>) {
    queue_depth(queue);
    metrics_process::Collector::default().collect();
    gauge!(POLICY, "policy" => policy).set(1.0);
    for (slot, model) in models {
        gauge!(MODEL, "slot" => slot, "model" => model).set(1.0);
    }
}

/// A slot has another model, or none.
pub fn model_gone(slot: &'static str, model: String) {
    gauge!(MODEL, "slot" => slot, "model" => model).set(0.0);
}

/// Another policy is in force.
pub fn policy_gone(policy: String) {
    gauge!(POLICY, "policy" => policy).set(0.0);
}

/// Another policy is in force from now on.
pub fn policy_changed(policy: &str) {
    tracing::info!(policy, "policy in force");
}

/// Registers and describes every series.
fn describe(routes: &[(String, String)]) {
    metrics_process::Collector::default().describe();
    describe_gauge!(MODEL, "1 for the model in a slot, 0 for one that was");
    describe_gauge!(POLICY, "1 for the policy in force, 0 for one that was");
    describe_histogram!(BATCH_FILL, "tokens of each batch as a share of the most");
    drop(histogram!(BATCH_FILL));
    for (method, route) in routes {
        counter!(REQUESTS, "route" => route.clone(), "method" => method.clone(), "status" => "200").absolute(0);
        drop(histogram!(REQUEST_SECONDS, "route" => route.clone()));
    }
    describe_counter!(REQUESTS, "HTTP requests by route, method and status");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "time from the request's head to the response's head");
    describe_histogram!(STAGE_SECONDS, Unit::Seconds, "time of each stage of a message");
    describe_histogram!(BATCH_MESSAGES, "messages of each batch");
    describe_histogram!(BATCH_TOKENS, "tokens of each batch");
    describe_counter!(MESSAGES, "messages classified, by status");
    describe_counter!(TOKENS, "tokens read by the encoder");
    describe_counter!(TRUNCATED, "messages longer than the model reads");
    describe_counter!(ESCALATIONS, "messages for which a human was recommended, by priority");
    describe_counter!(REFUSED, "requests refused, by the code of the problem");
    describe_counter!(HANDOVERS, "conversations handed over, by priority");
    describe_counter!(RULE_ERRORS, "rules that could not decide, by rule");
    describe_counter!(ANOMALIES, "hours with far more negative messages, or messages of one intent, than usual, by kind");
    for kind in ["negative_sentiment", "intent"] {
        counter!(ANOMALIES, "kind" => kind).absolute(0);
    }
    describe_counter!(DELIVERIES, "attempts to deliver a hand-over, by target and result");
    describe_histogram!(DELIVERY_SECONDS, Unit::Seconds, "time of an attempt to deliver a hand-over");
    drop(histogram!(DELIVERY_SECONDS));
    describe_histogram!(STORE_SECONDS, Unit::Seconds, "time to write a group of changes");
    drop(histogram!(STORE_SECONDS));
    describe_counter!(STORE_CHANGES, "changes of conversations, written or failed");
    for result in ["written", "failed"] {
        counter!(STORE_CHANGES, "result" => result).absolute(0);
    }
    describe_gauge!(QUEUE, "messages admitted and not yet answered");
    for stage in Stage::ALL {
        drop(histogram!(STAGE_SECONDS, "stage" => stage.name()));
    }
    drop((histogram!(BATCH_MESSAGES), histogram!(BATCH_TOKENS)));
    for status in ["matched", "ambiguous", "out_of_scope", "none"] {
        counter!(MESSAGES, "status" => status).absolute(0);
    }
    for priority in ["low", "normal", "high", "urgent"] {
        counter!(ESCALATIONS, "priority" => priority).absolute(0);
        counter!(HANDOVERS, "priority" => priority).absolute(0);
    }
    for code in ["overloaded", "deadline", "draining", "invalid", "not_json", "unauthorized", "forbidden", "rate_limited", "internal"] {
        counter!(REFUSED, "code" => code).absolute(0);
    }
    counter!(TOKENS).absolute(0);
    counter!(TRUNCATED).absolute(0);
    gauge!(QUEUE).set(0.0);
}

/// A stage took this long.
pub fn stage(stage: Stage, duration: Duration) {
    histogram!(STAGE_SECONDS, "stage" => stage.name()).record(duration.as_secs_f64());
}

/// A batch went through the encoder.
#[expect(clippy::cast_precision_loss, reason = "a batch is small")]
pub fn batch(messages: usize, tokens: usize, most: usize, compute: Duration) {
    stage(Stage::Compute, compute);
    histogram!(BATCH_MESSAGES).record(messages as f64);
    histogram!(BATCH_TOKENS).record(tokens as f64);
    histogram!(BATCH_FILL).record(tokens as f64 / most.max(1) as f64);
}

/// A message was classified.
pub fn classified(status: &'static str, tokens: usize, truncated: bool, escalated: Option<&'static str>) {
    counter!(MESSAGES, "status" => status).increment(1);
    counter!(TOKENS).increment(tokens as u64);
    if truncated {
        counter!(TRUNCATED).increment(1);
    }
    if let Some(priority) = escalated {
        counter!(ESCALATIONS, "priority" => priority).increment(1);
    }
}

/// A request was answered.
pub fn request(route: String, method: String, status: u16, duration: Duration) {
    counter!(REQUESTS, "route" => route.clone(), "method" => method, "status" => status.to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "route" => route).record(duration.as_secs_f64());
}

/// A request was refused. The reason goes to the log beside the request's id; texts of customers do not.
pub fn refused(code: &'static str, status: u16, detail: &str, request_id: &str) {
    counter!(REFUSED, "code" => code).increment(1);
    if status >= 500 {
        tracing::error!(request_id, code, status, detail, "request failed");
    } else {
        tracing::info!(request_id, code, status, detail, "request refused");
    }
}

/// A group of changes was written to the store, or failed.
pub fn store_group(changes: usize, duration: Duration, written: bool) {
    histogram!(STORE_SECONDS).record(duration.as_secs_f64());
    counter!(STORE_CHANGES, "result" => if written { "written" } else { "failed" }).increment(changes as u64);
}

/// A conversation was handed over.
pub fn handed_over(priority: &'static str, handover: &str) {
    counter!(HANDOVERS, "priority" => priority).increment(1);
    tracing::info!(handover, priority, "handed over");
}

/// A rule could not decide.
pub fn rule_failed(rule: &str) {
    counter!(RULE_ERRORS, "rule" => rule.to_owned()).increment(1);
}

/// An attempt to deliver a hand-over ended.
pub fn delivery(target: &str, result: &'static str, duration: Duration, handover: &str, error: Option<&str>) {
    counter!(DELIVERIES, "target" => target.to_owned(), "result" => result).increment(1);
    histogram!(DELIVERY_SECONDS).record(duration.as_secs_f64());
    match error {
        None => tracing::info!(handover, target, "hand-over delivered"),
        Some(error) if result == "dead" => {
            tracing::error!(handover, target, error, "hand-over given up; POST /v1/handovers/{{id}}/retry tries again");
        }
        Some(error) => tracing::warn!(handover, target, error, "hand-over not delivered yet"),
    }
}

/// A courier could not work.
pub fn courier_failed(target: &str, error: &str) {
    tracing::error!(target, error, "the outbox cannot be read; it is tried again");
}

/// Something is not as it was.
pub fn anomaly(kind: &'static str, name: &str, messages: f64, usual: f64) {
    counter!(ANOMALIES, "kind" => kind).increment(1);
    tracing::warn!(kind, name, messages, usual, "more messages than usual in the last hour");
}

/// Old texts and conversations were forgotten.
pub fn purged(texts: u64, conversations: u64) {
    tracing::info!(texts, conversations, "forgot what is old (keep_texts_days, keep_days)");
}

/// Work beside answering failed; it is tried again.
pub fn upkeep_failed(error: &str) {
    tracing::error!(error, "upkeep failed; it is tried again within the hour");
}

/// A worker panicked on a batch; the panic's own message is in the log above.
pub fn batch_panicked(worker: usize) {
    tracing::error!(worker, "a batch failed with a panic; its requests get 500");
}

/// This many messages are admitted and not yet answered.
#[expect(clippy::cast_precision_loss, reason = "a queue is short")]
fn queue_depth(messages: usize) {
    gauge!(QUEUE).set(messages as f64);
}
