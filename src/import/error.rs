//! Why a checkpoint is not imported; each names the place and the way out.

use std::path::PathBuf;

/// A checkpoint that cannot be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file is not there.
    #[error("`{}` has no `{file}`; {remedy}", path.display())]
    Missing {
        /// The checkpoint's directory.
        path: PathBuf,
        /// The file.
        file: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// The file system refused.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not parse.
    #[error("`{}` cannot be read: {detail}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Place and reason.
        detail: String,
    },
    /// No family of this name.
    #[error("config.json, key `model_type`: `{found}` is not imported; hearken imports {known}")]
    UnknownFamily {
        /// As found.
        found: String,
        /// Those there are.
        known: String,
    },
    /// A key of `config.json` that calls for what hearken cannot do.
    #[error("config.json, key `{key}`: {detail}")]
    Key {
        /// The key.
        key: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A tensor is missing or of another shape.
    #[error("tensor `{name}`: {detail}")]
    Tensor {
        /// Name in the checkpoint.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// The tokenizer says too little or does not fit.
    #[error("tokenizer.json: {0}")]
    Tokenizer(String),
    /// The result is no encoder that hearken runs.
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
}
