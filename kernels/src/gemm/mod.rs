//! Products of activations and packed weights: what a tile kernel computes, and the loop around it that every tier shares.
//!
//! Weights are the outer loop: a panel is read from memory once per batch and stays in the first or second cache while all rows
//! pass by. The sums of a block leave the tile kernel through a scratch of a few KiB and meet the epilogue while they are hot.

mod drive;
mod epilogue;

pub use epilogue::Epilogue;

pub(crate) use drive::drive;

use crate::isa::portable::Vectors;
use crate::matrix::{Activations, Element, PANEL, PackedMatrix};
use crate::memory::Shared;
use crate::table::Kernels;
use crate::team::Team;

/// Most rows of a block in any tier.
pub(crate) const MOST_ROWS: usize = 32;

/// Sums of a block, `[rows][PANEL]`, of i32 or of f32.
#[repr(C, align(64))]
pub(crate) struct Sums(pub std::mem::MaybeUninit<[[u32; PANEL]; MOST_ROWS]>);

/// One block of a product: some rows against one panel.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// First row of activations. Row `r` is `4 * steps` bytes at `a + r * stride`; memory behind the last row can be read up to the
    /// next multiple of 16 rows, whatever it holds.
    pub a: *const u8,
    /// Bytes from row to row.
    pub stride: usize,
    /// Rows, 1..=`Tiles::ROWS`.
    pub rows: usize,
    /// The panel, `[steps][PANEL][4 bytes]`, on a cache line.
    pub b: *const u8,
    /// Steps of four bytes, a multiple of 16.
    pub steps: usize,
}

/// The kernels that each tier writes by hand: `sums[r][c] = sum over s, i of a[r][4s + i] * b[s][c][i]`, `[rows][PANEL]`,
/// overwritten.
///
/// # Safety
/// For every function: the processor has what the tier's check asks for, the block describes memory that can be read, and `sums`
/// has room for `ROWS` rows.
pub(crate) trait Tiles: Vectors {
    /// Most rows of a block.
    const ROWS: usize;

    /// What must be alive on a thread while it calls the kernels.
    type Guard;

    /// Readies the calling thread for the kernels.
    unsafe fn enter() -> Self::Guard;

    /// uint8 activations, int8 weights, exact i32 sums.
    unsafe fn int8(block: Block, sums: *mut i32);

    /// bf16 both, sums in f32 in an order of the tier's own that depends on `steps` alone.
    unsafe fn bf16(block: Block, sums: *mut f32);

    /// f32 both, sums as above.
    unsafe fn f32(block: Block, sums: *mut f32);
}

/// A product whose sizes have been checked. A part of it is a range of panels.
#[derive(Debug)]
pub(crate) struct Product<'a> {
    pub input: &'a Activations,
    pub weights: &'a PackedMatrix,
    pub epilogue: Epilogue,
    /// `[rows, columns]`; each part writes the columns of its panels.
    pub out: Shared<f32>,
}

impl Kernels {
    /// `out = epilogue(input * weights + bias)`, `[rows, columns]`. Sums of int8 are exact; of bf16 and f32 they are in f32, and
    /// the result is within `depth * 2^-22` of the sum of the products' magnitudes. A row's result depends on that row alone.
    ///
    /// # Panics
    /// When `input` was not made for these weights or `out` has another length.
    pub fn product(&self, team: &mut Team, input: &Activations, weights: &PackedMatrix, epilogue: Epilogue, out: &mut [f32]) {
        assert_eq!(input.form, Some((weights.element, weights.range)), "product: the activations have another form");
        assert_eq!(input.depth, weights.depth, "product: the activations have another depth");
        assert_eq!(out.len(), input.rows * weights.columns, "product: the result has another length");
        let product = Product { input, weights, epilogue, out: Shared(out.as_mut_ptr()) };
        let panels = weights.panels();
        if team.members() == 1 {
            // SAFETY: the processor has this tier; the sizes are checked above; one part holds all columns.
            return unsafe { (self.product)(&product, 0..panels) };
        }
        // SAFETY: as above; parts hold different panels.
        team.run(panels, &|_, panel| unsafe { (self.product)(&product, panel..panel + 1) });
    }

    /// Whether products of this element are faster than those of f32 in this tier.
    #[must_use]
    pub fn accelerates(&self, element: Element) -> bool {
        self.accelerated.contains(&element)
    }
}
