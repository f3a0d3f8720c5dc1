//! What every request goes through: access, an id, a measurement, and problem documents for whatever failed.

mod access;
mod observe;

pub use access::{Access, authorise};
pub use observe::{Begin, RequestId, Stages, answered_by, not_found, observe, panicked, wrong_method};
