//! ModernBERT (Warner et al., 2024), which hearken runs in its own names. Its configuration has had two forms, of which the older one's
//! keys are written.

use super::keys::{on, refuse_decoder, renamed, size};
use crate::import::{Config, Family, ImportError, Origin};
use serde_json::Value;

/// The family.
pub const FAMILY: Family = Family {
    model_types: &["modernbert"],
    anchor: "embeddings.tok_embeddings.weight",
    config,
    origin: |name, _| Origin::Named(name.to_owned()),
};

fn config(config: &Config) -> Result<Config, ImportError> {
    refuse_decoder(config)?;
    let mut out = renamed(config, &[("hidden_activation", "hidden_act"), ("norm_eps", "layer_norm_eps")])?;
    let thetas = [("full_attention", "global_rope_theta", 160_000.0), ("sliding_attention", "local_rope_theta", 10_000.0)];
    for (kind, key, default) in thetas {
        let theta = theta(config, kind, key, default)?;
        out.insert(key.to_owned(), theta.into());
    }
    out.insert("global_attn_every_n_layers".to_owned(), every(config)?.into());
    out.insert("local_attention".to_owned(), size(config, "local_attention", Some(128))?.into());
    out.insert("type_vocab_size".to_owned(), 0.into());
    for key in ["attention_bias", "mlp_bias", "norm_bias"] {
        out.insert(key.to_owned(), on(config, key).into());
    }
    Ok(out)
}

/// Base of the rotation of one kind of layers: of the older form's key, or of the newer one's table.
fn theta(config: &Config, kind: &str, key: &'static str, default: f64) -> Result<f64, ImportError> {
    let table = config.get("rope_parameters").and_then(|table| table.get(kind));
    let form = table.and_then(|table| table.get("rope_type")).and_then(Value::as_str).unwrap_or("default");
    if form != "default" || config.get("rope_scaling").is_some_and(|scaling| !scaling.is_null()) {
        let detail = format!("`{form}`: scaled rotations are not supported; hearken runs `default`");
        return Err(ImportError::Key { key: "rope_parameters", detail });
    }
    let value = table.and_then(|table| table.get("rope_theta")).or_else(|| config.get(key));
    match value {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value.as_f64().ok_or_else(|| ImportError::Key { key, detail: format!("{value} is no number") }),
    }
}

/// Every how many layers one sees everything.
fn every(config: &Config) -> Result<u64, ImportError> {
    let Some(kinds) = config.get("layer_types").and_then(Value::as_array) else {
        return size(config, "global_attn_every_n_layers", Some(3));
    };
    let global: Vec<bool> = kinds.iter().map(|kind| kind == "full_attention").collect();
    let period = global.iter().skip(1).position(|global| *global).map_or(global.len().max(1), |place| place + 1);
    if global.iter().enumerate().all(|(layer, global)| *global == layer.is_multiple_of(period)) {
        return Ok(period as u64);
    }
    let detail = "the layers that see everything do not repeat regularly from the first on, which is not supported".to_owned();
    Err(ImportError::Key { key: "layer_types", detail })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(more: Value) -> Config {
        let mut config = json!({"model_type": "modernbert", "hidden_activation": "gelu", "norm_eps": 1e-5}).as_object().unwrap().clone();
        config.extend(more.as_object().unwrap().clone());
        config
    }

    #[test]
    fn both_forms_say_the_same() {
        let old =
            config(&given(json!({"global_rope_theta": 160_000.0, "local_rope_theta": 10_000.0, "global_attn_every_n_layers": 3}))).unwrap();
        let kinds = ["full_attention", "sliding_attention", "sliding_attention", "full_attention", "sliding_attention"];
        let ropes =
            json!({"full_attention": {"rope_type": "default", "rope_theta": 160_000.0}, "sliding_attention": {"rope_theta": 10_000.0}});
        let new = config(&given(json!({"layer_types": kinds, "rope_parameters": ropes}))).unwrap();
        for key in ["global_rope_theta", "local_rope_theta", "global_attn_every_n_layers", "local_attention"] {
            assert_eq!(old[key].as_f64(), new[key].as_f64(), "{key}");
        }
    }

    #[test]
    fn what_is_not_supported_is_named() {
        for (more, key) in [
            (json!({"layer_types": ["full_attention", "sliding_attention", "full_attention", "full_attention"]}), "layer_types"),
            (json!({"layer_types": ["sliding_attention", "full_attention"]}), "layer_types"),
            (json!({"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}), "rope_parameters"),
            (json!({"local_attention": "wide"}), "local_attention"),
            (json!({"is_decoder": true}), "is_decoder"),
        ] {
            let error = config(&given(more)).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
