//! RoBERTa (Liu et al., 2019), XLM-R (Conneau et al., 2020) and CamemBERT: BERT whose positions begin behind the padding's, and which has one
//! segment. The first `pad_token_id + 1` rows of the position table are never read for a text without padding, so they go; the one segment
//! becomes two equal ones, which computes the same and leaves training a row for context.

use super::keys::{positions_left, refuse_decoder, size, unread_positions};
use crate::import::{Config, Family, ImportError, Origin};

/// The family.
pub const FAMILY: Family = Family {
    model_types: &["roberta", "xlm-roberta", "camembert"],
    anchor: "embeddings.word_embeddings.weight",
    config,
    origin: |name, config| match name {
        "embeddings.position_embeddings.weight" => Origin::Rows { name: name.to_owned(), skip: unread_positions(config) },
        "embeddings.token_type_embeddings.weight" if segments(config) == 1 => Origin::Repeated(name.to_owned()),
        _ => Origin::Named(name.to_owned()),
    },
};

fn segments(config: &Config) -> u64 {
    size(config, "type_vocab_size", Some(1)).unwrap_or(1)
}

fn config(config: &Config) -> Result<Config, ImportError> {
    refuse_decoder(config)?;
    let mut out = config.clone();
    out.insert("model_type".to_owned(), "bert".into());
    out.insert("max_position_embeddings".to_owned(), positions_left(config)?.into());
    out.insert("type_vocab_size".to_owned(), segments(config).max(2).into());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn positions_begin_behind_the_padding() {
        let given =
            |pad: u64| json!({"max_position_embeddings": 514, "type_vocab_size": 1, "pad_token_id": pad}).as_object().unwrap().clone();
        let out = config(&given(1)).unwrap();
        assert_eq!((out["max_position_embeddings"].as_u64(), out["type_vocab_size"].as_u64()), (Some(512), Some(2)));
        assert!(config(&given(600)).unwrap_err().to_string().contains("max_position_embeddings"));
        let mut decoder = given(1);
        decoder.insert("is_decoder".to_owned(), true.into());
        assert!(config(&decoder).unwrap_err().to_string().contains("is_decoder"));
    }
}
