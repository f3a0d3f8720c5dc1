//! How the store can fail.

/// The store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be opened.
    #[error("the store `{address}` cannot be opened: {error}")]
    Open {
        /// Where it is, without a password.
        address: String,
        /// Why.
        error: sqlx::Error,
    },
    /// The address means nothing.
    #[error("`{0}` is no store; write `sqlite`, `sqlite://FILE` or `postgres://USER@HOST/DATABASE`")]
    Address(String),
    /// A directory cannot be made.
    #[error("the data directory `{}` cannot be made: {error}; choose another with --data-dir", .path.display())]
    Directory {
        /// The directory.
        path: std::path::PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The schema cannot be brought up to date.
    #[error("the store's schema cannot be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database refused or was not reached.
    #[error("the store failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The group that a change was written in failed.
    #[error("the store failed: {0}")]
    Write(std::sync::Arc<str>),
    /// What is stored cannot be read.
    #[error("the store has a {what} that cannot be read: {detail}")]
    Content {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// Somebody else changed the conversation again and again.
    #[error("the conversation changes faster than messages can be added to it")]
    Contended,
    /// This kind of store has no such thing.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The writer is gone.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What is stored cannot be read.
    pub(super) fn content(what: &'static str, error: impl std::fmt::Display) -> Self {
        Self::Content { what, detail: error.to_string() }
    }
}
