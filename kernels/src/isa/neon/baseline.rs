//! The kernels that every 64-bit ARM processor can run: int8 by widening multiplication, floats by fused multiply-add.
//!
//! There is no product of unsigned and signed bytes, so 128 is taken off the activations, and 128 times the sum of each column
//! is added in the end. A product of two signed bytes fits an i16 and the sum of two need not (-128 * -128 * 2), so each is
//! added in pairs to an i32 at once.

use super::{GROUP, REGISTER, by_rows, load_columns, load_row};
use crate::gemm::Block;
use crate::matrix::{PANEL, STEP};
use std::arch::aarch64::{
    float32x4_t, int16x8_t, int32x4_t, uint8x16_t, vaddq_s32, vandq_u32, vdupq_laneq_s32, vdupq_n_f32, vdupq_n_s16, vdupq_n_s32,
    vdupq_n_u8, vdupq_n_u32, veorq_u8, vfmaq_laneq_f32, vget_low_s8, vmull_high_s8, vmull_s8, vpadalq_s8, vpadalq_s16, vpaddq_s32,
    vreinterpretq_f32_u8, vreinterpretq_f32_u32, vreinterpretq_s8_s32, vreinterpretq_s8_u8, vreinterpretq_s32_u8, vreinterpretq_u32_u8,
    vshlq_n_s32, vshlq_n_u32, vst1q_f32, vst1q_s32,
};

/// Rows of a tile of int8, whose sums take two registers for four columns, or of bf16, whose rows take two registers each.
const PART: usize = 4;
/// Steps over which sums of pairs of weights fit an i16.
const COLUMN_STEPS: usize = 16;

/// The block in parts of at most `PART` rows, each with its first row.
fn parts(block: Block) -> impl Iterator<Item = (Block, usize)> {
    (0..block.rows).step_by(PART).map(move |first| {
        // A row of the block, so the address lies in its memory.
        let a = block.a.wrapping_add(first * block.stride);
        (Block { a, rows: PART.min(block.rows - first), ..block }, first)
    })
}

/// See [`Tiles::int8`](crate::gemm::Tiles::int8).
///
/// # Safety
/// As there.
#[target_feature(enable = "neon")]
pub(super) unsafe fn int8(block: Block, sums: *mut i32) {
    for (part, first) in parts(block) {
        // SAFETY: the part lies in the block, which the caller vouches for.
        unsafe { by_rows!(part.rows, [1 x 4, 2 x 4, 3 x 2, 4 x 2], |R, Q| int8_rows::<R, Q>(part, sums.add(first * PANEL))) }
    }
}

/// Sums of a tile: in each pair of registers four columns, for each column the two halves of its sum.
type Halves<const R: usize, const Q: usize> = [[[int32x4_t; 2]; Q]; R];

/// # Safety
/// As [`int8`]; the block has `R` rows, and `Q` divides the registers of a step.
#[target_feature(enable = "neon")]
unsafe fn int8_rows<const R: usize, const Q: usize>(block: Block, sums: *mut i32) {
    for register in (0..STEP / REGISTER).step_by(Q) {
        let mut totals: Halves<R, Q> = [[[vdupq_n_s32(0); 2]; Q]; R];
        let mut columns = [vdupq_n_s32(0); Q];
        for chunk in (0..block.steps).step_by(COLUMN_STEPS) {
            let mut pairs = [vdupq_n_s16(0); Q];
            for group in chunk / GROUP..(chunk + COLUMN_STEPS) / GROUP {
                // SAFETY: the rows and the registers lie in the block.
                unsafe {
                    let a = std::array::from_fn(|r| vreinterpretq_s32_u8(veorq_u8(load_row(block, r, group), vdupq_n_u8(0x80))));
                    int8_step::<R, Q, 0>(&mut totals, &mut pairs, a, load_columns(block, group * GROUP, register));
                    int8_step::<R, Q, 1>(&mut totals, &mut pairs, a, load_columns(block, group * GROUP + 1, register));
                    int8_step::<R, Q, 2>(&mut totals, &mut pairs, a, load_columns(block, group * GROUP + 2, register));
                    int8_step::<R, Q, 3>(&mut totals, &mut pairs, a, load_columns(block, group * GROUP + 3, register));
                }
            }
            for q in 0..Q {
                columns[q] = vpadalq_s16(columns[q], pairs[q]);
            }
        }
        for (r, row) in totals.iter().enumerate() {
            for (q, &[low, high]) in row.iter().enumerate() {
                let sum = vaddq_s32(vpaddq_s32(low, high), vshlq_n_s32(columns[q], 7));
                // SAFETY: there is room for the block's rows.
                unsafe { vst1q_s32(sums.add(r * PANEL + (register + q) * 4), sum) }
            }
        }
    }
}

/// Adds a step, lane `LANE` of each row, to the totals, and its weights to the sums of pairs.
#[inline]
#[target_feature(enable = "neon")]
fn int8_step<const R: usize, const Q: usize, const LANE: i32>(
    totals: &mut Halves<R, Q>,
    pairs: &mut [int16x8_t; Q],
    a: [int32x4_t; R],
    b: [uint8x16_t; Q],
) {
    for q in 0..Q {
        pairs[q] = vpadalq_s8(pairs[q], vreinterpretq_s8_u8(b[q]));
    }
    for r in 0..R {
        let a = vreinterpretq_s8_s32(vdupq_laneq_s32::<LANE>(a[r]));
        for q in 0..Q {
            let b = vreinterpretq_s8_u8(b[q]);
            let [low, high] = &mut totals[r][q];
            *low = vpadalq_s16(*low, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
            *high = vpadalq_s16(*high, vmull_high_s8(a, b));
        }
    }
}

/// See [`Tiles::f32`](crate::gemm::Tiles::f32).
///
/// # Safety
/// As there.
#[target_feature(enable = "neon")]
pub(super) unsafe fn f32(block: Block, sums: *mut f32) {
    // SAFETY: the caller's promise.
    unsafe {
        by_rows!(block.rows, [1 x 8, 2 x 8, 3 x 4, 4 x 4, 5 x 2, 6 x 2, 7 x 2, 8 x 2], |R, Q| float_rows::<R, Q, false>(block, sums));
    }
}

/// See [`Tiles::bf16`](crate::gemm::Tiles::bf16).
///
/// # Safety
/// As there.
#[target_feature(enable = "neon")]
pub(super) unsafe fn bf16(block: Block, sums: *mut f32) {
    for (part, first) in parts(block) {
        // SAFETY: the part lies in the block, which the caller vouches for.
        unsafe { by_rows!(part.rows, [1 x 8, 2 x 4, 3 x 4, 4 x 4], |R, Q| float_rows::<R, Q, true>(part, sums.add(first * PANEL))) }
    }
}

/// # Safety
/// As [`f32`] or [`bf16`]; the block has `R` rows, and `Q` divides the registers of a step.
#[target_feature(enable = "neon")]
unsafe fn float_rows<const R: usize, const Q: usize, const BF16: bool>(block: Block, sums: *mut f32) {
    for register in (0..STEP / REGISTER).step_by(Q) {
        let mut totals = [[vdupq_n_f32(0.0); Q]; R];
        for group in 0..block.steps / GROUP {
            // SAFETY: the rows and the registers lie in the block.
            unsafe {
                let a = std::array::from_fn(|r| load_row(block, r, group));
                float_step::<R, Q, BF16, 0>(&mut totals, a, load_columns(block, group * GROUP, register));
                float_step::<R, Q, BF16, 1>(&mut totals, a, load_columns(block, group * GROUP + 1, register));
                float_step::<R, Q, BF16, 2>(&mut totals, a, load_columns(block, group * GROUP + 2, register));
                float_step::<R, Q, BF16, 3>(&mut totals, a, load_columns(block, group * GROUP + 3, register));
            }
        }
        for (r, row) in totals.iter().enumerate() {
            for (q, &sum) in row.iter().enumerate() {
                // SAFETY: there is room for the block's rows.
                unsafe { vst1q_f32(sums.add(r * PANEL + (register + q) * 4), sum) }
            }
        }
    }
}

/// Adds a step, lane `LANE` of each row, to the totals.
#[inline]
#[target_feature(enable = "neon")]
fn float_step<const R: usize, const Q: usize, const BF16: bool, const LANE: i32>(
    totals: &mut [[float32x4_t; Q]; R],
    a: [uint8x16_t; R],
    b: [uint8x16_t; Q],
) {
    if BF16 {
        multiply_add::<R, Q, LANE>(totals, a.map(|a| lower(a)), b.map(|b| lower(b)));
        multiply_add::<R, Q, LANE>(totals, a.map(|a| upper(a)), b.map(|b| upper(b)));
    } else {
        multiply_add::<R, Q, LANE>(totals, a.map(|a| vreinterpretq_f32_u8(a)), b.map(|b| vreinterpretq_f32_u8(b)));
    }
}

/// Adds the products of one value of each row, lane `LANE`, and one of each column.
#[inline]
#[target_feature(enable = "neon")]
fn multiply_add<const R: usize, const Q: usize, const LANE: i32>(
    totals: &mut [[float32x4_t; Q]; R],
    a: [float32x4_t; R],
    b: [float32x4_t; Q],
) {
    for r in 0..R {
        for q in 0..Q {
            totals[r][q] = vfmaq_laneq_f32::<LANE>(totals[r][q], b[q], a[r]);
        }
    }
}

/// The first bf16 of each four bytes.
#[inline]
#[target_feature(enable = "neon")]
fn lower(bytes: uint8x16_t) -> float32x4_t {
    vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_u8(bytes), 16))
}

/// The second bf16 of each four bytes: a bf16 is the upper half of an f32.
#[inline]
#[target_feature(enable = "neon")]
fn upper(bytes: uint8x16_t) -> float32x4_t {
    vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_u8(bytes), vdupq_n_u32(0xffff_0000)))
}
