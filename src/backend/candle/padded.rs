//! Operations for rows that are padded to the longest of them: few launches for a batch, which is what a card wants.

use super::encoder::content_scores;
use super::{Ops, Stock};
use candle_core::{D, DType, Device, Result, Tensor};
use std::ops::Range;

/// Score of padding: finite, so that a row of nothing else would not become NaN, and far below any other.
const PADDING: f32 = -1e9;

/// candle's own operations, and attention over padded rows of one batch.
#[derive(Debug)]
pub struct Padded {
    rows: usize,
    longest: usize,
    /// Token at each place of each padded row, `[rows * longest]`; any, where there is padding.
    tokens: Tensor,
    /// Place of each token, `[tokens]`.
    places: Tensor,
    /// `[rows, 1, 1, longest]`, 0 or [`PADDING`].
    mask: Tensor,
}

impl Padded {
    /// For the rows of a batch.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(rows: &[Range<usize>], device: &Device) -> Result<Self> {
        let longest = rows.iter().map(Range::len).max().unwrap_or(0);
        let (mut tokens, mut places, mut mask) = (Vec::new(), Vec::new(), Vec::new());
        for (row, range) in rows.iter().enumerate() {
            for place in 0..longest {
                let inside = place < range.len();
                tokens.push(whole(if inside { range.start + place } else { range.start }));
                mask.push(if inside { 0.0 } else { PADDING });
                if inside {
                    places.push(whole(row * longest + place));
                }
            }
        }
        Ok(Self {
            rows: rows.len(),
            longest,
            tokens: Tensor::new(tokens, device)?,
            places: Tensor::new(places, device)?,
            mask: Tensor::from_vec(mask, (rows.len(), 1, 1, longest), device)?,
        })
    }

    /// `[tokens, hidden]` as `[rows, heads, longest, head_dim]`.
    fn spread(&self, x: &Tensor, heads: usize) -> Result<Tensor> {
        let head_dim = x.dim(1)? / heads.max(1);
        let padded = x.index_select(&self.tokens, 0)?.reshape((self.rows, self.longest, heads, head_dim))?;
        padded.transpose(1, 2)?.contiguous()
    }
}

fn whole(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl Ops for Padded {
    fn layer_norm(&self, x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f64) -> Result<Tensor> {
        Stock.layer_norm(x, gamma, beta, epsilon)
    }

    fn gelu(&self, x: &Tensor) -> Result<Tensor> {
        Stock.gelu(x)
    }

    fn attention(&self, query: &Tensor, key: &Tensor, value: &Tensor, _rows: &[Range<usize>], heads: usize) -> Result<Tensor> {
        let (query, key, value) = (self.spread(query, heads)?, self.spread(key, heads)?, self.spread(value, heads)?);
        // Softmax sums in f32, whatever the products are in.
        let scores = content_scores(&query, &key)?.to_dtype(DType::F32)?.broadcast_add(&self.mask)?;
        let weights = candle_nn::ops::softmax(&scores, D::Minus1)?.to_dtype(value.dtype())?;
        let mixed = weights.matmul(&value)?.transpose(1, 2)?;
        mixed.reshape((self.rows * self.longest, ()))?.index_select(&self.places, 0)
    }
}
