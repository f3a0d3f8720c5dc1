//! Operations composed of candle's own, differentiable by candle: the specification for [`Fused`](super::Fused).

use super::Ops;
use candle_core::{Result, Tensor};
use std::ops::Range;

/// candle's own operations.
#[derive(Debug, Clone, Copy)]
pub struct Stock;

impl Ops for Stock {
    fn layer_norm(&self, x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f64) -> Result<Tensor> {
        // Not `candle_nn::ops::layer_norm`, which has no backward pass.
        #[expect(clippy::cast_possible_truncation, reason = "epsilon is a small constant")]
        candle_nn::ops::layer_norm_slow(x, gamma, beta, epsilon as f32)
    }

    fn gelu(&self, x: &Tensor) -> Result<Tensor> {
        x.gelu_erf()
    }

    fn attention(&self, query: &Tensor, key: &Tensor, value: &Tensor, rows: &[Range<usize>], heads: usize) -> Result<Tensor> {
        let (_, hidden) = query.dims2()?;
        let head_dim = hidden / heads;
        #[expect(clippy::cast_precision_loss, reason = "a head is at most some hundred wide")]
        let scale = 1.0 / (head_dim as f64).sqrt();
        let one = |row: &Range<usize>| -> Result<Tensor> {
            // [heads, tokens, head_dim]
            let split =
                |x: &Tensor| x.narrow(0, row.start, row.len())?.reshape((row.len(), heads, head_dim))?.transpose(0, 1)?.contiguous();
            let scores = (split(query)?.matmul(&split(key)?.t()?)? * scale)?;
            let mixed = candle_nn::ops::softmax(&scores, candle_core::D::Minus1)?.matmul(&split(value)?)?;
            mixed.transpose(0, 1)?.reshape((row.len(), hidden))
        };
        let rows = rows.iter().map(one).collect::<Result<Vec<_>>>()?;
        Tensor::cat(&rows, 0)
    }
}
