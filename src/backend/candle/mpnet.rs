//! MPNet (Song et al., 2020): BERT whose scores have a bias by relative position, one for each head and the same in every layer, in buckets as
//! T5 has them (Raffel et al., 2020).

use super::encoder::{Encoder, Norm, PostNorm, Projections, attend, content_scores, gather};
use super::network::Load;
use super::{Dropout, Ops};
use crate::batch::PackedBatch;
use crate::model::EncoderConfig;
use candle_core::{Result, Tensor};
use std::collections::BTreeMap;
use std::ops::Range;

/// Distance from which on all share the last bucket.
const FURTHEST: f32 = 128.0;

/// The encoder.
pub struct Mpnet {
    words: Tensor,
    positions: Tensor,
    embedding_norm: Norm,
    /// Bias of each bucket and head, `[buckets, heads]`.
    biases: Tensor,
    buckets: usize,
    layers: Vec<Layer>,
}

impl Mpnet {
    /// Loads it; `buckets` are the rows of the bias table.
    ///
    /// # Errors
    /// When `load` has not what is asked for.
    pub fn load(config: &EncoderConfig, buckets: usize, load: &mut Load<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        Ok(Self {
            words: load("embeddings.word_embeddings.weight", &[config.vocab_size, hidden])?,
            positions: load("embeddings.position_embeddings.weight", &[config.max_position_embeddings, hidden])?,
            embedding_norm: Norm::load("embeddings.LayerNorm", config, true, load)?,
            biases: load("encoder.relative_attention_bias.weight", &[buckets, config.num_attention_heads])?,
            buckets,
            layers: (0..config.num_hidden_layers).map(|index| Layer::load(index, config, load)).collect::<Result<_>>()?,
        })
    }

    /// The bias of each pair of tokens of a row, `[heads, tokens, tokens]`.
    fn bias(&self, tokens: usize) -> Result<Tensor> {
        let places: Vec<u32> = (0..tokens).flat_map(|query| (0..tokens).map(move |key| bucket(query, key, self.buckets))).collect();
        let heads = self.biases.dim(1)?;
        gather(&self.biases, &places)?.reshape((tokens, tokens, heads))?.permute((2, 0, 1))?.contiguous()
    }
}

impl Encoder for Mpnet {
    fn forward(&self, batch: &PackedBatch, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let positions: Vec<u32> = batch.positions().collect();
        let embedded = (gather(&self.words, &batch.ids)? + gather(&self.positions, &positions)?)?;
        let mut x = dropout.apply(&self.embedding_norm.forward(&embedded, ops)?)?;
        let rows: Vec<Range<usize>> = batch.ranges().collect();
        let mut biases = BTreeMap::new();
        for length in rows.iter().map(Range::len) {
            if let std::collections::btree_map::Entry::Vacant(entry) = biases.entry(length) {
                entry.insert(self.bias(length)?);
            }
        }
        for layer in &self.layers {
            x = layer.forward(&x, &rows, &biases, ops, dropout)?;
        }
        Ok(x)
    }
}

/// The bucket of a query and a key: one half for keys behind the query, the other for those before it; in each, half of the buckets are of
/// one distance, the others logarithmic.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "distances are below 2^16")]
fn bucket(query: usize, key: usize, buckets: usize) -> u32 {
    let side = buckets / 2;
    let (distance, exact) = (query.abs_diff(key), side / 2);
    let within = if distance < exact {
        distance
    } else {
        // In f32, as transformers computes it: the floor must fall on the same side.
        let share = (distance as f32 / exact as f32).ln() / (FURTHEST / exact as f32).ln();
        (exact + (share * (side - exact) as f32) as usize).min(side.saturating_sub(1))
    };
    u32::try_from(if key > query { side + within } else { within }).unwrap_or(u32::MAX)
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

    fn forward(
        &self,
        x: &Tensor,
        rows: &[Range<usize>],
        biases: &BTreeMap<usize, Tensor>,
        ops: &dyn Ops,
        dropout: &mut Dropout,
    ) -> Result<Tensor> {
        let [query, key, value] = self.projections.forward(x)?;
        let scores = |query: &Tensor, key: &Tensor| {
            let scores = content_scores(query, key)?;
            match biases.get(&scores.dim(1)?) {
                Some(bias) => scores + bias,
                None => Ok(scores),
            }
        };
        let mixed = attend([&query, &key, &value], rows, self.heads, scores)?;
        self.rest.forward(x, &mixed, ops, dropout)
    }
}
