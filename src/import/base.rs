//! What training starts from: a model of hearken's or an imported one as it is, any other checkpoint translated first.

use super::{ImportError, pooling, translate};
use crate::model::{EncoderConfig, Pooling, map_weights};
use crate::text::TextEncoder;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A base that training can read.
#[derive(Debug, Clone, PartialEq)]
pub struct Base {
    /// Directory with `config.json`, `tokenizer.json` and `model.safetensors` in hearken's names.
    pub path: PathBuf,
    /// Its pooling.
    pub pooling: Pooling,
    /// The foreign `model_type`, if it was translated.
    pub translated: Option<String>,
}

/// The base in `path`. A foreign checkpoint is translated into `work`.
///
/// # Errors
/// When it is neither a base nor a checkpoint that can be translated.
pub fn base(path: &Path, work: &Path) -> Result<Base, ImportError> {
    if is_native(path) {
        return Ok(Base { path: path.to_owned(), pooling: pooling(path)?, translated: None });
    }
    let made = translate(path, work)?;
    Ok(Base { path: made.path, pooling: made.pooling, translated: Some(made.from) })
}

/// Whether a directory has an encoder in hearken's names, with a tokenizer that says its special tokens.
fn is_native(path: &Path) -> bool {
    let config = std::fs::read_to_string(path.join("config.json")).ok().and_then(|text| EncoderConfig::parse(&text).ok());
    let names = || -> Option<HashSet<String>> {
        let weights = path.join("model.safetensors");
        weights.is_file().then(|| map_weights(&weights).ok())?.map(|map| map.tensors().into_iter().map(|(name, _)| name).collect())
    };
    let (Some(config), Some(names)) = (config, names()) else { return false };
    config.tensors().iter().all(|(name, _)| names.contains(name)) && TextEncoder::open(&path.join("tokenizer.json"), 64, 0).is_ok()
}
