//! Products of two f32 matrices that change from call to call, as training has them: both sides are packed for the tile kernels
//! anew each time, either as stored or transposed. Products with weights that stay are in `gemm`.

use crate::gemm::{Epilogue, Product};
use crate::matrix::{Activations, Element, PANEL, PackedMatrix};
use crate::memory::{LINE, Shared};
use crate::table::Kernels;
use crate::team::Team;

/// Rows of the left side that one item of a team packs: whole cache lines of a transposed source.
const PACKED_ROWS: usize = 16;

/// A row-major f32 matrix, whole or as equal parts stacked on each other, or its transpose.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    /// The parts, each of as many whole rows.
    pub parts: &'a [&'a [f32]],
    /// Whether the transpose is meant.
    pub transposed: bool,
}

impl Matrix<'_> {
    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.len()).sum()
    }
}

/// `a * b`.
#[derive(Debug, Clone, Copy)]
pub struct MatMul<'a> {
    /// Left side, `[rows, depth]` once transposed.
    pub a: Matrix<'a>,
    /// Right side, `[depth, columns]` once transposed.
    pub b: Matrix<'a>,
    /// Rows of the result.
    pub rows: usize,
    /// Products in each sum.
    pub depth: usize,
    /// Columns of the result.
    pub columns: usize,
    /// What both sides are rounded to: bf16 or f32. Sums are in f32.
    pub element: Element,
    /// `[columns]`, or empty for none.
    pub bias: &'a [f32],
}

/// Memory for the packed sides, kept from call to call.
#[derive(Debug)]
pub struct MatMulScratch {
    a: Activations,
    b: PackedMatrix,
}

impl Default for MatMulScratch {
    fn default() -> Self {
        Self { a: Activations::default(), b: PackedMatrix::empty() }
    }
}

/// One side, to be written in the form of a tile kernel: `lines` of `depth` elements each, padded with zeros to `steps` groups of
/// four bytes.
#[derive(Debug)]
pub(crate) struct Side<'a> {
    parts: &'a [&'a [f32]],
    /// Rows of each part.
    rows_each: usize,
    /// Values of a stored row.
    width: usize,
    /// Whether a stored row is a line; else it is one place of depth in every line.
    pub by_line: bool,
    pub lines: usize,
    pub depth: usize,
    pub steps: usize,
    pub element: Element,
    pub data: Shared<u8>,
}

impl<'a> Side<'a> {
    fn new(matrix: Matrix<'a>, by_line: bool, lines: usize, depth: usize, element: Element, data: Shared<u8>) -> Self {
        let (rows, width) = if by_line { (lines, depth) } else { (depth, lines) };
        let steps = element.stride(depth) / 4;
        let rows_each = rows / matrix.parts.len().max(1);
        assert!(matrix.len() == rows * width, "matmul: a side has another size");
        assert!(matrix.parts.iter().all(|part| part.len() == rows_each * width), "matmul: the parts of a side differ in size");
        Self { parts: matrix.parts, rows_each, width, by_line, lines, depth, steps, element, data }
    }

    /// A stored row.
    #[inline(always)]
    pub fn row(&self, row: usize) -> &'a [f32] {
        &self.parts[row / self.rows_each][row % self.rows_each * self.width..][..self.width]
    }
}

impl Kernels {
    /// What products of training round their factors to in this tier: bf16 where that is faster than f32.
    #[must_use]
    pub fn training_element(&self) -> Element {
        if self.accelerates(Element::Bf16) { Element::Bf16 } else { Element::F32 }
    }

    /// `out = a * b + bias`, `[rows, columns]`, or `out += a * b + bias` with [`Epilogue::Accumulate`]. Both sides are rounded to the
    /// element; the sums are within `depth * 2^-22` of the sum of the products' magnitudes. A result does not depend on the team.
    ///
    /// # Panics
    /// When a length does not fit or the element is int8.
    pub fn matmul(&self, team: &mut Team, op: MatMul<'_>, scratch: &mut MatMulScratch, epilogue: Epilogue, out: &mut [f32]) {
        let MatMul { rows, depth, columns, element, bias, .. } = op;
        assert!(element != Element::Int8, "matmul: int8 has no packing of its own here");
        assert!(depth > 0 && out.len() == rows * columns, "matmul: the result has another size");
        assert!(bias.is_empty() || bias.len() == columns, "matmul: the bias has another length");
        if out.is_empty() {
            return;
        }
        scratch.a.reshape(rows, depth, element);
        scratch.b.reshape(depth, columns, element, bias);
        let a = Side::new(op.a, !op.a.transposed, rows, depth, element, Shared(scratch.a.data.as_mut_ptr()));
        let b = Side::new(op.b, op.b.transposed, columns, depth, element, Shared(scratch.b.data.as_mut_ptr()));
        let row_items = rows.div_ceil(PACKED_ROWS);
        let panels = columns.div_ceil(PANEL);
        team.run(row_items + panels, &|_, item| {
            // SAFETY: the processor has this tier; `reshape` has made room for every line of both sides, and an item has lines of
            // its own.
            unsafe {
                if let Some(panel) = item.checked_sub(row_items) {
                    (self.pack_panels)(&b, panel * PANEL..((panel + 1) * PANEL).min(columns));
                } else {
                    (self.pack_rows)(&a, item * PACKED_ROWS..((item + 1) * PACKED_ROWS).min(rows));
                }
            }
        });
        let product = Product { input: &scratch.a, weights: &scratch.b, epilogue, out: Shared(out.as_mut_ptr()) };
        // SAFETY: the processor has this tier; sizes are checked; parts hold different panels.
        team.run(panels, &|_, panel| unsafe { (self.product)(&product, panel..panel + 1) });
    }
}

const _: () = assert!(LINE == PACKED_ROWS * 4, "a block of packed rows is a cache line of f32");
