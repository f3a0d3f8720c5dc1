//! What does the operator see? Every metric and log line of the service as one typed function.

mod metrics;

pub use metrics::{Stage, batch, batch_panicked, classified, model_gone, observe, recorder, refused, request, stage};
