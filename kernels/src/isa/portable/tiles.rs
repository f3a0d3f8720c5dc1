//! Tile kernels in plain Rust: what the scalar tier runs, and what other tiers use where they have nothing better.

use super::Vectors;
use super::lanes::Array;
use crate::gemm::{Block, Tiles};
use crate::matrix::{PANEL, STEP};

/// The plain tile kernels.
pub struct Plain;

impl Vectors for Plain {
    type F32 = Array;
}

/// Rows times one step of four bytes: `body(sums of the row, activations of the step, panel of the step)`.
///
/// # Safety
/// As [`Tiles`].
#[inline(always)]
unsafe fn steps<S: Copy>(block: Block, sums: *mut S, zero: S, body: impl Fn(&mut [S; PANEL], [u8; 4], &[[u8; 4]; PANEL])) {
    for r in 0..block.rows {
        let mut row = [zero; PANEL];
        for s in 0..block.steps {
            // SAFETY: the caller's block: `steps` groups of four bytes in a row, and as many steps of a panel.
            let (a, b) = unsafe {
                (block.a.add(r * block.stride + 4 * s).cast::<[u8; 4]>().read(), &*block.b.add(s * STEP).cast::<[[u8; 4]; PANEL]>())
            };
            body(&mut row, a, b);
        }
        // SAFETY: the caller's `sums` has room for this row.
        unsafe { sums.add(r * PANEL).cast::<[S; PANEL]>().write(row) };
    }
}

#[inline(always)]
fn halves(group: [u8; 4]) -> [f32; 2] {
    let bits = u32::from_le_bytes(group);
    [f32::from_bits(bits << 16), f32::from_bits(bits & 0xffff_0000)]
}

impl Tiles for Plain {
    const ROWS: usize = 4;
    type Guard = ();

    #[inline(always)]
    unsafe fn enter() {}

    #[inline(always)]
    unsafe fn int8(block: Block, sums: *mut i32) {
        let body = |row: &mut [i32; PANEL], a: [u8; 4], b: &[[u8; 4]; PANEL]| {
            for (sum, b) in row.iter_mut().zip(b) {
                for i in 0..4 {
                    *sum += i32::from(a[i]) * i32::from(b[i].cast_signed());
                }
            }
        };
        // SAFETY: the caller's promise.
        unsafe { steps(block, sums, 0, body) }
    }

    #[inline(always)]
    unsafe fn bf16(block: Block, sums: *mut f32) {
        let body = |row: &mut [f32; PANEL], a: [u8; 4], b: &[[u8; 4]; PANEL]| {
            let a = halves(a);
            for (sum, b) in row.iter_mut().zip(b) {
                let b = halves(*b);
                *sum += a[0] * b[0];
                *sum += a[1] * b[1];
            }
        };
        // SAFETY: the caller's promise.
        unsafe { steps(block, sums, 0.0, body) }
    }

    #[inline(always)]
    unsafe fn f32(block: Block, sums: *mut f32) {
        let body = |row: &mut [f32; PANEL], a: [u8; 4], b: &[[u8; 4]; PANEL]| {
            let a = f32::from_le_bytes(a);
            for (sum, b) in row.iter_mut().zip(b) {
                *sum += a * f32::from_le_bytes(*b);
            }
        };
        // SAFETY: the caller's promise.
        unsafe { steps(block, sums, 0.0, body) }
    }
}
