//! Which files of a model are fetched.

use super::HubError;
use std::collections::{BTreeMap, BTreeSet};

/// Fetched where they exist: special tokens, pooling, and what makes a model of hearken's.
pub const BESIDE: [&str; 7] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "1_Pooling/config.json",
    "hearken.toml",
    "channels.safetensors",
    "CARD.md",
    "LICENSE",
];

/// The index of weights in several files.
pub const INDEX: &str = "model.safetensors.index.json";

const WEIGHTS: &str = "model.safetensors";
const PICKLE: &str = "pytorch_model.bin";

/// The files to fetch of those that `has` says are there, the index of the weights first, if there is one.
///
/// # Errors
/// When one is missing that hearken cannot do without.
pub fn wanted(name: &str, has: &dyn Fn(&str) -> bool) -> Result<Vec<&'static str>, HubError> {
    let lacks = |file, remedy| Err(HubError::Lacks { name: name.to_owned(), file, remedy });
    if !has("config.json") {
        return lacks("config.json", "it is no model in transformers' layout; choose another");
    }
    if !has("tokenizer.json") {
        let remedy = "load it in transformers with AutoTokenizer, save_pretrained writes tokenizer.json; then hearken model import DIR";
        return lacks("tokenizer.json", remedy);
    }
    // One file of weights rather than shards, and either rather than a pickle.
    let Some(weights) = [WEIGHTS, INDEX, PICKLE].into_iter().find(|file| has(file)) else {
        return lacks(WEIGHTS, "it has no weights that hearken reads; choose a model with safetensors");
    };
    let mut files = vec![weights, "config.json", "tokenizer.json"];
    files.extend(BESIDE.into_iter().filter(|file| has(file)));
    Ok(files)
}

/// The shards that an index names.
///
/// # Errors
/// When the index does not parse or names anything but files beside it.
pub fn shards(index: &str) -> Result<Vec<String>, HubError> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_str(index).map_err(|error| HubError::Answer(format!("{INDEX}: {error}")))?;
    let names: BTreeSet<String> = index.weight_map.into_values().collect();
    match names.iter().find(|name| name.contains(['/', '\\']) || name.starts_with('.')) {
        Some(name) => Err(HubError::Answer(format!("{INDEX}: `{name}` is no plain file name"))),
        None => Ok(names.into_iter().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_a_way_out() {
        let of = |files: &[&str]| wanted("a/b", &|file| files.contains(&file)).map_err(|error| error.to_string());
        assert!(of(&[]).unwrap_err().contains("config.json"));
        assert!(of(&["config.json"]).unwrap_err().contains("save_pretrained"));
        assert!(of(&["config.json", "tokenizer.json"]).unwrap_err().contains("model.safetensors"));
        let pickle = ["config.json", "tokenizer.json", PICKLE, "LICENSE", "model.onnx"];
        assert_eq!(of(&pickle).unwrap(), [PICKLE, "config.json", "tokenizer.json", "LICENSE"]);
        assert_eq!(of(&[&pickle[..], &[WEIGHTS, INDEX]].concat()).unwrap()[0], WEIGHTS);
    }

    #[test]
    fn an_index_names_plain_files() {
        assert_eq!(shards("{\"weight_map\": {\"a\": \"x-1\", \"b\": \"x-2\", \"c\": \"x-1\"}}").unwrap(), ["x-1", "x-2"]);
        assert!(shards("{\"weight_map\": {\"a\": \"../x\"}}").unwrap_err().to_string().contains("../x"));
        assert!(shards("[]").is_err());
    }
}
