//! How does a name become a model directory? A Hugging Face hub's files at one commit, fetched into the shared cache (`HF_HOME`), checked,
//! and laid into a directory with their sha256.
//!
//! The crate hf-hub speaks the protocol and keeps the cache; here are the choice of files, the retries, the checks and the messages.
//! `HF_ENDPOINT` names another hub, `HF_TOKEN` lets private models be read, `HF_HUB_OFFLINE` is `--offline`.

mod error;
mod fetch;
mod files;
mod pull;

pub use error::HubError;
pub use pull::{Pull, Pulled, RECORD, pull};

/// Who watches a download.
pub trait Watcher {
    /// A file begins, or begins anew.
    fn file(&mut self, name: &str, bytes: u64);
    /// So many bytes of it are here.
    fn position(&mut self, bytes: u64);
}
