//! int8 and bf16 by the matrix products of Armv8.6: two rows by two columns, each with eight bytes of depth, in one instruction.
//!
//! An operand is eight bytes of one row or column and eight of the next. Two steps of a panel become operands by interleaving
//! their words, two rows by interleaving their double words; an odd last row is paired with itself.

use super::{GROUP, REGISTER, by_rows, load_columns, load_row};
use crate::gemm::Block;
use crate::matrix::{PANEL, STEP};
use std::arch::aarch64::{
    int32x4_t, uint8x16_t, vdupq_n_s32, vreinterpretq_s32_u8, vreinterpretq_u8_s32, vreinterpretq_u8_u32, vreinterpretq_u8_u64,
    vreinterpretq_u32_u8, vreinterpretq_u64_u8, vst1q_s32, vzip1q_u32, vzip1q_u64, vzip2q_u32, vzip2q_u64,
};
use std::arch::asm;

/// See [`Tiles::int8`](crate::gemm::Tiles::int8), or [`Tiles::bf16`](crate::gemm::Tiles::bf16) with `BF16`, when the sums are the
/// bits of f32.
///
/// # Safety
/// As there; the processor has `i8mm` and `bf16`.
#[target_feature(enable = "neon,i8mm,bf16")]
pub(super) unsafe fn product<const BF16: bool>(block: Block, sums: *mut i32) {
    // SAFETY: the caller's promise.
    unsafe { by_rows!(block.rows.div_ceil(2), [1 x 8, 2 x 4, 3 x 2, 4 x 2], |P, Q| pairs::<P, Q, BF16>(block, sums)) }
}

/// Sums of a tile: for each pair of rows and four columns, two by the first two columns and two by the last.
type Squares<const P: usize, const Q: usize> = [[[int32x4_t; 2]; Q]; P];

/// # Safety
/// As [`product`]; the block has `P` pairs of rows, the last of which can lack its second, and `Q` divides the registers of a step.
#[target_feature(enable = "neon,i8mm,bf16")]
unsafe fn pairs<const P: usize, const Q: usize, const BF16: bool>(block: Block, sums: *mut i32) {
    let second = |p: usize| (2 * p + 1).min(block.rows - 1);
    for register in (0..STEP / REGISTER).step_by(Q) {
        let mut totals: Squares<P, Q> = [[[vdupq_n_s32(0); 2]; Q]; P];
        for group in 0..block.steps / GROUP {
            // SAFETY: the rows and the registers lie in the block.
            unsafe {
                let a: [_; P] = std::array::from_fn(|p| (load_row(block, 2 * p, group), load_row(block, second(p), group)));
                two_steps::<P, Q, BF16>(&mut totals, a.map(|(even, odd)| low(even, odd)), block, group * GROUP, register);
                two_steps::<P, Q, BF16>(&mut totals, a.map(|(even, odd)| high(even, odd)), block, group * GROUP + 2, register);
            }
        }
        for (p, pair) in totals.iter().enumerate() {
            for (q, squares) in pair.iter().enumerate() {
                let [left, right] = squares.map(|square| vreinterpretq_u8_s32(square));
                let column = (register + q) * 4;
                // SAFETY: there is room for the block's rows. The last pair's second row is its first where there is no other, so
                // the row is written twice with the same sums.
                unsafe {
                    vst1q_s32(sums.add(second(p) * PANEL + column), vreinterpretq_s32_u8(high(left, right)));
                    vst1q_s32(sums.add(2 * p * PANEL + column), vreinterpretq_s32_u8(low(left, right)));
                }
            }
        }
    }
}

/// Adds the products of two steps, of which `a` has the rows.
///
/// # Safety
/// As [`pairs`]; `step + 1` and `register` lie in the block.
#[inline]
#[target_feature(enable = "neon,i8mm,bf16")]
unsafe fn two_steps<const P: usize, const Q: usize, const BF16: bool>(
    totals: &mut Squares<P, Q>,
    a: [uint8x16_t; P],
    block: Block,
    step: usize,
    register: usize,
) {
    // SAFETY: the caller's promise.
    let (first, second): ([_; Q], [_; Q]) = unsafe { (load_columns(block, step, register), load_columns(block, step + 1, register)) };
    for q in 0..Q {
        let (first, second) = (vreinterpretq_u32_u8(first[q]), vreinterpretq_u32_u8(second[q]));
        let left = vreinterpretq_u8_u32(vzip1q_u32(first, second));
        let right = vreinterpretq_u8_u32(vzip2q_u32(first, second));
        for p in 0..P {
            let squares = &mut totals[p][q];
            *squares = [multiply::<BF16>(squares[0], a[p], left), multiply::<BF16>(squares[1], a[p], right)];
        }
    }
}

/// The first eight bytes of both.
#[inline]
#[target_feature(enable = "neon")]
fn low(first: uint8x16_t, second: uint8x16_t) -> uint8x16_t {
    vreinterpretq_u8_u64(vzip1q_u64(vreinterpretq_u64_u8(first), vreinterpretq_u64_u8(second)))
}

/// The last eight bytes of both.
#[inline]
#[target_feature(enable = "neon")]
fn high(first: uint8x16_t, second: uint8x16_t) -> uint8x16_t {
    vreinterpretq_u8_u64(vzip2q_u64(vreinterpretq_u64_u8(first), vreinterpretq_u64_u8(second)))
}

/// Adds the product of two rows and two columns: unsigned and signed bytes, or bf16, whose sums are the bits of f32.
#[inline]
#[target_feature(enable = "neon,i8mm,bf16")]
fn multiply<const BF16: bool>(mut square: int32x4_t, rows: uint8x16_t, columns: uint8x16_t) -> int32x4_t {
    // SAFETY: each instruction does what the operands say and nothing else, and the function asks for its feature. The control
    // register that `bfmmla` reads (for extended bf16) is not changed by anything here.
    unsafe {
        if BF16 {
            asm!(
                "bfmmla {square:v}.4s, {rows:v}.8h, {columns:v}.8h",
                square = inout(vreg) square, rows = in(vreg) rows, columns = in(vreg) columns,
                options(pure, nomem, nostack, preserves_flags),
            );
        } else {
            asm!(
                "usmmla {square:v}.4s, {rows:v}.16b, {columns:v}.16b",
                square = inout(vreg) square, rows = in(vreg) rows, columns = in(vreg) columns,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
    }
    square
}
