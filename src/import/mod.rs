//! How does a foreign checkpoint become one that hearken trains from? Once, by translation: its tensors get the names and shapes of an
//! architecture that the backends run, `config.json` says so and keeps where they come from, and the tokenizer says its special tokens.
//!
//! One family of checkpoints a file in `families/`, and one line in [`FAMILIES`].

mod base;
mod error;
mod families;
mod pooling;
mod source;
mod tokenizer;
mod write;

pub use base::{Base, base};
pub use error::ImportError;
pub use families::FAMILIES;
pub use pooling::pooling;
pub use source::Source;
pub use write::{Translated, translate};

use serde_json::{Map, Value};

/// Keys of a `config.json`.
pub type Config = Map<String, Value>;

/// A family of checkpoints in Hugging Face's layout.
#[derive(Debug)]
pub struct Family {
    /// `model_type`s of its `config.json`.
    pub model_types: &'static [&'static str],
    /// The tensor by which the encoder is found; what stands before it in the checkpoint is the prefix of every name.
    pub anchor: &'static str,
    /// The configuration in hearken's words.
    pub config: fn(&Config) -> Result<Config, ImportError>,
    /// Where a tensor of hearken's comes from.
    pub origin: fn(&str, &Config) -> Origin,
}

/// Where a tensor comes from. Names are without the checkpoint's prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The tensor of this name.
    Named(String),
    /// The rows behind the first `skip` of the tensor of this name.
    Rows {
        /// Its name.
        name: String,
        /// Rows that are left out.
        skip: usize,
    },
    /// The first row of the tensor of this name, as often as rows are needed.
    Repeated(String),
    /// Nothing: zeros.
    Zeros,
}
