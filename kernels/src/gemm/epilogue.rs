//! What happens to the sums of a block on their way out: scales, bias, activation, residual.

use super::{Product, Sums};
use crate::isa::portable::lanes::Lanes as _;
use crate::isa::portable::{LANES, Vectors, math};
use crate::matrix::{Element, PANEL};

/// The last step of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epilogue {
    /// `out = x`.
    Store,
    /// `out = gelu(x)`, within the promise of [`Kernels::quick_gelu`](crate::Kernels::quick_gelu).
    Gelu,
    /// `out += x`: the residual.
    Accumulate,
}

/// Finishes `rows` rows of sums from row `first` on, in the columns of `panel`.
///
/// # Safety
/// `sums` holds the rows; the product's result can be written there.
#[inline(always)]
pub(crate) unsafe fn finish<T: Vectors>(product: &Product<'_>, panel: usize, first: usize, rows: usize, sums: &Sums) {
    let weights = product.weights;
    let from = panel * PANEL;
    let width = PANEL.min(weights.columns - from);
    let columns = |values: &[f32]| -> [f32; PANEL] { std::array::from_fn(|c| values[from + c]) };
    let (bias, scales) = (columns(&weights.bias), columns(&weights.scales));
    let offsets: [i32; PANEL] = std::array::from_fn(|c| weights.offsets[from + c]);
    for r in 0..rows {
        // SAFETY: the tile kernel has written `rows` rows, and every bit pattern is an i32 and an f32.
        let sums = unsafe { &(*sums.0.as_ptr())[r] };
        let mut values = [0.0; PANEL];
        if weights.element == Element::Int8 {
            let scale = product.input.scales[first + r];
            for c in 0..PANEL {
                values[c] = bias[c] + (sums[c] as i32 - offsets[c]) as f32 * (scale * scales[c]);
            }
        } else {
            for c in 0..PANEL {
                values[c] = bias[c] + f32::from_bits(sums[c]);
            }
        }
        if product.epilogue == Epilogue::Gelu {
            math::gelu_all::<T>(&mut values);
        }
        // SAFETY: the caller's promise; the part that owns this panel is the only one that writes these columns.
        let out = unsafe { product.out.slice((first + r) * weights.columns + from, width) };
        if product.epilogue == Epilogue::Accumulate {
            for (out, value) in out.iter_mut().zip(&values) {
                *out += value;
            }
        } else if width == PANEL {
            // By vectors: as one piece it would be a call of `memcpy`.
            for (out, values) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(values.as_chunks::<LANES>().0) {
                T::F32::load(values).store(out);
            }
        } else {
            out.copy_from_slice(&values[..width]);
        }
    }
}
