//! How a base's token vectors become the vector of a message: what its files say, else the mean.

use super::ImportError;
use super::source::read_json;
use crate::model::{Manifest, Pooling};
use serde_json::Value;
use std::path::Path;

/// The pooling of a base: of `hearken.toml` in a model of hearken's, of `config.json` in an imported one, of `1_Pooling/config.json` in the
/// layout of sentence-transformers; the mean where none says anything.
///
/// # Errors
/// When one of these files does not parse.
pub fn pooling(base: &Path) -> Result<Pooling, ImportError> {
    let manifest = base.join("hearken.toml");
    if manifest.is_file() {
        let text = std::fs::read_to_string(&manifest).map_err(|source| ImportError::Io { path: manifest, source })?;
        return Ok(Manifest::parse(&text)?.pooling);
    }
    let recorded = read_json(base, "config.json")?.and_then(|config| Some(config.get("hearken")?.get("pooling")?.as_str()? == "cls"));
    let own = |recorded| if recorded { Pooling::Cls } else { Pooling::Mean };
    if let Some(recorded) = recorded {
        return Ok(own(recorded));
    }
    let layer = read_json(base, "1_Pooling/config.json")?.unwrap_or_default();
    let first = layer.get("pooling_mode_cls_token").and_then(Value::as_bool).unwrap_or(false);
    let named = layer.get("pooling_mode").and_then(Value::as_str).is_some_and(|mode| mode == "cls");
    Ok(own(first || named))
}
