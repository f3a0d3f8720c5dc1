//! The encoder for training: a forward pass that remembers what its backward pass needs, both on our kernels, or on a card as a graph
//! of candle's ([`GraphEncoder`]). What they compute is
//! specified by [`candle::Network`](super::candle::Network) with stock operations; losses and heads are candle's graph on top.
//!
//! Products round their factors to bf16 where the processor multiplies those faster, and sum in f32; weights, gradients and
//! everything between products are f32. Batches are ragged. A result does not depend on the number of cores.

mod embeddings;
mod gradients;
mod graph;
mod layer;
mod weights;

pub use gradients::{EncoderGradients, Gradient, Rows};
pub use graph::GraphEncoder;
pub use weights::EncoderWeights;
use weights::TABLES;

use crate::batch::PackedBatch;
use crate::model::{EncoderConfig, Pooling};
use embeddings::EmbeddingMemory;
use hearken_kernels::{Element, Epilogue, Kernels, LayerNorm, Mask, MatMul, MatMulScratch, Matrix, Team, best};
use layer::{LayerBuffers, LayerMemory, Pass};

/// Rows of one item of the team in operations on rows.
const ROWS: usize = 8;
/// Values of one item in operations on values.
const VALUES: usize = 8192;
/// Columns of one item when rows are summed.
const COLUMNS: usize = 96;

/// Dropout after the embeddings, after each block (Devlin et al., 2019, appendix A) and after pooling.
#[derive(Debug, Clone, Copy)]
pub struct Dropping {
    /// Probability that a value is dropped, in [0, 1).
    pub probability: f32,
    /// Decides every mask of the pass.
    pub seed: u64,
}

impl Dropping {
    /// Drops nothing.
    pub const NONE: Self = Self { probability: 0.0, seed: 0 };

    /// The masks of a layer.
    fn layer(self, index: usize) -> [Option<Mask>; 2] {
        [self.mask(2 * index + 1), self.mask(2 * index + 2)]
    }

    /// The mask of one place in the network, none where nothing is dropped.
    fn mask(self, site: usize) -> Option<Mask> {
        if self.probability <= 0.0 {
            return None;
        }
        // SplitMix64's finalizer spreads seed and site over all bits.
        let mut z = self.seed.wrapping_add((site as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a hash, and a probability below 1 times 2^32")]
        let (seed, threshold) = ((z >> 32) as u32, (f64::from(self.probability.min(0.99)) * 4_294_967_296.0) as u32);
        Some(Mask { seed, first: 0, threshold, scale: 1.0 / (1.0 - self.probability.min(0.99)) })
    }
}

/// Kernels, the cores that run them, and memory for their operands.
struct Machine {
    kernels: &'static Kernels,
    element: Element,
    team: Team,
    matmul: MatMulScratch,
    attention: Vec<f32>,
    /// Sums of layer-norm's gradients over some rows, `[items, 2 * hidden]`.
    partial: Vec<f32>,
}

/// The encoder and what its last forward pass left.
pub struct TrainingEncoder {
    config: EncoderConfig,
    pooling: Pooling,
    machine: Machine,
    starts: Vec<usize>,
    dropping: Dropping,
    embedding: EmbeddingMemory,
    layers: Vec<LayerMemory>,
    buffers: LayerBuffers,
    tokens: Vec<f32>,
    gradient: Vec<f32>,
}

/// Gradients of the loss by what the encoder gave; empty where the loss does not depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// `[tokens, hidden]`.
    pub tokens: &'a [f32],
    /// `[rows, hidden]`.
    pub pooled: &'a [f32],
}

/// Gives the values of a parameter by its Hugging Face name.
pub type Lookup<'f, 'a> = &'f dyn Fn(&str) -> candle_core::Result<&'a [f32]>;

/// What an encoder gives for a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Vectors {
    /// Of each token, `[tokens, hidden]`.
    pub tokens: Vec<f32>,
    /// Of each message, `[rows, hidden]`.
    pub pooled: Vec<f32>,
}

/// An encoder that learns.
pub trait LearningEncoder {
    /// Encodes a batch of at least one row and remembers what the backward pass needs.
    ///
    /// # Errors
    /// When a parameter is missing or the device fails.
    fn forward(&mut self, get: Lookup<'_, '_>, batch: &PackedBatch, dropping: Dropping) -> candle_core::Result<Vectors>;

    /// Carries the gradient of the loss back through the last forward pass, which used the same parameters, into `gradients`, which are
    /// overwritten.
    ///
    /// # Errors
    /// As [`LearningEncoder::forward`].
    fn backward(&mut self, get: Lookup<'_, '_>, incoming: Incoming<'_>, gradients: &mut EncoderGradients) -> candle_core::Result<()>;
}

impl LearningEncoder for TrainingEncoder {
    fn forward(&mut self, get: Lookup<'_, '_>, batch: &PackedBatch, dropping: Dropping) -> candle_core::Result<Vectors> {
        let weights = EncoderWeights::of(&self.config, get)?;
        self.forward(&weights, batch, dropping);
        Ok(Vectors { tokens: self.tokens.clone(), pooled: self.pooled() })
    }

    fn backward(&mut self, get: Lookup<'_, '_>, incoming: Incoming<'_>, gradients: &mut EncoderGradients) -> candle_core::Result<()> {
        let weights = EncoderWeights::of(&self.config, get)?;
        self.backward(&weights, incoming, gradients);
        Ok(())
    }
}

impl TrainingEncoder {
    /// An encoder of this shape that works on `cores` cores.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(config: &EncoderConfig, pooling: Pooling, cores: usize) -> std::io::Result<Self> {
        let kernels = best();
        Ok(Self {
            config: config.clone(),
            pooling,
            machine: Machine {
                kernels,
                element: kernels.training_element(),
                team: Team::of(cores)?,
                matmul: MatMulScratch::default(),
                attention: Vec::new(),
                partial: Vec::new(),
            },
            starts: Vec::new(),
            dropping: Dropping::NONE,
            embedding: EmbeddingMemory::default(),
            layers: (0..config.num_hidden_layers).map(|_| LayerMemory::default()).collect(),
            buffers: LayerBuffers::default(),
            tokens: Vec::new(),
            gradient: Vec::new(),
        })
    }

    /// Rounds the factors of products to this element instead of the fastest one.
    #[must_use]
    pub fn with_element(mut self, element: Element) -> Self {
        self.machine.element = element;
        self
    }

    /// What factors are rounded to.
    #[must_use]
    pub fn element(&self) -> Element {
        self.machine.element
    }

    /// Encodes a batch of at least one row and remembers what the backward pass needs.
    pub fn forward(&mut self, weights: &EncoderWeights<'_>, batch: &PackedBatch, dropping: Dropping) {
        self.dropping = dropping;
        self.starts.clear();
        self.starts.push(0);
        self.starts.extend(batch.ranges().map(|range| range.end));
        let mut x = self.embedding.forward(&mut self.machine, weights, &self.config, batch, dropping.mask(0));
        for (index, (memory, weights)) in self.layers.iter_mut().zip(&weights.layers).enumerate() {
            let pass = Pass { config: &self.config, weights, starts: &self.starts, masks: dropping.layer(index) };
            x = memory.forward(&mut self.machine, &pass, x);
        }
        self.tokens = x;
    }

    /// Vector of each token of the last forward pass, `[tokens, hidden]`.
    #[must_use]
    pub fn tokens(&self) -> &[f32] {
        &self.tokens
    }

    /// Vector of each message of the last forward pass, `[rows, hidden]`, with the pass's dropout.
    #[must_use]
    pub fn pooled(&self) -> Vec<f32> {
        let hidden = self.config.hidden_size;
        let mut pooled = vec![0.0; (self.starts.len().saturating_sub(1)) * hidden];
        for (out, (tokens, share)) in pooled.chunks_exact_mut(hidden).zip(self.pools()) {
            for token in self.tokens.chunks_exact(hidden).take(tokens.end).skip(tokens.start) {
                out.iter_mut().zip(token).for_each(|(out, x)| *out += share * x);
            }
        }
        drop_at(self.machine.kernels, self.dropping.mask(self.last_site()), 0, &mut pooled);
        pooled
    }

    /// The place of dropout behind pooling.
    fn last_site(&self) -> usize {
        2 * self.layers.len() + 1
    }

    /// The tokens that make each message's vector, and the share of each.
    fn pools(&self) -> impl Iterator<Item = (std::ops::Range<usize>, f32)> + '_ {
        let ranges = self.starts.iter().zip(self.starts.iter().skip(1));
        ranges.map(|(&start, &end)| match self.pooling {
            #[expect(clippy::cast_precision_loss, reason = "a row has at most some thousand tokens")]
            Pooling::Mean => (start..end, 1.0 / (end - start) as f32),
            Pooling::Cls => (start..start + 1, 1.0),
        })
    }

    /// Carries the gradient of the loss back through the last forward pass, which used the same `weights`, into `gradients`, which
    /// are overwritten.
    pub fn backward(&mut self, weights: &EncoderWeights<'_>, incoming: Incoming<'_>, gradients: &mut EncoderGradients) {
        let hidden = self.config.hidden_size;
        let mut gradient = std::mem::take(&mut self.gradient);
        gradient.clear();
        gradient.extend_from_slice(incoming.tokens);
        gradient.resize(self.tokens.len(), 0.0);
        let mut dpooled = incoming.pooled.to_vec();
        drop_at(self.machine.kernels, self.dropping.mask(self.last_site()), 0, &mut dpooled);
        for (dpooled, (tokens, share)) in dpooled.chunks_exact(hidden).zip(self.pools()) {
            for token in gradient.chunks_exact_mut(hidden).take(tokens.end).skip(tokens.start) {
                token.iter_mut().zip(dpooled).for_each(|(out, d)| *out += share * d);
            }
        }
        let layers = self.layers.iter_mut().zip(&weights.layers).enumerate();
        for ((index, (memory, weights)), into) in layers.zip(gradients.layers()).rev() {
            let pass = Pass { config: &self.config, weights, starts: &self.starts, masks: self.dropping.layer(index) };
            memory.backward(&mut self.machine, &pass, &mut self.buffers, &mut gradient, into);
        }
        let into = gradients.embeddings();
        self.embedding.backward(&mut self.machine, (weights, &self.config), self.dropping.mask(0), &mut gradient, into);
        self.gradient = gradient;
    }
}

/// A matrix as it is stored.
fn stored<'a>(parts: &'a [&'a [f32]]) -> Matrix<'a> {
    Matrix { parts, transposed: false }
}

/// The transpose of a stored matrix.
fn turned<'a>(parts: &'a [&'a [f32]]) -> Matrix<'a> {
    Matrix { parts, transposed: true }
}

impl Machine {
    /// `out = x * weight^T + bias` for `x`, `[rows, depth]`, and weight, `[columns, depth]`.
    fn linear(&mut self, x: &[f32], weight: &[&[f32]], bias: &[f32], out: &mut [f32]) {
        let depth = weight.iter().map(|part| part.len()).sum::<usize>() / bias.len();
        let a = [x];
        let op =
            MatMul { a: stored(&a), b: turned(weight), rows: x.len() / depth, depth, columns: bias.len(), element: self.element, bias };
        self.kernels.matmul(&mut self.team, op, &mut self.matmul, Epilogue::Store, out);
    }

    /// Gradient of a linear layer by its input, `dy * weight`, stored or added to `dx`.
    fn input_gradient(&mut self, dy: &[f32], weight: &[&[f32]], columns: usize, epilogue: Epilogue, dx: &mut [f32]) {
        let depth = weight.iter().map(|part| part.len()).sum::<usize>() / columns;
        let a = [dy];
        let op = MatMul { a: stored(&a), b: stored(weight), rows: dy.len() / depth, depth, columns, element: self.element, bias: &[] };
        self.kernels.matmul(&mut self.team, op, &mut self.matmul, epilogue, dx);
    }

    /// Gradients of a linear layer by its weight, `dy^T * x`, and bias, the sums of `dy`'s columns.
    fn weight_gradient(&mut self, dy: &[f32], x: &[f32], dweight: &mut [f32], dbias: &mut [f32]) {
        let rows = dbias.len();
        let (depth, columns) = (dy.len() / rows, dweight.len() / rows);
        let (a, b) = ([dy], [x]);
        let op = MatMul { a: turned(&a), b: stored(&b), rows, depth, columns, element: self.element, bias: &[] };
        self.kernels.matmul(&mut self.team, op, &mut self.matmul, Epilogue::Store, dweight);
        let kernels = self.kernels;
        self.team.chunks(dbias, COLUMNS, &|i, out| kernels.column_sums(dy, rows, i * COLUMNS, out));
    }

    /// `sum = drop(sum) + residual; out = layer_norm(sum)`.
    fn add_and_norm(&mut self, mask: Option<Mask>, residual: &[f32], norm: LayerNorm<'_>, sum: &mut [f32], out: &mut [f32]) {
        let (kernels, size) = (self.kernels, ROWS * norm.gamma.len());
        self.team.chunks2((sum, size), (out, size), &|i, sum, out| {
            drop_at(kernels, mask, i * size, sum);
            if let Some(residual) = residual.get(i * size..i * size + sum.len()) {
                kernels.add(residual, sum);
            }
            kernels.layer_norm(sum, norm, out);
        });
    }

    /// Gradient of layer-norm by its input, into `dx`, and by its parameters.
    fn norm_gradient(&mut self, x: &[f32], norm: LayerNorm<'_>, dy: &[f32], dx: &mut [f32], dparameters: (&mut [f32], &mut [f32])) {
        let hidden = norm.gamma.len();
        let (kernels, size) = (self.kernels, ROWS * hidden);
        self.partial.resize(x.len().div_ceil(size) * 2 * hidden, 0.0);
        self.team.chunks2((dx, size), (&mut self.partial, 2 * hidden), &|i, dx, partial| {
            partial.fill(0.0);
            let (dgamma, dbeta) = partial.split_at_mut(hidden);
            let range = i * size..i * size + dx.len();
            if let (Some(x), Some(dy)) = (x.get(range.clone()), dy.get(range)) {
                kernels.layer_norm_backward(x, norm, dy, dx, dgamma, dbeta);
            }
        });
        let (dgamma, dbeta) = dparameters;
        dgamma.fill(0.0);
        dbeta.fill(0.0);
        // In the order of the rows, so that the result does not depend on the team.
        for partial in self.partial.chunks_exact(2 * hidden) {
            let (gamma, beta) = partial.split_at(hidden);
            kernels.add(gamma, dgamma);
            kernels.add(beta, dbeta);
        }
    }

    /// `to = drop(from)`.
    fn dropped(&mut self, mask: Option<Mask>, from: &[f32], to: &mut Vec<f32>) {
        to.clear();
        to.extend_from_slice(from);
        self.drop(mask, to);
    }

    fn drop(&mut self, mask: Option<Mask>, values: &mut [f32]) {
        let kernels = self.kernels;
        if mask.is_some() {
            self.team.chunks(values, VALUES, &|i, values| drop_at(kernels, mask, i * VALUES, values));
        }
    }
}

/// Dropout of values whose first is at `first`.
fn drop_at(kernels: &Kernels, mask: Option<Mask>, first: usize, values: &mut [f32]) {
    if let Some(mask) = mask {
        // The place is part of a hash: it may wrap.
        #[expect(clippy::cast_possible_truncation, reason = "see above")]
        kernels.drop(Mask { first: first as u32, ..mask }, values);
    }
}
