//! A model's weights in the form that the kernels read.

use super::Precision;
use super::smoothing::Channels;
use super::statistics::Site;
use crate::backend::{HeadKind, Level};
use crate::model::{EncoderConfig, LoadedModel, ModelError, Pooling};
use hearken_kernels::{Element, GELU_LOW, InputRange, LayerNorm, PackedMatrix, Packing};
use rayon::prelude::*;

/// Scale and shift of a layer-norm.
#[derive(Debug)]
pub struct Norm {
    pub gamma: Vec<f32>,
    pub beta: Vec<f32>,
    pub epsilon: f32,
}

impl Norm {
    fn load(model: &LoadedModel, name: &str) -> Result<Self, ModelError> {
        let shape = [model.config.hidden_size];
        let read = |part| model.values(&format!("{name}.{part}"), &shape);
        #[expect(clippy::cast_possible_truncation, reason = "an epsilon")]
        Ok(Self { gamma: read("weight")?, beta: read("bias")?, epsilon: model.config.layer_norm_eps as f32 })
    }

    pub fn view(&self) -> LayerNorm<'_> {
        LayerNorm { gamma: &self.gamma, beta: &self.beta, epsilon: self.epsilon }
    }
}

/// A linear layer as stored: `[rows, columns]` and `[rows]`.
struct Linear {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Linear {
    fn load(model: &LoadedModel, name: &str, rows: usize, columns: usize) -> Result<Self, ModelError> {
        let weight = model.values(&format!("{name}.weight"), &[rows, columns])?;
        Ok(Self { weight, bias: model.values(&format!("{name}.bias"), &[rows])? })
    }

    /// Several layers on the same input as one.
    fn beside(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self { weight: Vec::new(), bias: Vec::new() };
        for part in parts {
            all.weight.extend(part.weight);
            all.bias.extend(part.bias);
        }
        all
    }

    fn pack(&self, packing: Packing<'_>) -> PackedMatrix {
        let depth = self.weight.len() / self.bias.len().max(1);
        PackedMatrix::pack(&self.weight, &self.bias, depth, packing)
    }

    /// For inputs that lie as `channels` says.
    fn pack_for(&self, element: Element, range: InputRange, channels: &Channels) -> PackedMatrix {
        let smoothing = channels.smoothing(&self.weight);
        self.pack(Packing { element, range, smoothing: &smoothing, shift: &channels.centre })
    }
}

/// One encoder layer.
#[derive(Debug)]
pub struct Layer {
    pub qkv: PackedMatrix,
    pub output: PackedMatrix,
    pub output_norm: Norm,
    pub up: PackedMatrix,
    pub down: PackedMatrix,
    pub down_norm: Norm,
}

/// The heads of one level side by side, and where each begins.
#[derive(Debug)]
pub struct LevelHeads {
    pub weights: PackedMatrix,
    pub heads: Vec<(HeadKind, std::ops::Range<usize>)>,
}

/// A packed model.
#[derive(Debug)]
pub struct Network {
    pub config: EncoderConfig,
    pub pooling: Pooling,
    /// Bits of halves, `[vocabulary, hidden]`.
    pub words: Vec<u16>,
    /// Bits of halves, `[positions, hidden]`.
    pub positions: Vec<u16>,
    /// Bits of halves, `[segments, hidden]`.
    pub segments: Vec<u16>,
    pub embedding_norm: Norm,
    pub layers: Vec<Layer>,
    pub message_heads: Option<LevelHeads>,
    pub token_heads: Option<LevelHeads>,
}

impl Network {
    /// Packs a model; layers in parallel.
    ///
    /// # Errors
    /// When the weights do not fit or are not numbers.
    pub fn pack(model: &LoadedModel, precision: Precision) -> Result<Self, ModelError> {
        let config = model.config.clone();
        let table = |name: &str, rows| model.halves(&format!("embeddings.{name}.weight"), &[rows, config.hidden_size]);
        let embedding_norm = Norm::load(model, "embeddings.LayerNorm")?;
        let indices = 0..config.num_hidden_layers;
        let layers = indices.into_par_iter().map(|index| Layer::pack(model, index, precision)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            words: table("word_embeddings", config.vocab_size)?,
            positions: table("position_embeddings", config.max_position_embeddings)?,
            segments: table("token_type_embeddings", config.type_vocab_size)?,
            embedding_norm,
            layers,
            message_heads: LevelHeads::pack(model, Level::Message)?,
            token_heads: LevelHeads::pack(model, Level::Token)?,
            pooling: model.manifest.pooling,
            config,
        })
    }

    /// Bytes of packed weights, embeddings included.
    pub fn bytes(&self) -> usize {
        let halves = self.words.len() + self.positions.len() + self.segments.len();
        let layers = self.layers.iter().flat_map(|layer| [&layer.qkv, &layer.output, &layer.up, &layer.down]);
        let heads = [&self.message_heads, &self.token_heads].into_iter().flatten().map(|heads| &heads.weights);
        2 * halves + layers.chain(heads).map(PackedMatrix::bytes).sum::<usize>()
    }
}

impl Layer {
    fn pack(model: &LoadedModel, index: usize, precision: Precision) -> Result<Self, ModelError> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let (hidden, inner) = (model.config.hidden_size, model.config.intermediate_size);
        let load = |part: &str, rows, columns| Linear::load(model, &name(part), rows, columns);
        let attention = |part| load(part, hidden, hidden);
        let value = attention("attention.self.value")?;
        let output_norm = Norm::load(model, &name("attention.output.LayerNorm"))?;
        let channels = LayerChannels::of(model, index, &value, &output_norm)?;
        let qkv = Linear::beside([attention("attention.self.query")?, attention("attention.self.key")?, value]);
        let output = attention("attention.output.dense")?;
        Ok(Self {
            qkv: qkv.pack_for(precision.qkv, InputRange::Symmetric, &channels.qkv),
            output: output.pack_for(precision.output, InputRange::Symmetric, &channels.output),
            up: load("intermediate.dense", inner, hidden)?.pack_for(precision.up, InputRange::Symmetric, &channels.up),
            down: load("output.dense", hidden, inner)?.pack_for(precision.down, InputRange::Positive, &channels.down),
            output_norm,
            down_norm: Norm::load(model, &name("output.LayerNorm"))?,
        })
    }
}

/// Inputs of a layer's products.
struct LayerChannels {
    qkv: Channels,
    output: Channels,
    up: Channels,
    down: Channels,
}

impl LayerChannels {
    fn of(model: &LoadedModel, index: usize, value: &Linear, output_norm: &Norm) -> Result<Self, ModelError> {
        let (hidden, inner) = (model.config.hidden_size, model.config.intermediate_size);
        let measured = |site, width| Channels::measured(model, index, site, width);
        let before = match index.checked_sub(1) {
            Some(previous) => format!("encoder.layer.{previous}.output.LayerNorm"),
            None => "embeddings.LayerNorm".to_owned(),
        };
        let guess = Channels::behind(&Norm::load(model, &before)?);
        let flat = || Channels { centre: vec![GELU_LOW; inner], spread: vec![1.0; inner], strength: 0.0 };
        Ok(Self {
            output: measured(Site::Output, hidden)?.unwrap_or_else(|| guess.through(&value.weight)),
            qkv: measured(Site::Qkv, hidden)?.unwrap_or(guess),
            up: measured(Site::Up, hidden)?.unwrap_or_else(|| Channels::behind(output_norm)),
            down: measured(Site::Down, inner)?.unwrap_or_else(flat),
        })
    }
}

impl LevelHeads {
    fn pack(model: &LoadedModel, level: Level) -> Result<Option<Self>, ModelError> {
        let mut heads = Vec::new();
        let mut parts = Vec::new();
        let mut from = 0;
        for (name, rows) in model.manifest.heads.rows() {
            let Some(kind) = HeadKind::named(name).filter(|kind| kind.level() == level) else { continue };
            parts.push(Linear::load(model, &format!("heads.{name}"), rows, model.config.hidden_size)?);
            heads.push((kind, from..from + rows));
            from += rows;
        }
        // Heads are small and decide the answer: f32.
        let all = Linear::beside(parts);
        Ok((from > 0).then(|| Self {
            weights: all.pack(Packing { element: Element::F32, range: InputRange::Symmetric, smoothing: &[], shift: &[] }),
            heads,
        }))
    }
}
