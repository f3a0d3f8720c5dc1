//! The table: one slot per operation, with its promise. A tier fills every slot.
//!
//! A slot of the forward pass does a part of an operation; its safe door, which checks the sizes and gives out the parts, is
//! beside the operation's types: `gemm`, `attention`, `rows`.

use crate::attention::{Attending, AttendingBackward};
use crate::gemm::Product;
use crate::matmul::Side;
use crate::matrix::Element;
use crate::rows::{Conversion, Embedding, Normalising};
use std::ops::Range;

/// Shape of a layer-norm: rows of `hidden` values, normalised with `epsilon` added to the variance.
#[derive(Debug, Clone, Copy)]
pub struct LayerNorm<'a> {
    /// Scale, `[hidden]`.
    pub gamma: &'a [f32],
    /// Shift, `[hidden]`.
    pub beta: &'a [f32],
    /// Added to the variance before the square root.
    pub epsilon: f32,
}

/// Queries, keys and values of one sequence, each `[length, heads * head_dim]`, row-major.
#[derive(Debug, Clone, Copy)]
pub struct Attention<'a> {
    /// Queries.
    pub query: &'a [f32],
    /// Keys.
    pub key: &'a [f32],
    /// Values.
    pub value: &'a [f32],
    /// Number of tokens.
    pub length: usize,
    /// Number of heads.
    pub heads: usize,
    /// Width of one head; a multiple of 8.
    pub head_dim: usize,
}

/// One step of AdamW with decoupled weight decay (Loshchilov and Hutter, 2019, Algorithm 2).
#[derive(Debug, Clone, Copy)]
pub struct AdamW {
    /// Learning rate of this step.
    pub learning_rate: f32,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decoupled weight decay; zero for biases and layer-norm.
    pub weight_decay: f32,
    /// `1 - beta1^step`.
    pub correction1: f32,
    /// `1 - beta2^step`.
    pub correction2: f32,
    /// Factor on the gradient (from clipping its norm).
    pub gradient_scale: f32,
}

/// Which values dropout keeps: decided by seed and place alone, so the backward pass needs no memory of it.
#[derive(Debug, Clone, Copy)]
pub struct Mask {
    /// Decides the mask.
    pub seed: u32,
    /// Place of the first value.
    pub first: u32,
    /// A value is dropped where its hash, uniform in 32 bits, is below this.
    pub threshold: u32,
    /// Factor on what is kept.
    pub scale: f32,
}

macro_rules! table {
    ($( $(#[$doc:meta])* $slot:ident ( $($arg:ident : $kind:ty),* ) ; )*) => {
        /// One implementation of every operation, for one instruction set.
        #[derive(Debug)]
        pub struct Kernels {
            /// The tier's name.
            pub name: &'static str,
            pub(crate) accelerated: &'static [Element],
            pub(crate) product: unsafe fn(&Product<'_>, Range<usize>),
            pub(crate) attend: unsafe fn(&Attending<'_>, usize, Range<usize>),
            pub(crate) attend_backward: unsafe fn(&AttendingBackward<'_>, usize, Range<usize>),
            pub(crate) pack_rows: unsafe fn(&Side<'_>, Range<usize>),
            pub(crate) pack_panels: unsafe fn(&Side<'_>, Range<usize>),
            pub(crate) embed: unsafe fn(&Embedding<'_>, Range<usize>),
            pub(crate) normalise: unsafe fn(&Normalising<'_>, Range<usize>),
            pub(crate) convert: unsafe fn(&Conversion<'_>, Range<usize>),
            $( pub(crate) $slot: unsafe fn($($kind),*), )*
        }

        impl Kernels {
            $(
                $(#[$doc])*
                #[inline]
                pub fn $slot(&self, $($arg: $kind),*) {
                    // SAFETY: a `Kernels` is handed out by `dispatch` only after its tier's processor check has passed,
                    // which is the one requirement of its slots.
                    unsafe { (self.$slot)($($arg),*) }
                }
            )*
        }
    };
}

table! {
    /// `x[i] = e^x[i]`, `x` in [-87, 88] and clamped to that; relative error at most 2.5e-7.
    exp(x: &mut [f32]);

    /// `x[i] = tanh(x[i])`; absolute error at most 3e-7.
    tanh(x: &mut [f32]);

    /// `x[i] = x[i] * Phi(x[i])` as products have it in their epilogue; absolute error at most 4e-5, and `1.1e-5 |x|` beyond 4.2.
    quick_gelu(x: &mut [f32]);

    /// Softmax of each row of `width` values, in place; error at most 1e-6.
    ///
    /// # Panics
    /// When `width` does not divide the length.
    softmax(x: &mut [f32], width: usize);

    /// `out[i] = x[i] * Phi(x[i])`, the exact (erf) GELU; absolute error at most `1e-6 * max(1, |x|)`.
    ///
    /// # Panics
    /// When the slices differ in length.
    gelu(x: &[f32], out: &mut [f32]);

    /// Gradient of [`Kernels::gelu`]: `dx[i] = dy[i] * (Phi(x[i]) + x[i] * phi(x[i]))`; relative to `|dy|`, error at most 2e-6.
    ///
    /// # Panics
    /// When the slices differ in length.
    gelu_backward(x: &[f32], dy: &[f32], dx: &mut [f32]);

    /// Layer-norm over rows of `norm.gamma.len()` values (Ba et al., 2016), `[rows, hidden]` to `[rows, hidden]`; error at most
    /// 2e-5 for inputs of unit scale.
    ///
    /// # Panics
    /// When a length does not fit.
    layer_norm(x: &[f32], norm: LayerNorm<'_>, out: &mut [f32]);

    /// Gradient of [`Kernels::layer_norm`]. `dx` is overwritten; `dgamma` and `dbeta`, `[hidden]`, are added to.
    ///
    /// # Panics
    /// When a length does not fit.
    layer_norm_backward(x: &[f32], norm: LayerNorm<'_>, dy: &[f32], dx: &mut [f32], dgamma: &mut [f32], dbeta: &mut [f32]);

    /// Scaled dot-product attention of one sequence (Vaswani et al., 2017), every token seeing every token:
    /// `softmax(q k^T / sqrt(head_dim)) v`, `[length, heads * head_dim]`. `scratch` holds at least `length` values.
    ///
    /// # Panics
    /// When a length does not fit.
    attention(input: Attention<'_>, scratch: &mut [f32], out: &mut [f32]);

    /// Gradient of [`Kernels::attention`]; the probabilities are computed again. The outputs are overwritten. `scratch` holds at
    /// least `2 * length` values.
    ///
    /// # Panics
    /// When a length does not fit.
    attention_backward(input: Attention<'_>, dout: &[f32], scratch: &mut [f32], dquery: &mut [f32], dkey: &mut [f32], dvalue: &mut [f32]);

    /// One AdamW step in place: parameters, first and second moment, all of one length.
    ///
    /// # Panics
    /// When the slices differ in length.
    adamw(step: AdamW, gradient: &[f32], parameter: &mut [f32], first: &mut [f32], second: &mut [f32]);

    /// Dropout in place (Srivastava et al., 2014): each value times the mask's scale or, with probability `threshold / 2^32`, zero.
    /// The same mask drops the same places again.
    drop(mask: Mask, values: &mut [f32]);

    /// `to[i] += from[i]`.
    ///
    /// # Panics
    /// When the slices differ in length.
    add(from: &[f32], to: &mut [f32]);

    /// `out[c] = sum over rows of x[row][first + c]`, where `x` has rows of `width` values; rows are added in order.
    ///
    /// # Panics
    /// When a length does not fit.
    column_sums(x: &[f32], width: usize, first: usize, out: &mut [f32]);
}
