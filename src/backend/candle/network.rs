//! An encoder over packed rows and linear heads, as one differentiable function; and the encoder of BERT (Devlin et al., 2019).

use super::encoder::{Dense, Encoder, Norm, PostNorm, Projections, gather, load_encoder};
use super::{Dropout, Ops};
use crate::backend::HeadKind;
use crate::batch::PackedBatch;
use crate::model::{EncoderConfig, HeadsManifest, LoadedModel, Pooling};
use candle_core::{Result, Tensor};
use std::ops::Range;

/// What a network is built from.
#[derive(Debug, Clone)]
pub struct NetworkShape {
    /// The encoder.
    pub encoder: EncoderConfig,
    /// How the message's vector comes about.
    pub pooling: Pooling,
    /// Number of logits of each head.
    pub heads: Vec<(HeadKind, usize)>,
}

impl NetworkShape {
    /// The shape of an encoder with the heads that a manifest describes.
    #[must_use]
    pub fn new(encoder: EncoderConfig, pooling: Pooling, heads: &HeadsManifest) -> Self {
        let heads = heads.rows().into_iter().filter_map(|(name, rows)| Some((HeadKind::named(name)?, rows))).collect();
        Self { encoder, pooling, heads }
    }

    /// The shape of a model's network.
    #[must_use]
    pub fn of(model: &LoadedModel) -> Self {
        Self::new(model.config.clone(), model.manifest.pooling, &model.manifest.heads)
    }
}

/// Gives the tensor of a name and shape.
pub type Load<'a> = dyn FnMut(&str, &[usize]) -> Result<Tensor> + 'a;

/// The encoder's results for one batch.
#[derive(Debug)]
pub struct Output {
    /// Vector of each token, `[tokens, hidden]`.
    pub tokens: Tensor,
    /// Vector of each message, `[rows, hidden]`.
    pub pooled: Tensor,
}

struct Layer {
    projections: Projections,
    rest: PostNorm,
    heads: usize,
}

impl Layer {
    fn load(index: usize, config: &EncoderConfig, load: &mut Load<'_>) -> Result<Self> {
        Ok(Self {
            projections: Projections::load(index, config, load)?,
            rest: PostNorm::load(index, config, load)?,
            heads: config.num_attention_heads,
        })
    }

    fn forward(&self, x: &Tensor, rows: &[Range<usize>], ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let [query, key, value] = self.projections.forward(x)?;
        let mixed = ops.attention(&query, &key, &value, rows, self.heads)?;
        self.rest.forward(x, &mixed, ops, dropout)
    }
}

/// Encoder and heads.
pub struct Network {
    encoder: Box<dyn Encoder>,
    heads: Vec<(HeadKind, Dense)>,
    pooling: Pooling,
}

/// The encoder of BERT.
pub struct Bert {
    words: Tensor,
    positions: Tensor,
    segments: Tensor,
    trunk: Trunk,
}

/// What follows BERT's embeddings.
pub struct Trunk {
    embedding_norm: Norm,
    layers: Vec<Layer>,
}

impl Trunk {
    /// Loads it.
    ///
    /// # Errors
    /// When `load` has not what is asked for.
    pub fn load(config: &EncoderConfig, load: &mut Load<'_>) -> Result<Self> {
        Ok(Self {
            embedding_norm: Norm::load("embeddings.LayerNorm", config, true, load)?,
            layers: (0..config.num_hidden_layers).map(|index| Layer::load(index, config, load)).collect::<Result<_>>()?,
        })
    }

    /// Vectors of tokens, `[tokens, hidden]`, from the sums of their embeddings.
    ///
    /// # Errors
    /// When the device fails.
    pub fn forward(&self, embedded: &Tensor, rows: &[Range<usize>], ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let mut x = dropout.apply(&self.embedding_norm.forward(embedded, ops)?)?;
        for layer in &self.layers {
            x = layer.forward(&x, rows, ops, dropout)?;
        }
        Ok(x)
    }
}

impl Bert {
    /// Loads it.
    ///
    /// # Errors
    /// When `load` has not what is asked for.
    pub fn load(config: &EncoderConfig, load: &mut Load<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        let mut table = |name: &str, rows: usize| load(&format!("embeddings.{name}.weight"), &[rows, hidden]);
        let words = table("word_embeddings", config.vocab_size)?;
        let positions = table("position_embeddings", config.max_position_embeddings)?;
        let segments = table("token_type_embeddings", config.type_vocab_size)?;
        Ok(Self { words, positions, segments, trunk: Trunk::load(config, load)? })
    }
}

impl Encoder for Bert {
    fn forward(&self, batch: &PackedBatch, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let words = gather(&self.words, &batch.ids)?;
        let embedded =
            (words + gather(&self.positions, &batch.positions().collect::<Vec<_>>())? + gather(&self.segments, &batch.segments)?)?;
        self.trunk.forward(&embedded, &batch.ranges().collect::<Vec<_>>(), ops, dropout)
    }
}

impl Network {
    /// Builds a network from tensors by name.
    ///
    /// # Errors
    /// When `load` has not what is asked for.
    pub fn load(shape: &NetworkShape, load: &mut Load<'_>) -> Result<Self> {
        let hidden = shape.encoder.hidden_size;
        Ok(Self {
            encoder: load_encoder(&shape.encoder, load)?,
            heads: shape
                .heads
                .iter()
                .map(|&(kind, rows)| Ok((kind, Dense::load(&format!("heads.{}", kind.name()), rows, hidden, true, load)?)))
                .collect::<Result<_>>()?,
            pooling: shape.pooling,
        })
    }

    /// The heads there are.
    pub fn kinds(&self) -> impl Iterator<Item = HeadKind> + '_ {
        self.heads.iter().map(|(kind, _)| *kind)
    }

    /// Encodes a batch of at least one row.
    ///
    /// # Errors
    /// When an id is beyond its embedding or the device fails.
    pub fn forward(&self, batch: &PackedBatch, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Output> {
        let x = self.encoder.forward(batch, ops, dropout)?;
        let pooled = pool(&x, &batch.ranges().collect::<Vec<_>>(), self.pooling)?;
        Ok(Output { tokens: x, pooled })
    }

    /// Logits of one head from vectors `[n, hidden]`.
    ///
    /// # Errors
    /// When the network has no such head or the device fails.
    pub fn head(&self, kind: HeadKind, vectors: &Tensor) -> Result<Tensor> {
        let head = self.heads.iter().find(|(other, _)| *other == kind).map(|(_, linear)| linear);
        head.ok_or_else(|| candle_core::Error::Msg(format!("the model has no head `{}`", kind.name())))?.forward(vectors)
    }
}

/// Each row's mean or first token, `[rows, hidden]`, as a product with a matrix `[rows, tokens]`, so that it has a gradient everywhere.
///
/// # Errors
/// When the device fails.
pub fn pool(tokens: &Tensor, rows: &[Range<usize>], pooling: Pooling) -> Result<Tensor> {
    let shape = (rows.len(), tokens.dim(0)?);
    let mut matrix = ndarray::Array2::<f32>::zeros(shape);
    for (mut line, range) in matrix.rows_mut().into_iter().zip(rows) {
        let (range, weight) = match pooling {
            #[expect(clippy::cast_precision_loss, reason = "a row has at most some thousand tokens")]
            Pooling::Mean => (range.clone(), 1.0 / range.len() as f32),
            Pooling::Cls => (range.start..range.start + 1, 1.0),
        };
        line.slice_mut(ndarray::s![range]).fill(weight);
    }
    Tensor::from_vec(matrix.into_raw_vec_and_offset().0, shape, tokens.device())?.to_dtype(tokens.dtype())?.matmul(tokens)
}
