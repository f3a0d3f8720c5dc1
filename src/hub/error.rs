//! Why a model is not fetched, and the way out.

use hf_hub::api::sync::ApiError;
use std::io::ErrorKind;
use std::path::PathBuf;

/// A model that is not fetched.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// No name of a model.
    #[error("`{0}` is no name of a model; give OWNER/NAME as the hub shows it")]
    Name(String),
    /// 401.
    #[error(
        "`{name}`: the hub wants to know who asks (401): there is no such public model, or it is private; check the spelling, or set HF_TOKEN to a token that may read it"
    )]
    Unauthorized {
        /// The model.
        name: String,
    },
    /// 403.
    #[error(
        "`{name}`: access is refused (403): accept the model's conditions on its page at the hub, then set HF_TOKEN to a token of that account"
    )]
    Gated {
        /// The model.
        name: String,
    },
    /// 404.
    #[error("`{name}` has no `{what}` (404); check the spelling and --revision, which takes a branch, a tag or a whole commit")]
    NotFound {
        /// The model.
        name: String,
        /// Revision or file.
        what: String,
    },
    /// Anything between here and the hub.
    #[error(
        "the hub cannot be reached: {0}; check the network and HF_ENDPOINT, or use --offline for what was fetched before. The same command goes on where it stopped"
    )]
    Network(String),
    /// No byte for a long time.
    #[error("no byte of `{file}` came for {seconds} s; the same command goes on where it stopped")]
    Stalled {
        /// The file.
        file: String,
        /// How long.
        seconds: u64,
    },
    /// The disk.
    #[error("`{}` cannot be written: {source}; free some space, or set HF_HOME to a directory with room", path.display())]
    Disk {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody else downloads it.
    #[error("another process is fetching this file: `{}` is locked; wait for it, then run the same command", .0.display())]
    Busy(PathBuf),
    /// The bytes are not those that the hub promised.
    #[error("`{file}` came damaged twice: {detail}; try again, or another HF_ENDPOINT")]
    Damaged {
        /// The file.
        file: String,
        /// What differs.
        detail: String,
    },
    /// The model has no file that hearken needs.
    #[error("`{name}` has no `{file}`; {remedy}")]
    Lacks {
        /// The model.
        name: String,
        /// The file.
        file: &'static str,
        /// The way out.
        remedy: &'static str,
    },
    /// Not in the cache.
    #[error("`{what}` of `{name}` is not in the cache `{}`; fetch it once without --offline", cache.display())]
    NotCached {
        /// The model.
        name: String,
        /// Revision or file.
        what: String,
        /// The cache.
        cache: PathBuf,
    },
    /// The hub answers in no way that makes sense.
    #[error("the hub's answer makes no sense: {0}; check HF_ENDPOINT")]
    Answer(String),
}

impl HubError {
    /// What a failure of the protocol means for `what` of the model `name`.
    pub(super) fn of(error: ApiError, name: &str, what: &str, cache: &std::path::Path) -> Self {
        let name = name.to_owned();
        match error {
            ApiError::RequestError(error) => match *error {
                ureq::Error::StatusCode(401) => Self::Unauthorized { name },
                ureq::Error::StatusCode(403) => Self::Gated { name },
                ureq::Error::StatusCode(404) => Self::NotFound { name, what: what.to_owned() },
                ureq::Error::StatusCode(code) => Self::Network(format!("it answers {code}")),
                ureq::Error::Json(error) => Self::Answer(error.to_string()),
                other => Self::Network(other.to_string()),
            },
            ApiError::IoError(source) => match source.kind() {
                ErrorKind::StorageFull
                | ErrorKind::QuotaExceeded
                | ErrorKind::PermissionDenied
                | ErrorKind::ReadOnlyFilesystem
                | ErrorKind::NotADirectory
                | ErrorKind::AlreadyExists
                | ErrorKind::NotFound => Self::Disk { path: cache.to_owned(), source },
                _ => Self::Network(source.to_string()),
            },
            ApiError::LockAcquisition(path) => Self::Busy(path),
            ApiError::TooManyRetries(error) => Self::of(*error, &name, what, cache),
            other => Self::Answer(other.to_string()),
        }
    }

    /// Whether trying again may help.
    pub(super) fn passes(&self) -> bool {
        matches!(self, Self::Network(_) | Self::Stalled { .. })
    }
}
