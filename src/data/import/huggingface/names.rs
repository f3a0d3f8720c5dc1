//! Names of numbered labels.

use serde_json::Value;
use std::collections::BTreeMap;

/// The names in a file: one a line, the `id2label` of a `config.json`, or the first `names` of a `dataset_info.json`.
///
/// # Errors
/// A sentence, when it has no names.
///
/// ```
/// # use hearken::data::import::label_names;
/// assert_eq!(label_names("O\nB-city\n").unwrap(), ["O", "B-city"]);
/// assert_eq!(label_names(r#"{"id2label": {"1": "refund", "0": "greet"}}"#).unwrap(), ["greet", "refund"]);
/// ```
pub fn label_names(text: &str) -> Result<Vec<String>, String> {
    if !text.trim_start().starts_with(['{', '[']) {
        let names: Vec<_> = text.lines().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        return if names.is_empty() { Err("the file holds no name".to_owned()) } else { Ok(names) };
    }
    let value: Value = serde_json::from_str(text).map_err(|error| format!("the JSON is broken: {error}"))?;
    find(&value).ok_or_else(|| "there is neither a list of `names` nor a map `id2label`".to_owned())
}

fn find(value: &Value) -> Option<Vec<String>> {
    if let Value::Array(items) = value {
        let names: Option<Vec<_>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        return names.filter(|names| !names.is_empty()).or_else(|| items.iter().find_map(find));
    }
    let map = value.as_object()?;
    if let Some(numbered) = map.get("id2label").and_then(Value::as_object) {
        let names: Option<BTreeMap<usize, String>> =
            numbered.iter().map(|(number, name)| Some((number.parse().ok()?, name.as_str()?.to_owned()))).collect();
        let names = names.filter(|names| names.keys().copied().eq(0..names.len()));
        return names.map(|names| names.into_values().collect());
    }
    let named = map.get("names").and_then(find);
    named.or_else(|| map.values().filter(|value| value.is_object()).find_map(find))
}
