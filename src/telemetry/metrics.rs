//! Prometheus series. Each is registered at start-up, so that a dashboard finds it before the first message.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use std::time::Duration;

const REQUESTS: &str = "hearken_http_requests_total";
const REQUEST_SECONDS: &str = "hearken_http_request_duration_seconds";
const STAGE_SECONDS: &str = "hearken_stage_duration_seconds";
const BATCH_MESSAGES: &str = "hearken_batch_messages";
const BATCH_TOKENS: &str = "hearken_batch_tokens";
const MESSAGES: &str = "hearken_messages_total";
const TOKENS: &str = "hearken_tokens_total";
const TRUNCATED: &str = "hearken_truncated_total";
const ESCALATIONS: &str = "hearken_escalations_recommended_total";
const REFUSED: &str = "hearken_refused_total";
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

/// Registers and describes every series.
pub fn describe() {
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
    describe_gauge!(QUEUE, "messages admitted and not yet answered");
    for stage in Stage::ALL {
        drop(histogram!(STAGE_SECONDS, "stage" => stage.name()));
    }
    drop((histogram!(BATCH_MESSAGES), histogram!(BATCH_TOKENS)));
    drop(histogram!(REQUEST_SECONDS, "route" => "/v1/classify"));
    for status in ["matched", "ambiguous", "out_of_scope", "none"] {
        counter!(MESSAGES, "status" => status).absolute(0);
    }
    for priority in ["low", "normal", "high", "urgent"] {
        counter!(ESCALATIONS, "priority" => priority).absolute(0);
    }
    for code in ["overloaded", "deadline", "draining", "invalid"] {
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
pub fn batch(messages: usize, tokens: usize, compute: Duration) {
    stage(Stage::Compute, compute);
    histogram!(BATCH_MESSAGES).record(messages as f64);
    histogram!(BATCH_TOKENS).record(tokens as f64);
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

/// A worker panicked on a batch; the panic's own message is in the log above.
pub fn batch_panicked(worker: usize) {
    tracing::error!(worker, "a batch failed with a panic; its requests get 500");
}

/// This many messages are admitted and not yet answered.
#[expect(clippy::cast_precision_loss, reason = "a queue is short")]
pub fn queue_depth(messages: usize) {
    gauge!(QUEUE).set(messages as f64);
}
