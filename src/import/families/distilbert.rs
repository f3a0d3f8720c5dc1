//! DistilBERT (Sanh et al., 2019): BERT in other names and without segments, which become rows of zeros.

use super::keys::{refuse_decoder, renamed};
use crate::import::{Config, Family, ImportError, Origin};

/// The family.
pub const FAMILY: Family = Family {
    model_types: &["distilbert"],
    anchor: "embeddings.word_embeddings.weight",
    config,
    origin: |name, _| match name {
        "embeddings.token_type_embeddings.weight" => Origin::Zeros,
        _ => Origin::Named(theirs(name)),
    },
};

/// Parts of a layer, ours and theirs.
const PARTS: [(&str, &str); 8] = [
    ("attention.self.query.", "attention.q_lin."),
    ("attention.self.key.", "attention.k_lin."),
    ("attention.self.value.", "attention.v_lin."),
    ("attention.output.dense.", "attention.out_lin."),
    ("attention.output.LayerNorm.", "sa_layer_norm."),
    ("intermediate.dense.", "ffn.lin1."),
    ("output.dense.", "ffn.lin2."),
    ("output.LayerNorm.", "output_layer_norm."),
];

fn theirs(name: &str) -> String {
    let Some((layer, part)) = name.strip_prefix("encoder.layer.").and_then(|rest| rest.split_once('.')) else { return name.to_owned() };
    let renamed = PARTS.iter().find_map(|(ours, theirs)| Some(format!("{theirs}{}", part.strip_prefix(ours)?)));
    format!("transformer.layer.{layer}.{}", renamed.unwrap_or_else(|| part.to_owned()))
}

fn config(config: &Config) -> Result<Config, ImportError> {
    refuse_decoder(config)?;
    let mut out = renamed(
        config,
        &[
            ("dim", "hidden_size"),
            ("hidden_dim", "intermediate_size"),
            ("n_heads", "num_attention_heads"),
            ("n_layers", "num_hidden_layers"),
            ("activation", "hidden_act"),
        ],
    )?;
    out.insert("model_type".to_owned(), "bert".into());
    out.insert("type_vocab_size".to_owned(), 2.into());
    out.insert("layer_norm_eps".to_owned(), 1e-12.into());
    Ok(out)
}
