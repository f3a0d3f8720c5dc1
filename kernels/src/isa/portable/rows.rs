//! Operations on rows of hidden states: gather and layer-norm, layer-norm in place, and the forms that products read.

use super::math::half;
use super::{LANES, sum_of};
use crate::matrix::{Element, PackedMatrix, bf16};
use crate::rows::{Conversion, Embedding, Normalising};
use crate::table::LayerNorm;

/// Adding 1.5 * 2^23 to a float of magnitude below 2^22 leaves its nearest integer, ties to even, in the low bits.
const ROUND: f32 = 12_582_912.0;

/// What the largest magnitude of a row counts as at least: 2^-118, whose reciprocal times 255 is still an f32.
const LEAST: f32 = f32::MIN_POSITIVE * 256.0;

/// # Safety
/// The parts of one operation have different rows.
#[inline(always)]
pub unsafe fn normalise(op: &Normalising<'_>, rows: std::ops::Range<usize>) {
    let hidden = op.norm.gamma.len();
    for r in rows {
        // SAFETY: `r` is a row of the operation, and no other part has it.
        let row = unsafe { op.values.slice(r * hidden, hidden) };
        normalise_row(row, op.norm);
    }
}

#[inline(always)]
fn normalise_row(row: &mut [f32], norm: LayerNorm<'_>) {
    let n = row.len() as f32;
    let mean = sum_of(row, |x| x) / n;
    let variance = sum_of(row, |x| (x - mean) * (x - mean)) / n;
    let inverse = 1.0 / (variance + norm.epsilon).sqrt();
    for ((x, gamma), beta) in row.iter_mut().zip(norm.gamma).zip(norm.beta) {
        *x = (*x - mean) * inverse * gamma + beta;
    }
}

/// # Safety
/// The parts of one operation have different rows.
#[inline(always)]
pub unsafe fn embed(op: &Embedding<'_>, rows: std::ops::Range<usize>) {
    let hidden = op.norm.gamma.len();
    let from = op.gather;
    let row = |table: &'_ [u16], index: u32| table.as_ptr().wrapping_add(index as usize * hidden);
    for r in rows {
        // SAFETY: `r` is a row of the operation, and no other part has it.
        let out = unsafe { op.out.slice(r * hidden, hidden) };
        let (word, position, segment) =
            (row(from.words, from.ids[r]), row(from.positions, from.places[r]), row(from.segments, from.kinds[r]));
        for (i, out) in out.iter_mut().enumerate() {
            // SAFETY: the wrapper has checked every index against its table.
            let (word, position, segment) = unsafe { (*word.add(i), *position.add(i), *segment.add(i)) };
            *out = half(word) + half(position) + half(segment);
        }
        normalise_row(out, op.norm);
    }
}

/// # Safety
/// The parts of one operation have different rows.
#[inline(always)]
pub unsafe fn convert(op: &Conversion<'_>, rows: std::ops::Range<usize>) {
    let depth = op.weights.depth;
    for r in rows {
        let from = &op.values[r * depth..][..depth];
        // SAFETY: `r` is a row of the operation, no other part has it, and a row of the result has room for `depth` elements.
        unsafe {
            match op.weights.element {
                Element::Int8 => {
                    let to = op.data.slice(r * op.stride, depth);
                    op.scales.slice(r, 1)[0] = quantise(from, op.weights, to);
                }
                Element::Bf16 => {
                    let to = std::slice::from_raw_parts_mut(op.data.0.add(r * op.stride).cast::<u16>(), depth);
                    for (to, &x) in to.iter_mut().zip(from) {
                        *to = bf16(x);
                    }
                }
                Element::F32 => {
                    std::ptr::copy_nonoverlapping(from.as_ptr(), op.data.0.add(r * op.stride).cast::<f32>(), depth);
                }
            }
        }
    }
}

/// Quantises a row and gives its scale.
#[inline(always)]
fn quantise(from: &[f32], weights: &PackedMatrix, to: &mut [u8]) -> f32 {
    let (zero, steps) = (weights.range.zero() as f32, weights.range.steps());
    let (values, values_tail) = from.as_chunks::<LANES>();
    let (factors, factors_tail) = weights.smoothing.as_chunks::<LANES>();
    let (shifts, shifts_tail) = weights.shift.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for ((x, s), t) in values.iter().zip(factors).zip(shifts) {
        for lane in 0..LANES {
            let magnitude = (x[lane] * s[lane] - t[lane]).abs();
            lanes[lane] = if magnitude > lanes[lane] { magnitude } else { lanes[lane] };
        }
    }
    for ((x, s), t) in values_tail.iter().zip(factors_tail).zip(shifts_tail) {
        lanes[0] = lanes[0].max((x * s - t).abs());
    }
    // The step of a row of zeros, or of not-a-number, must have a reciprocal.
    let largest = lanes.iter().fold(LEAST, |largest, lane| largest.max(*lane)).min(f32::MAX);
    let inverse = steps / largest;
    for (((to, x), s), t) in to.iter_mut().zip(from).zip(&weights.smoothing).zip(&weights.shift) {
        // At most 255 - zero by the choice of the scale, and not below -zero; what is not a number becomes -zero.
        let steps = (x * s - t) * inverse;
        let steps = if steps > -zero { steps } else { -zero };
        *to = (steps + (zero + ROUND)).to_bits() as u8;
    }
    largest / steps
}
