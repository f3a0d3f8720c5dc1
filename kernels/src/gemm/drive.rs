//! The loop over panels and rows that turns a tile kernel into a product.

use super::epilogue::finish;
use super::{Block, Product, Sums, Tiles};
use crate::matrix::{Element, STEP};
use std::mem::MaybeUninit;
use std::ops::Range;

/// Computes the columns of some panels.
///
/// # Safety
/// The processor has what `T` needs, the product's sizes are checked, and no other part has these panels.
#[inline(always)]
pub(crate) unsafe fn drive<T: Tiles>(product: &Product<'_>, panels: Range<usize>) {
    let (input, weights) = (product.input, product.weights);
    let steps = weights.steps();
    // SAFETY: the caller's promise.
    let _guard = unsafe { T::enter() };
    let mut sums = Sums(MaybeUninit::uninit());
    for panel in panels {
        // SAFETY: `panel` is one of the matrix, whose panels are `steps * STEP` bytes each.
        let b = unsafe { weights.data.as_ptr().add(panel * steps * STEP) };
        let mut first = 0;
        while first < input.rows {
            let rows = T::ROWS.min(input.rows - first);
            // SAFETY: `first` is a row in use, and `Activations` keeps `ROW_SLACK` more behind the last.
            let a = unsafe { input.data.as_ptr().add(first * input.stride) };
            let block = Block { a, stride: input.stride, rows, b, steps };
            let scratch = sums.0.as_mut_ptr();
            // SAFETY: the block lies in the two operands, the scratch has room for the most rows of any tier, and `finish` reads
            // the rows that were written.
            unsafe {
                match weights.element {
                    Element::Int8 => T::int8(block, scratch.cast()),
                    Element::Bf16 => T::bf16(block, scratch.cast()),
                    Element::F32 => T::f32(block, scratch.cast()),
                }
                finish::<T>(product, panel, first, rows, &sums);
            }
            first += rows;
        }
    }
}
