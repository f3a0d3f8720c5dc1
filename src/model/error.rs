//! Why a model directory is refused; each names the file and the key.

use std::path::PathBuf;

/// A model directory that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not there.
    #[error("no model at `{}`: `{file}` is missing; a model directory holds config.json, tokenizer.json, model.safetensors and hearken.toml", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
        /// The file.
        file: &'static str,
    },
    /// The file system refused.
    #[error("`{}` cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not parse, or holds a key that is not known.
    #[error("`{file}` is wrong: {detail}")]
    Malformed {
        /// The file.
        file: &'static str,
        /// Place and reason.
        detail: String,
    },
    /// A file differs from what the manifest promises.
    #[error("`{file}` does not match `files.\"{file}\"` of hearken.toml: wanted sha256 {wanted}, found {found}; fetch the model again")]
    Checksum {
        /// The file.
        file: String,
        /// By the manifest.
        wanted: String,
        /// On disk.
        found: String,
    },
    /// Two files say different things, or one says something impossible.
    #[error("`{file}`, key `{key}`: {detail}")]
    Contradiction {
        /// The file.
        file: &'static str,
        /// The key.
        key: String,
        /// What is wrong.
        detail: String,
    },
    /// The tokenizer cannot be used.
    #[error(transparent)]
    Tokenizer(#[from] crate::text::TokenizerError),
    /// The weights cannot be read.
    #[error("`model.safetensors` cannot be read: {0}")]
    Weights(String),
}
