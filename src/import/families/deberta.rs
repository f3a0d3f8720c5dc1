//! DeBERTa-v2 and v3 (He et al., 2021 and 2023), which hearken runs in their own names. A single segment becomes two equal ones, as
//! RoBERTa's does.

use super::keys::{refuse_decoder, size};
use crate::import::{Config, Family, Origin};

/// The family.
pub const FAMILY: Family = Family {
    model_types: &["deberta-v2"],
    anchor: "embeddings.word_embeddings.weight",
    config: |config| {
        refuse_decoder(config)?;
        let mut out = config.clone();
        if segments(config) == 1 {
            out.insert("type_vocab_size".to_owned(), 2.into());
        }
        Ok(out)
    },
    origin: |name, config| match name {
        "embeddings.token_type_embeddings.weight" if segments(config) == 1 => Origin::Repeated(name.to_owned()),
        _ => Origin::Named(name.to_owned()),
    },
};

fn segments(config: &Config) -> u64 {
    size(config, "type_vocab_size", Some(0)).unwrap_or(0)
}
