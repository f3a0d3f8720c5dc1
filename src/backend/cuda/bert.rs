//! BERT's encoder and the heads, on operations that leave nothing to do between two kernels.

use super::bucket::Bucket;
use super::ops::{AddNorm, Attention, BiasGelu, EmbedNorm, HEAD_DIM, Pool, Product, WIDEST, apply};
use super::workspace::Workspace;
use crate::backend::HeadKind;
use crate::backend::candle::NetworkShape;
use crate::model::{Architecture, EncoderConfig, LoadedModel, Pooling};
use candle_core::{DType, Device, Result, Tensor};
use std::ops::Range;

/// Encoder and heads, resident on a device.
pub struct Bert {
    words: Tensor,
    positions: Tensor,
    segments: Tensor,
    embedding_norm: Norm,
    layers: Vec<Layer>,
    /// Every head, one below the other, in f32.
    heads: Linear,
    /// Which of their rows are whose.
    kinds: Vec<(HeadKind, Range<usize>)>,
    config: EncoderConfig,
    pooling: Pooling,
}

struct Layer {
    /// Query, key and value, one below the other.
    qkv: Linear,
    attended: Linear,
    attended_norm: Norm,
    up: Linear,
    down: Linear,
    down_norm: Norm,
}

/// A linear layer; the bias is f32.
struct Linear {
    weight: Tensor,
    bias: Tensor,
}

/// A layer-norm, in f32.
struct Norm {
    gamma: Tensor,
    beta: Tensor,
}

/// Copies to another device, or to another stream of the same card.
trait Moved: Sized {
    fn moved(&self, device: &Device) -> Result<Self>;
}

impl Moved for Tensor {
    fn moved(&self, device: &Device) -> Result<Self> {
        self.to_device(&Device::Cpu)?.to_device(device)
    }
}

impl Moved for Linear {
    fn moved(&self, device: &Device) -> Result<Self> {
        Ok(Self { weight: self.weight.moved(device)?, bias: self.bias.moved(device)? })
    }
}

impl Moved for Norm {
    fn moved(&self, device: &Device) -> Result<Self> {
        Ok(Self { gamma: self.gamma.moved(device)?, beta: self.beta.moved(device)? })
    }
}

impl Moved for Layer {
    fn moved(&self, device: &Device) -> Result<Self> {
        Ok(Self {
            qkv: self.qkv.moved(device)?,
            attended: self.attended.moved(device)?,
            attended_norm: self.attended_norm.moved(device)?,
            up: self.up.moved(device)?,
            down: self.down.moved(device)?,
            down_norm: self.down_norm.moved(device)?,
        })
    }
}

/// Why the kernels do not run an encoder; nothing when they do.
pub fn beyond_the_kernels(config: &EncoderConfig) -> Option<String> {
    if config.architecture != Architecture::Bert {
        return Some(format!("they run encoders of BERT's kind, not `{}`", config.model_type));
    }
    if config.head_dim() != HEAD_DIM {
        return Some(format!("attention heads are {} wide, not {HEAD_DIM}", config.head_dim()));
    }
    let unsuited = config.hidden_size > WIDEST || !config.intermediate_size.is_multiple_of(8);
    unsuited.then(|| format!("rows of {} and of {} values do not suit them", config.hidden_size, config.intermediate_size))
}

impl Bert {
    /// Brings a model to a device, the encoder in `dtype`.
    ///
    /// # Errors
    /// When the weights do not fit the model or the device fails.
    pub fn load(model: &LoadedModel, dtype: DType, device: &Device) -> Result<Self> {
        let loader = Loader { model, dtype, device };
        let config = &model.config;
        let heads = NetworkShape::of(model).heads;
        let mut end = 0;
        let mut rows_of = |rows| {
            end += rows;
            end - rows..end
        };
        let named: Vec<_> = heads.iter().map(|(kind, rows)| (format!("heads.{}", kind.name()), *rows)).collect();
        Ok(Self {
            words: loader.table("word_embeddings", config.vocab_size)?,
            positions: loader.table("position_embeddings", config.max_position_embeddings)?,
            segments: loader.table("token_type_embeddings", config.type_vocab_size)?,
            embedding_norm: loader.norm("embeddings.LayerNorm")?,
            layers: (0..config.num_hidden_layers).map(|index| Layer::load(index, &loader)).collect::<Result<_>>()?,
            heads: loader.stacked(&named, config.hidden_size, DType::F32)?,
            kinds: heads.iter().map(|(kind, rows)| (*kind, rows_of(*rows))).collect(),
            config: config.clone(),
            pooling: model.manifest.pooling,
        })
    }

    /// The same weights on another device.
    ///
    /// # Errors
    /// When a device fails.
    pub fn on(&self, device: &Device) -> Result<Self> {
        Ok(Self {
            words: self.words.moved(device)?,
            positions: self.positions.moved(device)?,
            segments: self.segments.moved(device)?,
            embedding_norm: self.embedding_norm.moved(device)?,
            layers: self.layers.iter().map(|layer| layer.moved(device)).collect::<Result<_>>()?,
            heads: self.heads.moved(device)?,
            kinds: self.kinds.clone(),
            config: self.config.clone(),
            pooling: self.pooling,
        })
    }

    /// The encoder's shape.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    /// What the encoder computes in.
    pub fn dtype(&self) -> DType {
        self.words.dtype()
    }

    /// The heads, with the columns of the logits that are theirs.
    pub fn kinds(&self) -> &[(HeadKind, Range<usize>)] {
        &self.kinds
    }

    /// The heads' bias, `[classes]`, which the logits of a workspace are without.
    ///
    /// # Errors
    /// When the device fails.
    pub fn head_bias(&self) -> Result<Vec<f32>> {
        self.heads.bias.to_vec1()
    }

    /// Memory for passes of up to `bucket`.
    ///
    /// # Errors
    /// When the device has it not.
    pub fn workspace(&self, bucket: Bucket, device: &Device) -> Result<Workspace> {
        Workspace::new(&self.config, self.heads.weight.dim(0)?, bucket, self.dtype(), device)
    }

    /// One pass over what the workspace's input holds, into its vectors and logits.
    ///
    /// # Errors
    /// When the device fails.
    pub fn forward(&self, at: &Workspace) -> Result<()> {
        #[expect(clippy::cast_possible_truncation, reason = "epsilon is a small constant")]
        let epsilon = self.config.layer_norm_eps as f32;
        let norm = &self.embedding_norm;
        let tables = [&self.words, &self.positions, &self.segments, &norm.gamma, &norm.beta];
        let [words, positions, segments, gamma, beta] = tables;
        apply(&at.x, [&at.ids, &at.positions, &at.segments, words, positions, segments, gamma, beta], &EmbedNorm { epsilon })?;
        for layer in &self.layers {
            layer.forward(at, self.config.num_attention_heads, epsilon)?;
        }
        apply(&at.vectors, [&at.x, &at.starts], &Pool { first_only: self.pooling == Pooling::Cls })?;
        apply(&at.logits, [&at.vectors, &self.heads.weight], &Product)
    }
}

impl Layer {
    fn load(index: usize, loader: &Loader<'_>) -> Result<Self> {
        let config = &loader.model.config;
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let linear = |part: &str, rows, columns| loader.stacked(&[(name(part), rows)], columns, loader.dtype);
        let projections = ["query", "key", "value"].map(|part| (name(&format!("attention.self.{part}")), hidden));
        Ok(Self {
            qkv: loader.stacked(&projections, hidden, loader.dtype)?,
            attended: linear("attention.output.dense", hidden, hidden)?,
            attended_norm: loader.norm(&name("attention.output.LayerNorm"))?,
            up: linear("intermediate.dense", inner, hidden)?,
            down: linear("output.dense", hidden, inner)?,
            down_norm: loader.norm(&name("output.LayerNorm"))?,
        })
    }

    /// Turns `at.x` into the layer's result.
    fn forward(&self, at: &Workspace, heads: usize, epsilon: f32) -> Result<()> {
        apply(&at.qkv, [&at.x, &self.qkv.weight], &Product)?;
        apply(&at.mixed, [&at.qkv, &self.qkv.bias, &at.tiles], &Attention { heads })?;
        apply(&at.product, [&at.mixed, &self.attended.weight], &Product)?;
        let norm = &self.attended_norm;
        apply(&at.middle, [&at.product, &self.attended.bias, &at.x, &norm.gamma, &norm.beta], &AddNorm { epsilon })?;
        apply(&at.inner, [&at.middle, &self.up.weight], &Product)?;
        apply(&at.inner, [&self.up.bias], &BiasGelu)?;
        apply(&at.product, [&at.inner, &self.down.weight], &Product)?;
        let norm = &self.down_norm;
        apply(&at.x, [&at.product, &self.down.bias, &at.middle, &norm.gamma, &norm.beta], &AddNorm { epsilon })
    }
}

/// A model's tensors, on their way to a device.
struct Loader<'a> {
    model: &'a LoadedModel,
    dtype: DType,
    device: &'a Device,
}

impl Loader<'_> {
    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor> {
        self.model.tensor(name, shape, &Device::Cpu).map_err(candle_core::Error::wrap)
    }

    fn table(&self, name: &str, rows: usize) -> Result<Tensor> {
        let table = self.tensor(&format!("embeddings.{name}.weight"), &[rows, self.model.config.hidden_size])?;
        table.to_dtype(self.dtype)?.to_device(self.device)
    }

    fn norm(&self, name: &str) -> Result<Norm> {
        let part = |part| self.tensor(&format!("{name}.{part}"), &[self.model.config.hidden_size])?.to_device(self.device);
        Ok(Norm { gamma: part("weight")?, beta: part("bias")? })
    }

    /// Linear layers of these names and numbers of rows, one below the other.
    fn stacked(&self, layers: &[(String, usize)], columns: usize, dtype: DType) -> Result<Linear> {
        let weight = |(name, rows): &(String, usize)| self.tensor(&format!("{name}.weight"), &[*rows, columns]);
        let bias = |(name, rows): &(String, usize)| self.tensor(&format!("{name}.bias"), &[*rows]);
        let weights = Tensor::cat(&layers.iter().map(weight).collect::<Result<Vec<_>>>()?, 0)?;
        let biases = Tensor::cat(&layers.iter().map(bias).collect::<Result<Vec<_>>>()?, 0)?;
        Ok(Linear { weight: weights.to_dtype(dtype)?.to_device(self.device)?, bias: biases.to_device(self.device)? })
    }
}
