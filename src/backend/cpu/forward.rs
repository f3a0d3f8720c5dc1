//! The forward pass: embeddings, layers, pooling, heads, over packed rows in buffers that are used again for each batch.

use super::network::{LevelHeads, Network};
use super::statistics::Site;
use crate::backend::{BatchLogits, ComputeError, HeadLogits, check_indices};
use crate::batch::PackedBatch;
use crate::model::Pooling;
use hearken_kernels::{Activations, Epilogue, Gather, Kernels, RaggedAttention, Team};
use ndarray::Array2;

/// Buffers of one runner. They grow to the largest batch seen and then stay.
#[derive(Debug, Default)]
pub struct Scratch {
    places: Vec<u32>,
    starts: Vec<usize>,
    /// Hidden states, `[tokens, hidden]`.
    states: Vec<f32>,
    /// Queries, keys and values, `[tokens, 3 * hidden]`; then the feed-forward layer, `[tokens, inner]`.
    wide: Vec<f32>,
    /// Mixed values, `[tokens, hidden]`.
    mixed: Vec<f32>,
    /// Vector of each message, `[rows, hidden]`.
    pooled: Vec<f32>,
    attention: Vec<f32>,
    hidden_form: Activations,
    mixed_form: Activations,
    up_form: Activations,
    inner_form: Activations,
    head_form: Activations,
    pub observer: Option<Observer>,
}

/// Layer, product, its input, `[tokens, width]`, and the width.
type Observe = dyn FnMut(usize, Site, &[f32], usize) + Send;

/// Sees the input of every product.
pub struct Observer(Box<Observe>);

impl Observer {
    pub fn new(observe: impl FnMut(usize, Site, &[f32], usize) + Send + 'static) -> Self {
        Self(Box::new(observe))
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observer")
    }
}

/// The first `length` values of a buffer that grows when it must.
fn room(buffer: &mut Vec<f32>, length: usize) -> &mut [f32] {
    if buffer.len() < length {
        buffer.resize(length, 0.0);
    }
    buffer.get_mut(..length).unwrap_or_default()
}

impl Scratch {
    /// Vector of each message of the last batch, `[rows, hidden]`.
    pub fn pooled(&self) -> &[f32] {
        &self.pooled
    }

    /// Encodes a batch.
    ///
    /// # Errors
    /// When an id is beyond its embedding.
    pub fn forward(&mut self, network: &Network, kernels: &Kernels, team: &mut Team, batch: &PackedBatch) -> Result<(), ComputeError> {
        let config = &network.config;
        if batch.ranges().any(|range| range.is_empty()) {
            return Err(ComputeError("a row has no token".to_owned()));
        }
        check_indices("token id", &batch.ids, config.vocab_size)?;
        check_indices("segment", &batch.segments, config.type_vocab_size)?;
        self.places.clear();
        self.places.extend(batch.positions());
        check_indices("position", &self.places, config.max_position_embeddings)?;
        self.starts.clear();
        self.starts.extend(std::iter::once(0).chain(batch.ranges().map(|range| range.end)));
        let gather = Gather {
            words: &network.words,
            positions: &network.positions,
            segments: &network.segments,
            ids: &batch.ids,
            places: &self.places,
            kinds: &batch.segments,
        };
        let states = room(&mut self.states, batch.tokens() * config.hidden_size);
        kernels.embed(team, gather, network.embedding_norm.view(), states);
        for index in 0..network.layers.len() {
            self.layer(index, network, kernels, team, batch.tokens());
        }
        self.pool(network, batch);
        Ok(())
    }

    fn layer(&mut self, index: usize, network: &Network, kernels: &Kernels, team: &mut Team, tokens: usize) {
        let Some(layer) = network.layers.get(index) else { return };
        let mut observe = |site, values: &[f32], width| {
            if let Some(Observer(observer)) = &mut self.observer {
                observer(index, site, values, width);
            }
        };
        let config = &network.config;
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let states = room(&mut self.states, tokens * hidden);

        observe(Site::Qkv, states, hidden);
        kernels.convert(team, states, &layer.qkv, &mut self.hidden_form);
        let qkv = room(&mut self.wide, tokens * 3 * hidden);
        kernels.product(team, &self.hidden_form, &layer.qkv, Epilogue::Store, qkv);
        let mixed = room(&mut self.mixed, tokens * hidden);
        let attention = RaggedAttention { qkv, starts: &self.starts, heads: config.num_attention_heads, head_dim: config.head_dim() };
        kernels.attend(team, attention, &mut self.attention, mixed);
        observe(Site::Output, mixed, hidden);
        kernels.convert(team, mixed, &layer.output, &mut self.mixed_form);
        kernels.product(team, &self.mixed_form, &layer.output, Epilogue::Accumulate, states);
        kernels.normalise(team, layer.output_norm.view(), states);

        observe(Site::Up, states, hidden);
        kernels.convert(team, states, &layer.up, &mut self.up_form);
        let wide = room(&mut self.wide, tokens * inner);
        kernels.product(team, &self.up_form, &layer.up, Epilogue::Gelu, wide);
        observe(Site::Down, wide, inner);
        kernels.convert(team, wide, &layer.down, &mut self.inner_form);
        kernels.product(team, &self.inner_form, &layer.down, Epilogue::Accumulate, states);
        kernels.normalise(team, layer.down_norm.view(), states);
    }

    fn pool(&mut self, network: &Network, batch: &PackedBatch) {
        let hidden = network.config.hidden_size;
        self.pooled.clear();
        self.pooled.resize(batch.rows() * hidden, 0.0);
        for (range, pooled) in batch.ranges().zip(self.pooled.chunks_exact_mut(hidden)) {
            let used = match network.pooling {
                Pooling::Mean => range,
                Pooling::Cls => range.start..range.start + 1,
            };
            #[expect(clippy::cast_precision_loss, reason = "a row has at most some thousand tokens")]
            let share = 1.0 / used.len() as f32;
            let states = self.states.chunks_exact(hidden).skip(used.start).take(used.len());
            for row in states {
                for (sum, x) in pooled.iter_mut().zip(row) {
                    *sum += x;
                }
            }
            for x in pooled {
                *x *= share;
            }
        }
    }

    /// Logits of every head for the batch that was encoded last.
    pub fn heads(&mut self, network: &Network, kernels: &Kernels, batch: &PackedBatch) -> BatchLogits {
        let hidden = network.config.hidden_size;
        let tokens = self.states.get(..batch.tokens() * hidden).unwrap_or_default();
        let levels = [(&network.message_heads, self.pooled.as_slice()), (&network.token_heads, tokens)];
        let mut logits = Vec::new();
        for (heads, vectors) in levels {
            let Some(LevelHeads { weights, heads }) = heads else { continue };
            let alone = &mut Team::alone();
            kernels.convert(alone, vectors, weights, &mut self.head_form);
            let mut all = Array2::<f32>::zeros((vectors.len() / hidden, weights.columns()));
            if let Some(out) = all.as_slice_mut() {
                kernels.product(alone, &self.head_form, weights, Epilogue::Store, out);
            }
            for (kind, columns) in heads {
                let values = all.slice(ndarray::s![.., columns.clone()]).to_owned();
                logits.push(HeadLogits { kind: *kind, values });
            }
        }
        logits.sort_by_key(|head| head.kind);
        BatchLogits { heads: logits, ranges: batch.ranges().collect() }
    }
}
