//! Operations composed of candle's own, differentiable by candle: the specification for [`Fused`](super::Fused).

use super::Ops;
use super::encoder::{attend, content_scores};
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
        attend([query, key, value], rows, heads, content_scores)
    }
}
