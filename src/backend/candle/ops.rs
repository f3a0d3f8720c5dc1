//! The operations in which the reference path and the training path differ.

use candle_core::{Result, Tensor};
use std::ops::Range;

/// Operations between the matrix products. Every implementation has a backward pass.
pub trait Ops: Sync {
    /// Layer-norm of `[tokens, hidden]` by `gamma` and `beta`, `[hidden]` (Ba et al., 2016).
    ///
    /// # Errors
    /// When shapes do not fit or the device fails.
    fn layer_norm(&self, x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f64) -> Result<Tensor>;

    /// The exact GELU of every element.
    ///
    /// # Errors
    /// When the device fails.
    fn gelu(&self, x: &Tensor) -> Result<Tensor>;

    /// Attention within each of `rows`; `query`, `key`, `value` and the result are `[tokens, hidden]`.
    ///
    /// # Errors
    /// When shapes do not fit or the device fails.
    fn attention(&self, query: &Tensor, key: &Tensor, value: &Tensor, rows: &[Range<usize>], heads: usize) -> Result<Tensor>;
}
