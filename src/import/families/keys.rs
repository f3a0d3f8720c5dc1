//! Reading keys of a foreign `config.json`.

use crate::import::{Config, ImportError};
use serde_json::Value;

/// A size; `default` when the key is absent or null.
pub fn size(config: &Config, key: &'static str, default: Option<u64>) -> Result<u64, ImportError> {
    match config.get(key) {
        None | Some(Value::Null) => default.ok_or_else(|| ImportError::Key { key, detail: "is missing".to_owned() }),
        Some(value) => value.as_u64().ok_or_else(|| ImportError::Key { key, detail: format!("{value} is no size") }),
    }
}

/// Whether a switch is on.
pub fn on(config: &Config, key: &str) -> bool {
    config.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// Refuses a decoder: its tokens do not see what follows.
pub fn refuse_decoder(config: &Config) -> Result<(), ImportError> {
    if on(config, "is_decoder") {
        return Err(ImportError::Key { key: "is_decoder", detail: "a decoder is not supported; hearken needs an encoder".to_owned() });
    }
    Ok(())
}

/// Copies keys under their names in hearken's words.
pub fn renamed(config: &Config, pairs: &[(&'static str, &str)]) -> Result<Config, ImportError> {
    let mut out = config.clone();
    for (theirs, ours) in pairs {
        let value = out.remove(*theirs).ok_or_else(|| ImportError::Key { key: theirs, detail: "is missing".to_owned() })?;
        out.insert((*ours).to_owned(), value);
    }
    Ok(out)
}

/// Rows of the position table that are never read for a text without padding: where positions begin behind the padding's, those up to
/// `pad_token_id`.
pub fn unread_positions(config: &Config) -> usize {
    size(config, "pad_token_id", Some(1)).ok().and_then(|id| usize::try_from(id).ok()).map_or(0, |id| id.saturating_add(1))
}

/// Positions that are left behind those.
pub fn positions_left(config: &Config) -> Result<u64, ImportError> {
    let positions = size(config, "max_position_embeddings", None)?;
    positions.checked_sub(unread_positions(config) as u64).filter(|left| *left > 0).ok_or_else(|| ImportError::Key {
        key: "max_position_embeddings",
        detail: format!("{positions} leaves no position behind those up to pad_token_id"),
    })
}
