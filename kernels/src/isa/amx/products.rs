//! Block products on tiles: up to 32 rows of A times one panel of 64 columns of B, summed in the tiles over all of k.
//!
//! More than 16 rows run as two blocks of 2 x 2 tiles, one per 32 columns: four loads for four products. At most 16 rows run
//! as one block of 1 x 4 tiles. Loads and products alternate, so that a product runs while the operands of the next arrive.
//! Each block is one `asm!`, from zeroed sums to stored sums, so no tile value outlives it.

use crate::gemm::Block;
use crate::matrix::STEP;
use std::arch::asm;

/// Rows of A that one call takes at most.
pub const ROWS: usize = 32;
macro_rules! block_product {
    ($(#[$text:meta])* $name:ident, $square:ident, $wide:ident, $instruction:literal, $sum:ty) => {
        $(#[$text])*
        ///
        /// Rows of `sums` from `block.rows` up to the next multiple of 16 are overwritten with values that mean nothing; later rows
        /// stay as they are.
        ///
        /// # Safety
        /// - `missing` has returned `None`, and a `Configured` of this thread is alive.
        /// - `block.rows` is in `1..=32` and `block.steps` is a positive multiple of 16.
        /// - `block.a` can be read for `4 * block.steps` bytes in each of `block.rows` rounded up to a multiple of 16 rows,
        ///   `block.b` for `256 * block.steps` bytes.
        /// - `sums` can be written for that rounded number of rows of 64, and nothing else uses it during the call.
        pub unsafe fn $name(block: Block, sums: *mut $sum) {
            debug_assert!((1..=ROWS).contains(&block.rows), "rows: {}", block.rows);
            debug_assert!(block.steps > 0 && block.steps % 16 == 0, "steps: {}", block.steps);
            // SAFETY: the promise of the caller holds for every row and column of either form: the square form takes rows
            // 0..32 and columns `first..first + 32`, the wide form rows 0..16 and all columns.
            unsafe {
                if block.rows > 16 {
                    $square(block, sums, 0);
                    $square(block, sums, 32);
                } else {
                    $wide(block, sums);
                }
            }
        }

        /// Two by two tiles: 32 rows of A times the 32 columns of B from column `first`.
        ///
        /// # Safety
        /// As for the product that calls it, with 32 rows; `first` is 0 or 32.
        unsafe fn $square(block: Block, sums: *mut $sum, first: usize) {
            // SAFETY: by the promise of the caller the tiles are configured whole and every address lies in the operands: a load
            // of A takes 64 bytes of 16 rows, a load of B 64 bytes (16 columns) of 16 steps, and the loop ends with the last of
            // `steps / 16` such pieces. The stores fill 32 columns of 32 rows.
            unsafe {
                asm!(
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "2:",
                    "tileloadd tmm6, [{b} + {line}]",
                    "tileloadd tmm4, [{upper} + {stride}]",
                    "tileloadd tmm7, [{b} + {line} + 64]",
                    concat!($instruction, " tmm0, tmm4, tmm6"),
                    "tileloadd tmm5, [{lower} + {stride}]",
                    concat!($instruction, " tmm1, tmm4, tmm7"),
                    concat!($instruction, " tmm2, tmm5, tmm6"),
                    concat!($instruction, " tmm3, tmm5, tmm7"),
                    "add {upper}, 64",
                    "add {lower}, 64",
                    "add {b}, 4096",
                    "dec {left}",
                    "jnz 2b",
                    "tilestored [{sums} + {line}], tmm0",
                    "tilestored [{sums} + {line} + 64], tmm1",
                    "tilestored [{sums} + {line} + 4096], tmm2",
                    "tilestored [{sums} + {line} + 4096 + 64], tmm3",
                    upper = inout(reg) block.a => _,
                    lower = inout(reg) block.a.add(16 * block.stride) => _,
                    stride = in(reg) block.stride,
                    b = inout(reg) block.b.add(4 * first) => _,
                    line = in(reg) STEP,
                    left = inout(reg) block.steps / 16 => _,
                    sums = in(reg) sums.add(first),
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack)
                );
            }
        }

        /// One by four tiles: 16 rows of A times the 64 columns of B.
        ///
        /// # Safety
        /// As for the product that calls it, with 16 rows.
        unsafe fn $wide(block: Block, sums: *mut $sum) {
            // SAFETY: as above, with one load of A and four of B, which take all 64 columns, for each piece of 16 steps.
            unsafe {
                asm!(
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "2:",
                    "tileloadd tmm4, [{a} + {stride}]",
                    "tileloadd tmm5, [{b} + {line}]",
                    "tileloadd tmm6, [{b} + {line} + 64]",
                    concat!($instruction, " tmm0, tmm4, tmm5"),
                    "tileloadd tmm7, [{b} + {line} + 128]",
                    concat!($instruction, " tmm1, tmm4, tmm6"),
                    "tileloadd tmm5, [{b} + {line} + 192]",
                    concat!($instruction, " tmm2, tmm4, tmm7"),
                    concat!($instruction, " tmm3, tmm4, tmm5"),
                    "add {a}, 64",
                    "add {b}, 4096",
                    "dec {left}",
                    "jnz 2b",
                    "tilestored [{sums} + {line}], tmm0",
                    "tilestored [{sums} + {line} + 64], tmm1",
                    "tilestored [{sums} + {line} + 128], tmm2",
                    "tilestored [{sums} + {line} + 192], tmm3",
                    a = inout(reg) block.a => _,
                    stride = in(reg) block.stride,
                    b = inout(reg) block.b => _,
                    line = in(reg) STEP,
                    left = inout(reg) block.steps / 16 => _,
                    sums = in(reg) sums,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack)
                );
            }
        }
    };
}

block_product! {
    /// `sums[r][c] = Σ a[r][k] * b[k][c]` with A of `u8`, B of `i8` and sums of 32 bits that wrap: exact in any order.
    int8, int8_square, int8_wide, "tdpbusd", i32
}

block_product! {
    /// `sums[r][c] = Σ a[r][k] * b[k][c]` with A and B of `bf16`, summed in `f32` as `tdpbf16ps` does: in every 32 consecutive k
    /// the even and the odd products apart, then their sum onto `sums[r][c]`; subnormal values count as zero.
    bf16, bf16_square, bf16_wide, "tdpbf16ps", f32
}
