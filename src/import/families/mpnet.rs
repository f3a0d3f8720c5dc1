//! MPNet (Song et al., 2020). Its positions begin behind the padding's, as RoBERTa's do, so the rows before them go; it has no segments.

use super::keys::{positions_left, refuse_decoder, size, unread_positions};
use crate::import::{Config, Family, ImportError, Origin};

/// The family.
pub const FAMILY: Family = Family { model_types: &["mpnet"], anchor: "embeddings.word_embeddings.weight", config, origin };

/// Parts of a layer in hearken's names and in theirs.
const PARTS: [(&str, &str); 5] = [
    ("attention.self.query.", "attention.attn.q."),
    ("attention.self.key.", "attention.attn.k."),
    ("attention.self.value.", "attention.attn.v."),
    ("attention.output.dense.", "attention.attn.o."),
    ("attention.output.LayerNorm.", "attention.LayerNorm."),
];

fn origin(name: &str, config: &Config) -> Origin {
    if name == "embeddings.position_embeddings.weight" {
        return Origin::Rows { name: name.to_owned(), skip: unread_positions(config) };
    }
    let part = PARTS.iter().find(|(ours, _)| name.contains(ours));
    Origin::Named(part.map_or_else(|| name.to_owned(), |(ours, theirs)| name.replace(ours, theirs)))
}

fn config(config: &Config) -> Result<Config, ImportError> {
    refuse_decoder(config)?;
    let mut out = config.clone();
    out.insert("max_position_embeddings".to_owned(), positions_left(config)?.into());
    out.insert("relative_attention_num_buckets".to_owned(), size(config, "relative_attention_num_buckets", Some(32))?.into());
    out.insert("type_vocab_size".to_owned(), 0.into());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_and_positions_are_theirs() {
        let given = json!({"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}).as_object().unwrap().clone();
        let out = config(&given).unwrap();
        assert_eq!((out["max_position_embeddings"].as_u64(), out["relative_attention_num_buckets"].as_u64()), (Some(512), Some(32)));
        let named = |name: &str| match origin(name, &given) {
            Origin::Named(name) => name,
            _ => String::new(),
        };
        assert_eq!(named("encoder.layer.3.attention.self.key.bias"), "encoder.layer.3.attention.attn.k.bias");
        assert_eq!(named("encoder.layer.3.output.LayerNorm.bias"), "encoder.layer.3.output.LayerNorm.bias");
        assert!(matches!(origin("embeddings.position_embeddings.weight", &given), Origin::Rows { skip: 2, .. }));
    }
}
