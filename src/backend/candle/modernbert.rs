//! ModernBERT (Warner et al., 2024): rotary positions (Su et al., 2021), layers that see a window between layers that see everything, a
//! gated feed-forward (Shazeer, 2020) and layer-norms before each part.

use super::encoder::{Dense, Encoder, Norm, from_heads, gather, into_heads};
use super::network::Load;
use super::{Dropout, Ops};
use crate::batch::PackedBatch;
use crate::model::{EncoderConfig, Rotary};
use candle_core::{D, Device, Result, Tensor};
use std::ops::Range;

/// Score of a token out of sight: far below any other, and finite.
const UNSEEN: f32 = f32::MIN / 2.0;

/// The encoder.
pub struct ModernBert {
    words: Tensor,
    embedding_norm: Norm,
    layers: Vec<Layer>,
    final_norm: Norm,
    own: Rotary,
    head_dim: usize,
}

impl ModernBert {
    /// Loads it.
    ///
    /// # Errors
    /// When `load` has not what is asked for.
    pub fn load(config: &EncoderConfig, own: &Rotary, load: &mut Load<'_>) -> Result<Self> {
        Ok(Self {
            words: load("embeddings.tok_embeddings.weight", &[config.vocab_size, config.hidden_size])?,
            embedding_norm: Norm::load("embeddings.norm", config, own.norm_bias, load)?,
            layers: (0..config.num_hidden_layers).map(|index| Layer::load(index, config, own, load)).collect::<Result<_>>()?,
            final_norm: Norm::load("final_norm", config, own.norm_bias, load)?,
            own: own.clone(),
            head_dim: config.head_dim(),
        })
    }
}

impl Encoder for ModernBert {
    fn forward(&self, batch: &PackedBatch, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let mut x = dropout.apply(&self.embedding_norm.forward(&gather(&self.words, &batch.ids)?, ops)?)?;
        let rows: Vec<Range<usize>> = batch.ranges().collect();
        let longest = rows.iter().map(Range::len).max().unwrap_or(0);
        let device = x.device().clone();
        let sight = |theta, window: Option<usize>| Sight::new(longest, self.head_dim, theta, window, &device);
        let (global, local) = (sight(self.own.global_theta, None)?, sight(self.own.local_theta, Some(self.own.window))?);
        for layer in &self.layers {
            x = layer.forward(&x, &rows, if layer.global { &global } else { &local }, ops, dropout)?;
        }
        self.final_norm.forward(&x, ops)
    }
}

/// What a layer's attention knows of places: the rotation of each position, and who sees whom.
struct Sight {
    /// `[positions, head_dim]`.
    cos: Tensor,
    sin: Tensor,
    /// `[positions, positions]`, 0 or [`UNSEEN`]; nothing when everyone sees everyone.
    mask: Option<Tensor>,
}

impl Sight {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "positions and widths are below 2^16")]
    fn new(positions: usize, head_dim: usize, theta: f64, window: Option<usize>, device: &Device) -> Result<Self> {
        let half = head_dim / 2;
        let frequencies: Vec<f32> = (0..half).map(|i| (1.0 / theta.powf((2 * i) as f64 / head_dim as f64)) as f32).collect();
        let angles: Vec<f32> = (0..positions).flat_map(|p| frequencies.iter().map(move |frequency| p as f32 * frequency)).collect();
        let angles = Tensor::from_vec(angles, (positions, half), device)?;
        let angles = Tensor::cat(&[&angles, &angles], 1)?;
        let far = window.filter(|window| positions > window + 1);
        let mask = far.map(|window| {
            let pairs = (0..positions).flat_map(|query| (0..positions).map(move |key| query.abs_diff(key) <= window));
            let values: Vec<f32> = pairs.map(|seen| if seen { 0.0 } else { UNSEEN }).collect();
            Tensor::from_vec(values, (positions, positions), device)
        });
        Ok(Self { cos: angles.cos()?, sin: angles.sin()?, mask: mask.transpose()? })
    }

    /// Rotates `[heads, tokens, head_dim]` by the tokens' positions.
    fn rotate(&self, x: &Tensor) -> Result<Tensor> {
        let (_, tokens, head_dim) = x.dims3()?;
        let half = head_dim / 2;
        let (first, second) = (x.narrow(D::Minus1, 0, half)?, x.narrow(D::Minus1, half, half)?);
        let turned = Tensor::cat(&[&second.neg()?, &first], D::Minus1)?;
        let part = |table: &Tensor| table.narrow(0, 0, tokens);
        x.broadcast_mul(&part(&self.cos)?)? + turned.broadcast_mul(&part(&self.sin)?)?
    }

    fn masked(&self, scores: Tensor) -> Result<Tensor> {
        let tokens = scores.dim(1)?;
        match &self.mask {
            Some(mask) => scores.broadcast_add(&mask.narrow(0, 0, tokens)?.narrow(1, 0, tokens)?.contiguous()?),
            None => Ok(scores),
        }
    }
}

struct Layer {
    /// Nothing in the first layer, whose input is normalised already.
    attention_norm: Option<Norm>,
    /// Query, key and value below each other.
    qkv: Dense,
    attended: Dense,
    feed_norm: Norm,
    /// What goes through the activation, and the gate, below each other.
    up: Dense,
    down: Dense,
    heads: usize,
    hidden: usize,
    inner: usize,
    /// Sees everything, not only a window.
    global: bool,
}

impl Layer {
    fn load(index: usize, config: &EncoderConfig, own: &Rotary, load: &mut Load<'_>) -> Result<Self> {
        let name = |part: &str| format!("layers.{index}.{part}");
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        Ok(Self {
            attention_norm: (index > 0).then(|| Norm::load(&name("attn_norm"), config, own.norm_bias, load)).transpose()?,
            qkv: Dense::load(&name("attn.Wqkv"), 3 * hidden, hidden, own.attention_bias, load)?,
            attended: Dense::load(&name("attn.Wo"), hidden, hidden, own.attention_bias, load)?,
            feed_norm: Norm::load(&name("mlp_norm"), config, own.norm_bias, load)?,
            up: Dense::load(&name("mlp.Wi"), 2 * inner, hidden, own.mlp_bias, load)?,
            down: Dense::load(&name("mlp.Wo"), hidden, inner, own.mlp_bias, load)?,
            heads: config.num_attention_heads,
            hidden,
            inner,
            global: index.is_multiple_of(own.global_every),
        })
    }

    fn forward(&self, x: &Tensor, rows: &[Range<usize>], sight: &Sight, ops: &dyn Ops, dropout: &mut Dropout) -> Result<Tensor> {
        let normed = match &self.attention_norm {
            Some(norm) => norm.forward(x, ops)?,
            None => x.clone(),
        };
        let qkv = self.qkv.forward(&normed)?;
        let mixed = rows.iter().map(|row| self.attention(&qkv.narrow(0, row.start, row.len())?, sight)).collect::<Result<Vec<_>>>()?;
        let x = (x + dropout.apply(&self.attended.forward(&Tensor::cat(&mixed, 0)?)?)?)?;
        let both = self.up.forward(&self.feed_norm.forward(&x, ops)?)?;
        let gated = (ops.gelu(&both.narrow(1, 0, self.inner)?)? * both.narrow(1, self.inner, self.inner)?)?;
        x + dropout.apply(&self.down.forward(&gated)?)?
    }

    /// Attention of one row, `[tokens, 3 hidden]` to `[tokens, hidden]`.
    fn attention(&self, qkv: &Tensor, sight: &Sight) -> Result<Tensor> {
        let part = |index: usize| into_heads(&qkv.narrow(1, index * self.hidden, self.hidden)?, self.heads);
        let (query, key, value) = (sight.rotate(&part(0)?)?, sight.rotate(&part(1)?)?, part(2)?);
        #[expect(clippy::cast_precision_loss, reason = "a head is at most some hundred wide")]
        let scale = 1.0 / ((self.hidden / self.heads.max(1)) as f64).sqrt();
        let scores = sight.masked((query.matmul(&key.t()?)? * scale)?)?;
        from_heads(&candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&value)?)
    }
}
