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
