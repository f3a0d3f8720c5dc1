//! `config.json` of an encoder, in Hugging Face's words. Keys that do not change the forward pass are not read.

use super::ModelError;
use super::architecture::{ARCHITECTURES, Architecture};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const FILE: &str = "config.json";

/// Activation of the feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The exact GELU by erf.
    Gelu,
}

/// Shape of an encoder: what every architecture has, and what one of them has of its own.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct EncoderConfig {
    /// Name of the architecture, one of [`ARCHITECTURES`](super::ARCHITECTURES).
    pub model_type: String,
    /// Rows of the word embedding.
    pub vocab_size: usize,
    /// Width of a token's vector.
    pub hidden_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Heads of each attention; divides the hidden size.
    pub num_attention_heads: usize,
    /// Width of the feed-forward layer.
    pub intermediate_size: usize,
    /// Activation of the feed-forward layer.
    pub hidden_act: Activation,
    /// Rows of the position embedding: most tokens of one input.
    pub max_position_embeddings: usize,
    /// Rows of the segment embedding; 0 when the encoder has none.
    #[serde(default)]
    pub type_vocab_size: usize,
    /// Epsilon of every layer-norm.
    pub layer_norm_eps: f64,
    /// Absolute positions are the only kind there is.
    #[serde(default = "absolute")]
    pub position_embedding_type: String,
    /// How the layers work.
    #[serde(skip)]
    pub architecture: Architecture,
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl EncoderConfig {
    /// Parses and checks `config.json`.
    ///
    /// # Errors
    /// When a key is missing, of the wrong type, or describes an encoder that hearken cannot run.
    pub fn parse(json: &str) -> Result<Self, ModelError> {
        let Kind { model_type } = parse(json)?;
        let Some((_, own)) = ARCHITECTURES.iter().find(|(name, _)| *name == model_type) else {
            let names: Vec<_> = ARCHITECTURES.iter().map(|(name, _)| format!("`{name}`")).collect();
            let detail =
                format!("`{model_type}` is not run as it is; hearken runs {}, and `hearken model import` translates", names.join(", "));
            return Err(ModelError::Contradiction { file: FILE, key: "model_type".to_owned(), detail });
        };
        let mut config: Self = parse(json)?;
        config.architecture = own(json)?;
        config.check()?;
        Ok(config)
    }

    /// Width of one attention head.
    #[must_use]
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads.max(1)
    }

    /// Name and shape of every tensor of the encoder, in Hugging Face's names.
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        self.architecture.tensors(self)
    }

    /// Whether the segment embedding has no row for context.
    #[must_use]
    pub fn lacks_context_segment(&self) -> bool {
        match self.architecture {
            Architecture::Bert => self.type_vocab_size < 2,
            Architecture::DebertaV2(_) => self.type_vocab_size == 1,
            Architecture::ModernBert(_) | Architecture::Mpnet(_) => false,
        }
    }

    fn check(&self) -> Result<(), ModelError> {
        let wrong = |key: &str, detail: String| Err(ModelError::Contradiction { file: FILE, key: key.to_owned(), detail });
        if self.position_embedding_type != "absolute" {
            return wrong(
                "position_embedding_type",
                format!("`{}` is not supported; hearken reads `absolute`", self.position_embedding_type),
            );
        }
        let sizes = [
            ("vocab_size", self.vocab_size, 1 << 22),
            ("hidden_size", self.hidden_size, 1 << 14),
            ("num_hidden_layers", self.num_hidden_layers, 1 << 8),
            ("num_attention_heads", self.num_attention_heads, 1 << 8),
            ("intermediate_size", self.intermediate_size, 1 << 16),
            ("max_position_embeddings", self.max_position_embeddings, 1 << 16),
        ];
        let segments = ("type_vocab_size", self.type_vocab_size, 1 << 8);
        for (key, size, limit) in sizes.into_iter().chain((self.architecture == Architecture::Bert || segments.1 > 0).then_some(segments)) {
            if size == 0 || size > limit {
                return wrong(key, format!("{size} is outside 1..={limit}"));
            }
        }
        if !self.hidden_size.is_multiple_of(self.num_attention_heads) {
            return wrong("num_attention_heads", format!("{} does not divide hidden_size {}", self.num_attention_heads, self.hidden_size));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return wrong("layer_norm_eps", format!("{} is outside (0, 1)", self.layer_norm_eps));
        }
        self.architecture.check(self)
    }
}

#[derive(Deserialize)]
struct Kind {
    model_type: String,
}

/// Reads the keys of `T` from `config.json`; others are left.
pub fn parse<T: DeserializeOwned>(json: &str) -> Result<T, ModelError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| ModelError::Malformed { file: FILE, detail: format!("key `{}`: {}", error.path(), error.inner()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"model_type":"bert","vocab_size":100,"hidden_size":32,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":64,
        "hidden_act":"gelu","max_position_embeddings":64,"type_vocab_size":2,"layer_norm_eps":1e-12,"use_cache":true}"#;

    #[test]
    fn contradictions_name_the_key() {
        assert!(EncoderConfig::parse(GOOD).is_ok());
        for (from, to, key) in [
            ("\"num_attention_heads\":4", "\"num_attention_heads\":5", "num_attention_heads"),
            ("\"bert\"", "\"electra\"", "model_type"),
            ("\"hidden_size\":32", "\"hidden_size\":0", "hidden_size"),
            ("\"gelu\"", "\"swish\"", "hidden_act"),
            ("1e-12", "\"small\"", "layer_norm_eps"),
        ] {
            let error = EncoderConfig::parse(&GOOD.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains("config.json"), "{error}");
        }
    }
}
