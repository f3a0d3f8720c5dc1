//! How does a person get a conversation? What they are told, and how it reaches them: a durable outbox with one courier for each target.

mod breaker;
mod courier;
mod outbox;
mod payload;
mod private;
mod schedule;
mod target;
mod targets;

pub use outbox::{Outbox, OutboxOptions};
pub use payload::{Account, LARGEST, Links, Written, payload};
pub use target::{Outcome, Target, TargetConfig, TargetError};
pub use targets::KINDS;

/// An identifier for a hand-over: in the order of time.
#[must_use]
pub fn new_id() -> String {
    format!("ho_{}", uuid::Uuid::now_v7().simple())
}
