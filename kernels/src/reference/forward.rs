//! The forward pass: elementary functions, products, attention of a ragged batch, embedding.

use super::{attention, layer_norm_row, normal_cdf};
use crate::attention::RaggedAttention;
use crate::gemm::Epilogue;
use crate::rows::Gather;
use crate::table::{Attention, LayerNorm};

/// See [`Kernels::exp`](crate::Kernels::exp).
#[must_use]
pub fn exp(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x).clamp(-87.0, 88.0).exp()).collect()
}

/// See [`Kernels::tanh`](crate::Kernels::tanh).
#[must_use]
pub fn tanh(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x).tanh()).collect()
}

/// See [`Kernels::softmax`](crate::Kernels::softmax).
#[must_use]
pub fn softmax(x: &[f32], width: usize) -> Vec<f64> {
    x.chunks_exact(width)
        .flat_map(|row| {
            let largest = row.iter().map(|&x| f64::from(x)).fold(f64::NEG_INFINITY, f64::max);
            let numerators: Vec<f64> = row.iter().map(|&x| (f64::from(x) - largest).exp()).collect();
            let total: f64 = numerators.iter().sum();
            numerators.into_iter().map(move |numerator| numerator / total)
        })
        .collect()
}

/// `input * weights + bias`, `[rows, columns]`: `input` is `[rows, depth]` and `weights` `[columns, depth]`, both as their element
/// holds them ([`Activations::decode`](crate::Activations::decode), [`PackedMatrix::decode`](crate::PackedMatrix::decode)), and
/// `bias` is `[columns]`.
#[must_use]
pub fn product(input: &[f32], weights: &[f32], bias: &[f64], depth: usize) -> Vec<f64> {
    let sum = |row: &[f32], column: &[f32]| -> f64 { row.iter().zip(column).map(|(&a, &w)| f64::from(a) * f64::from(w)).sum() };
    let row = |row| weights.chunks_exact(depth).zip(bias).map(move |(column, bias)| sum(row, column) + bias);
    input.chunks_exact(depth).flat_map(row).collect()
}

/// The sums of an int8 product, `[rows, columns]`, of `input`, `[rows, depth]`, and `weights`, `[columns, depth]`.
#[must_use]
pub fn integer_product(input: &[i32], weights: &[i32], depth: usize) -> Vec<i64> {
    let sum = |row: &[i32], column: &[i32]| -> i64 { row.iter().zip(column).map(|(&a, &w)| i64::from(a) * i64::from(w)).sum() };
    input.chunks_exact(depth).flat_map(|row| weights.chunks_exact(depth).map(move |column| sum(row, column))).collect()
}

/// What a shift of the activations, `[depth]`, leaves of the bias, `[columns]`: the shift's product with the weights before they
/// were rounded stands in the bias, and [`product`] counts it with the rounded ones, both `[columns, depth]`.
#[must_use]
pub fn shifted_bias(bias: &[f32], shift: &[f32], weights: &[f32], rounded: &[f32]) -> Vec<f64> {
    if shift.is_empty() {
        return bias.iter().map(|&bias| f64::from(bias)).collect();
    }
    let columns = weights.chunks_exact(shift.len()).zip(rounded.chunks_exact(shift.len()));
    let lost = columns.map(|(weights, rounded)| -> f64 {
        shift.iter().zip(weights.iter().zip(rounded)).map(|(&t, (&w, &r))| f64::from(t) * (f64::from(w) - f64::from(r))).sum()
    });
    bias.iter().zip(lost).map(|(&bias, lost)| f64::from(bias) + lost).collect()
}

/// The last step of a product, of one of its results and what lay in its place.
#[must_use]
pub fn finish(epilogue: Epilogue, x: f64, before: f32) -> f64 {
    match epilogue {
        Epilogue::Store => x,
        Epilogue::Gelu => x * normal_cdf(x),
        Epilogue::Accumulate => f64::from(before) + x,
    }
}

/// See [`Kernels::attend`](crate::Kernels::attend).
#[must_use]
pub fn attend(input: RaggedAttention<'_>) -> Vec<f64> {
    let RaggedAttention { qkv, starts, heads, head_dim } = input;
    let width = heads * head_dim;
    let message = |ends: &[usize]| {
        let tokens = &qkv[ends[0] * 3 * width..ends[1] * 3 * width];
        let part = |part: usize| -> Vec<f32> { tokens.chunks_exact(width).skip(part).step_by(3).flatten().copied().collect() };
        let (query, key, value) = (part(0), part(1), part(2));
        attention(Attention { query: &query, key: &key, value: &value, length: ends[1] - ends[0], heads, head_dim })
    };
    starts.windows(2).flat_map(message).collect()
}

/// The value of the bits of a finite half-precision number (IEEE 754-2019, 3.4, binary16).
#[must_use]
pub fn half(bits: u16) -> f64 {
    let exponent = i32::from(bits >> 10 & 31);
    let fraction = f64::from(bits & 1023) / 1024.0;
    let magnitude = if exponent == 0 { fraction * 2f64.powi(-14) } else { (1.0 + fraction) * 2f64.powi(exponent - 15) };
    if bits >> 15 == 0 { magnitude } else { -magnitude }
}

/// See [`Kernels::embed`](crate::Kernels::embed).
#[must_use]
pub fn embed(gather: Gather<'_>, norm: LayerNorm<'_>) -> Vec<f64> {
    let hidden = norm.gamma.len();
    let row = |table: &[u16], index: u32| -> Vec<f64> { table[index as usize * hidden..][..hidden].iter().copied().map(half).collect() };
    let tokens = gather.ids.iter().zip(gather.places).zip(gather.kinds);
    tokens
        .flat_map(|((&id, &place), &kind)| {
            let (word, position, segment) = (row(gather.words, id), row(gather.positions, place), row(gather.segments, kind));
            let sum: Vec<f64> = (0..hidden).map(|i| word[i] + position[i] + segment[i]).collect();
            layer_norm_row(&sum, norm)
        })
        .collect()
}
