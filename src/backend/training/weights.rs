//! The encoder's parameters by their places in the network, for one step.

use crate::model::EncoderConfig;
use hearken_kernels::LayerNorm;

/// Scale and shift of a layer-norm, `[hidden]` each.
#[derive(Debug, Clone, Copy)]
pub struct NormWeights<'a> {
    pub(super) gamma: &'a [f32],
    pub(super) beta: &'a [f32],
}

impl<'a> NormWeights<'a> {
    #[expect(clippy::cast_possible_truncation, reason = "epsilon is a small constant")]
    pub(super) fn with(self, config: &EncoderConfig) -> LayerNorm<'a> {
        LayerNorm { gamma: self.gamma, beta: self.beta, epsilon: config.layer_norm_eps as f32 }
    }
}

/// A linear layer: `[columns, depth]` and `[columns]`.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinearWeights<'a> {
    pub weight: &'a [f32],
    pub bias: &'a [f32],
}

/// One layer's parameters.
#[derive(Debug)]
pub(super) struct LayerWeights<'a> {
    /// Weights of query, key and value.
    pub qkv: [&'a [f32]; 3],
    /// Their biases side by side.
    pub qkv_bias: Vec<f32>,
    pub attended: LinearWeights<'a>,
    pub attended_norm: NormWeights<'a>,
    pub up: LinearWeights<'a>,
    pub down: LinearWeights<'a>,
    pub down_norm: NormWeights<'a>,
}

/// Every parameter of the encoder.
#[derive(Debug)]
pub struct EncoderWeights<'a> {
    /// Word, position and segment embeddings, `[rows, hidden]` each.
    pub(super) tables: [&'a [f32]; 3],
    pub(super) norm: NormWeights<'a>,
    pub(super) layers: Vec<LayerWeights<'a>>,
}

/// Names of the embedding tables.
pub(super) const TABLES: [&str; 3] =
    ["embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight", "embeddings.token_type_embeddings.weight"];

impl<'a> EncoderWeights<'a> {
    /// Looks every parameter up by its Hugging Face name.
    ///
    /// # Errors
    /// What `get` says of a name it does not know.
    pub fn of<E>(config: &EncoderConfig, get: &dyn Fn(&str) -> Result<&'a [f32], E>) -> Result<Self, E> {
        let norm = |name: String| Ok(NormWeights { gamma: get(&format!("{name}.weight"))?, beta: get(&format!("{name}.bias"))? });
        let linear = |name: String| Ok(LinearWeights { weight: get(&format!("{name}.weight"))?, bias: get(&format!("{name}.bias"))? });
        let layer = |index: usize| {
            let name = |part: &str| format!("encoder.layer.{index}.{part}");
            let [query, key, value] = ["query", "key", "value"].map(|part| linear(name(&format!("attention.self.{part}"))));
            let (query, key, value) = (query?, key?, value?);
            Ok(LayerWeights {
                qkv: [query.weight, key.weight, value.weight],
                qkv_bias: [query.bias, key.bias, value.bias].concat(),
                attended: linear(name("attention.output.dense"))?,
                attended_norm: norm(name("attention.output.LayerNorm"))?,
                up: linear(name("intermediate.dense"))?,
                down: linear(name("output.dense"))?,
                down_norm: norm(name("output.LayerNorm"))?,
            })
        };
        let [words, positions, segments] = TABLES;
        Ok(Self {
            tables: [get(words)?, get(positions)?, get(segments)?],
            norm: norm("embeddings.LayerNorm".to_owned())?,
            layers: (0..config.num_hidden_layers).map(layer).collect::<Result<_, E>>()?,
        })
    }
}
