//! DeBERTa-v2 and v3 (He et al., 2021 and 2023): attention whose scores are content against content, content against relative position
//! and relative position against content.

use super::encoder::{Dense, Encoder, Norm, PostNorm, attend, gather, into_heads};
use super::network::Load;
use super::{Dropout, Ops};
use crate::batch::PackedBatch;
use crate::model::{Disentangled, EncoderConfig};
use candle_core::{D, Device, Result, Tensor};
use std::collections::HashMap;
use std::ops::Range;

/// The encoder.
pub struct Deberta {
    words: Tensor,
    positions: Option<Tensor>,
    segments: Option<Tensor>,
    embedding_norm: Norm,
    /// Embeddings of relative distances, `[2 span, hidden]`: row `span + d` is of distance `d`.
    distances: Option<(Tensor, Option<Norm>)>,
    layers: Vec<Layer>,
    own: Disentangled,
}

impl Deberta {
    /// Loads it.
    ///
    /// # Errors
    /// When `load` has not what is asked for.
    pub fn load(config: &EncoderConfig, own: &Disentangled, load: &mut Load<'_>) -> Result<Self> {
        let hidden = config.hidden_size;
        let mut table = |name: &str, rows: usize| load(&format!("{name}.weight"), &[rows, hidden]);
        let words = table("embeddings.word_embeddings", config.vocab_size)?;
        let positions =
            own.position_biased_input.then(|| table("embeddings.position_embeddings", config.max_position_embeddings)).transpose()?;
        let segments =
            (config.type_vocab_size > 0).then(|| table("embeddings.token_type_embeddings", config.type_vocab_size)).transpose()?;
        let distances = own.relative().then(|| table("encoder.rel_embeddings", 2 * own.span())).transpose()?;
        let norm = (distances.is_some() && own.normalised).then(|| Norm::load("encoder.LayerNorm", config, true, load)).transpose()?;
        Ok(Self {
            words,
            positions,
            segments,
            embedding_norm: Norm::load("embeddings.LayerNorm", config, true, load)?,
            distances: distances.map(|table| (table, norm)),
            layers: (0..config.num_hidden_layers).map(|index| Layer::load(index, config, own, load)).collect::<Result<_>>()?,
            own: own.clone(),
        })
    }
}

impl Encoder for Deberta {
    fn forward(&self, batch: &PackedBatch, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let mut embedded = gather(&self.words, &batch.ids)?;
        if let Some(table) = &self.positions {
            embedded = (embedded + gather(table, &batch.positions().collect::<Vec<_>>())?)?;
        }
        if let Some(table) = &self.segments {
            embedded = (embedded + gather(table, &batch.segments)?)?;
        }
        let mut x = dropout.apply(&self.embedding_norm.forward(&embedded, ops)?)?;
        let distances = match &self.distances {
            Some((table, Some(norm))) => Some(norm.forward(table, ops)?),
            Some((table, None)) => Some(table.clone()),
            None => None,
        };
        let rows = Rows::new(batch, &self.own, x.device())?;
        for layer in &self.layers {
            x = layer.forward(&x, distances.as_ref(), &rows, ops, dropout)?;
        }
        Ok(x)
    }
}

/// The rows of a batch, and for each length which relative position each pair of tokens has.
struct Rows {
    ranges: Vec<Range<usize>>,
    /// `[tokens, tokens]` of each length: row of the distance table for query and key.
    places: HashMap<usize, Tensor>,
}

impl Rows {
    fn new(batch: &PackedBatch, own: &Disentangled, device: &Device) -> Result<Self> {
        let ranges: Vec<Range<usize>> = batch.ranges().collect();
        let mut places = HashMap::new();
        if own.relative() {
            for length in ranges.iter().map(Range::len) {
                if let std::collections::hash_map::Entry::Vacant(entry) = places.entry(length) {
                    let values: Vec<u32> = (0..length).flat_map(|query| (0..length).map(move |key| place(query, key, own))).collect();
                    entry.insert(Tensor::from_vec(values, (length, length), device)?);
                }
            }
        }
        Ok(Self { ranges, places })
    }
}

/// Row of the distance table for a query and a key at these positions.
fn place(query: usize, key: usize, own: &Disentangled) -> u32 {
    let bucket = bucket(query.abs_diff(key), own);
    let span = own.span();
    let row = if query >= key { span + bucket } else { span.saturating_sub(bucket) };
    u32::try_from(row.min((2 * span).saturating_sub(1))).unwrap_or(u32::MAX)
}

/// The bucket of a distance: itself up to half the buckets, from there logarithmic (He et al., 2021, appendix).
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "distances are below 2^16")]
fn bucket(distance: usize, own: &Disentangled) -> usize {
    let Some(buckets) = own.position_buckets else { return distance };
    let half = buckets / 2;
    if distance <= half {
        return distance;
    }
    // In f32, as transformers computes it: the ceiling must fall on the same side.
    let (middle, furthest) = (half as f32, own.max_relative_positions as f32);
    let share = (distance as f32 / middle).ln() / ((furthest - 1.0) / middle).ln();
    (share * (middle - 1.0)).ceil() as usize + half
}

struct Layer {
    query: Dense,
    key: Dense,
    value: Dense,
    /// Projections of relative positions, where they have their own.
    position_key: Option<Dense>,
    position_query: Option<Dense>,
    rest: PostNorm,
    heads: usize,
    content_to_position: bool,
    position_to_content: bool,
}

/// Keys and queries of the relative positions, `[heads, 2 span, head_dim]`.
struct Positions {
    key: Option<Tensor>,
    query: Option<Tensor>,
}

impl Layer {
    fn load(index: usize, config: &EncoderConfig, own: &Disentangled, load: &mut Load<'_>) -> Result<Self> {
        let name = |part: &str| format!("encoder.layer.{index}.{part}");
        let hidden = config.hidden_size;
        let mut square = |part: &str| Dense::load(&name(part), hidden, hidden, true, load);
        Ok(Self {
            query: square("attention.self.query_proj")?,
            key: square("attention.self.key_proj")?,
            value: square("attention.self.value_proj")?,
            position_key: (own.content_to_position && !own.share_att_key).then(|| square("attention.self.pos_key_proj")).transpose()?,
            position_query: (own.position_to_content && !own.share_att_key).then(|| square("attention.self.pos_query_proj")).transpose()?,
            rest: PostNorm::load(index, config, load)?,
            heads: config.num_attention_heads,
            content_to_position: own.content_to_position,
            position_to_content: own.position_to_content,
        })
    }

    fn forward(&self, x: &Tensor, distances: Option<&Tensor>, rows: &Rows, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let (query, key, value) = (self.query.forward(x)?, self.key.forward(x)?, self.value.forward(x)?);
        let positions = self.positions(distances)?;
        let mixed = attend([&query, &key, &value], &rows.ranges, self.heads, |query, key| self.scores(query, key, &positions, rows))?;
        self.rest.forward(x, &mixed, ops, dropout)
    }

    fn positions(&self, distances: Option<&Tensor>) -> Result<Positions> {
        let project = |wanted: bool, own: Option<&Dense>, shared: &Dense| match distances.filter(|_| wanted) {
            Some(distances) => into_heads(&own.unwrap_or(shared).forward(distances)?, self.heads).map(Some),
            None => Ok(None),
        };
        Ok(Positions {
            key: project(self.content_to_position, self.position_key.as_ref(), &self.key)?,
            query: project(self.position_to_content, self.position_query.as_ref(), &self.query)?,
        })
    }

    /// Scores of one row, `[heads, tokens, tokens]`, from its query and key, `[heads, tokens, head_dim]`.
    fn scores(&self, query: &Tensor, key: &Tensor, positions: &Positions, rows: &Rows) -> Result<Tensor> {
        let (heads, tokens, head_dim) = query.dims3()?;
        let kinds = 1 + usize::from(self.content_to_position) + usize::from(self.position_to_content);
        #[expect(clippy::cast_precision_loss, reason = "a head is at most some hundred wide")]
        let scale = 1.0 / ((head_dim * kinds) as f64).sqrt();
        let mut scores = query.matmul(&key.t()?)?;
        if let Some(places) = rows.places.get(&tokens) {
            let pick = |scores: Tensor, places: &Tensor| {
                scores.gather(&places.unsqueeze(0)?.expand((heads, tokens, tokens))?.contiguous()?, D::Minus1)
            };
            if let Some(position) = &positions.key {
                scores = (scores + pick(query.matmul(&position.t()?)?, places)?)?;
            }
            if let Some(position) = &positions.query {
                // A key sees the query's relative position: computed by key and turned.
                let by_key = pick(key.matmul(&position.t()?)?, &places.t()?.contiguous()?)?;
                scores = (scores + by_key.t()?)?;
            }
        }
        scores * scale
    }
}
