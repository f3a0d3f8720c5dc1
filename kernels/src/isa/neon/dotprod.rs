//! int8 by the dot product of Armv8.2: each lane of a sum takes the product of four signed bytes with four.
//!
//! The activations are unsigned, so 128 is taken off them; what that takes off each sum, -128 times the sum of its column, is
//! computed as if it were one more row, and taken off again.

use super::{GROUP, REGISTER, by_rows, load_columns, load_row};
use crate::gemm::Block;
use crate::matrix::{PANEL, STEP};
use std::arch::aarch64::{int32x4_t, uint8x16_t, vdupq_n_s32, vdupq_n_u8, veorq_u8, vst1q_s32, vsubq_s32};
use std::arch::asm;

/// See [`Tiles::int8`](crate::gemm::Tiles::int8).
///
/// # Safety
/// As there; the processor has `dotprod`.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn int8(block: Block, sums: *mut i32) {
    // SAFETY: the caller's promise.
    unsafe {
        by_rows!(block.rows, [1 x 8, 2 x 8, 3 x 4, 4 x 4, 5 x 2, 6 x 2, 7 x 2, 8 x 2], |R, Q| rows::<R, Q>(block, sums));
    }
}

/// # Safety
/// As [`int8`]; the block has `R` rows, and `Q` divides the registers of a step.
#[target_feature(enable = "neon,dotprod")]
unsafe fn rows<const R: usize, const Q: usize>(block: Block, sums: *mut i32) {
    for register in (0..STEP / REGISTER).step_by(Q) {
        let mut totals = [[vdupq_n_s32(0); Q]; R];
        let mut excess = [vdupq_n_s32(0); Q];
        for group in 0..block.steps / GROUP {
            // SAFETY: the rows and the registers lie in the block.
            unsafe {
                let a = std::array::from_fn(|r| veorq_u8(load_row(block, r, group), vdupq_n_u8(0x80)));
                step::<R, Q, 0>(&mut totals, &mut excess, a, load_columns(block, group * GROUP, register));
                step::<R, Q, 1>(&mut totals, &mut excess, a, load_columns(block, group * GROUP + 1, register));
                step::<R, Q, 2>(&mut totals, &mut excess, a, load_columns(block, group * GROUP + 2, register));
                step::<R, Q, 3>(&mut totals, &mut excess, a, load_columns(block, group * GROUP + 3, register));
            }
        }
        for (r, row) in totals.iter().enumerate() {
            for (q, &sum) in row.iter().enumerate() {
                // SAFETY: there is room for the block's rows.
                unsafe { vst1q_s32(sums.add(r * PANEL + (register + q) * 4), vsubq_s32(sum, excess[q])) }
            }
        }
    }
}

/// Adds a step, lane `LANE` of each row, to the totals, and a row of -128 to the excess.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn step<const R: usize, const Q: usize, const LANE: i32>(
    totals: &mut [[int32x4_t; Q]; R],
    excess: &mut [int32x4_t; Q],
    a: [uint8x16_t; R],
    b: [uint8x16_t; Q],
) {
    for q in 0..Q {
        excess[q] = dot::<0>(excess[q], b[q], vdupq_n_u8(0x80));
        for r in 0..R {
            totals[r][q] = dot::<LANE>(totals[r][q], b[q], a[r]);
        }
    }
}

/// Adds to each lane the product of its four bytes of `b` and the four of lane `LANE` of `a`, all of them signed.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn dot<const LANE: i32>(mut sum: int32x4_t, b: uint8x16_t, a: uint8x16_t) -> int32x4_t {
    // SAFETY: the instruction does what the operands say and nothing else, and the function asks for its feature.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {b:v}.16b, {a:v}.4b[{lane}]",
            sum = inout(vreg) sum, b = in(vreg) b, a = in(vreg) a, lane = const LANE,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}
