//! Tile kernels of 64-bit ARM. [`Neon`] runs on every such processor; [`Dotprod`] asks for the dot products of Armv8.2
//! (`DotProd`), [`I8mm`] for the matrix products of Armv8.6 (`I8MM` and `BF16`).
//!
//! A kernel computes a tile of rows by registers of four columns, its sums held in registers over all steps, and goes over the
//! panel tile by tile. Fewer rows take more columns at once, so that enough independent sums are under way.
//! Dot and matrix products are written as assembly, because their intrinsics are not stable.

#![cfg(all(target_arch = "aarch64", target_endian = "little"))]

mod baseline;
mod dotprod;
mod i8mm;
mod lanes;
#[cfg(test)]
mod tests;

use super::portable::Vectors;
use crate::gemm::{Block, Tiles};
use crate::matrix::STEP;
use std::arch::aarch64::{uint8x16_t, vld1q_u8};

/// Bytes of a register: four columns of a step, or four steps of a row.
const REGISTER: usize = 16;
/// Steps in a register of a row.
const GROUP: usize = 4;
/// Most rows of a block.
const ROWS: usize = 8;

/// Any 64-bit ARM processor.
pub struct Neon;

/// Processors with `dotprod`.
pub struct Dotprod;

/// Processors with `i8mm` and `bf16`.
pub struct I8mm;

impl Vectors for Neon {
    type F32 = lanes::Quads;
}
impl Vectors for Dotprod {
    type F32 = lanes::Quads;
}
impl Vectors for I8mm {
    type F32 = lanes::Quads;
}

impl Tiles for Neon {
    const ROWS: usize = ROWS;
    type Guard = ();

    #[inline(always)]
    unsafe fn enter() {}

    #[target_feature(enable = "neon")]
    unsafe fn int8(block: Block, sums: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { baseline::int8(block, sums) }
    }

    #[target_feature(enable = "neon")]
    unsafe fn bf16(block: Block, sums: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { baseline::bf16(block, sums) }
    }

    #[target_feature(enable = "neon")]
    unsafe fn f32(block: Block, sums: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { baseline::f32(block, sums) }
    }
}

impl Tiles for Dotprod {
    const ROWS: usize = ROWS;
    type Guard = ();

    #[inline(always)]
    unsafe fn enter() {}

    #[target_feature(enable = "neon,dotprod")]
    unsafe fn int8(block: Block, sums: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { dotprod::int8(block, sums) }
    }

    #[target_feature(enable = "neon,dotprod")]
    unsafe fn bf16(block: Block, sums: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { baseline::bf16(block, sums) }
    }

    #[target_feature(enable = "neon,dotprod")]
    unsafe fn f32(block: Block, sums: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { baseline::f32(block, sums) }
    }
}

impl Tiles for I8mm {
    const ROWS: usize = ROWS;
    type Guard = ();

    #[inline(always)]
    unsafe fn enter() {}

    #[target_feature(enable = "neon,i8mm,bf16")]
    unsafe fn int8(block: Block, sums: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { i8mm::product::<false>(block, sums) }
    }

    #[target_feature(enable = "neon,i8mm,bf16")]
    unsafe fn bf16(block: Block, sums: *mut f32) {
        // SAFETY: the caller's promise; the sums are bits of f32.
        unsafe { i8mm::product::<true>(block, sums.cast()) }
    }

    #[target_feature(enable = "neon,i8mm,bf16")]
    unsafe fn f32(block: Block, sums: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { baseline::f32(block, sums) }
    }
}

/// Evaluates an expression in which `$R` and `$Q` are constants: the rows given, and the registers of columns that suit them.
macro_rules! by_rows {
    ($rows:expr, [$($count:literal x $registers:literal),*], |$R:ident, $Q:ident| $call:expr) => {
        match $rows {
            $($count => {
                const $R: usize = $count;
                const $Q: usize = $registers;
                $call
            })*
            rows => unreachable!("{rows} rows in a block"),
        }
    };
}
use by_rows;

/// Four steps of a row.
///
/// # Safety
/// `row` is a row in use, `group` less than a quarter of the steps.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load_row(block: Block, row: usize, group: usize) -> uint8x16_t {
    // SAFETY: a row is `steps * 4` bytes long.
    unsafe { vld1q_u8(block.a.add(row * block.stride + group * REGISTER)) }
}

/// A step of `Q` registers of columns, the first of them `register`.
///
/// # Safety
/// `step` is less than the steps; the registers lie in the panel.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load_columns<const Q: usize>(block: Block, step: usize, register: usize) -> [uint8x16_t; Q] {
    // SAFETY: a panel is `steps * STEP` bytes long, a step `STEP / REGISTER` registers.
    std::array::from_fn(|q| unsafe { vld1q_u8(block.b.add(step * STEP + (register + q) * REGISTER)) })
}
