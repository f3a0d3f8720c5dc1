//! Tile kernels on 512-bit vectors: up to six rows times a panel, 24 sums in registers, four weights and one broadcast of
//! activations. One skeleton serves every element, because a step is four bytes in all of them.

mod lanes;

pub use lanes::Zmm;

use super::portable::Vectors;
use crate::gemm::{Block, Tiles};
use crate::matrix::{PANEL, STEP};
#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "the names of an instruction set; tests are spared the lint"))]
use std::arch::x86_64::*;

/// AVX-512 with VNNI; bf16 widened to f32.
pub struct Avx512;
/// AVX-512 with VNNI and BF16.
pub struct Avx512Bf16;

impl Vectors for Avx512 {
    type F32 = lanes::Zmm;
}
impl Vectors for Avx512Bf16 {
    type F32 = lanes::Zmm;
}

/// Rows of a block. 6 x 4 sums, 4 weights and 1 broadcast are 29 of 32 registers.
const ROWS: usize = 6;

/// `sum + dot(a, b)` over the four bytes of each of 16 columns.
///
/// # Safety
/// The processor has AVX-512F and what the step names.
trait Step {
    unsafe fn step(sum: __m512i, a: __m512i, b: __m512i) -> __m512i;
}

struct Int8;
impl Step for Int8 {
    #[inline(always)]
    unsafe fn step(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: VNNI by the tier's check. u8 times s8 four times is at most 4 * 255 * 128 and adds without saturation.
        unsafe { _mm512_dpbusd_epi32(sum, a, b) }
    }
}

/// bf16 widened to f32: a bf16 is the upper half of an f32.
struct WideBf16;
impl Step for WideBf16 {
    #[inline(always)]
    unsafe fn step(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: AVX-512F by the tier's check.
        unsafe {
            let mask = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
            let (low_a, low_b) = (_mm512_slli_epi32::<16>(a), _mm512_slli_epi32::<16>(b));
            let sum = _mm512_fmadd_ps(_mm512_castsi512_ps(low_a), _mm512_castsi512_ps(low_b), _mm512_castsi512_ps(sum));
            let (high_a, high_b) = (_mm512_and_si512(a, mask), _mm512_and_si512(b, mask));
            _mm512_castps_si512(_mm512_fmadd_ps(_mm512_castsi512_ps(high_a), _mm512_castsi512_ps(high_b), sum))
        }
    }
}

struct DotBf16;
impl Step for DotBf16 {
    #[inline(always)]
    unsafe fn step(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: AVX512_BF16 by the tier's check; every type is 64 bytes of plain data.
        unsafe {
            let (a, b) = (std::mem::transmute::<__m512i, __m512bh>(a), std::mem::transmute::<__m512i, __m512bh>(b));
            _mm512_castps_si512(_mm512_dpbf16_ps(_mm512_castsi512_ps(sum), a, b))
        }
    }
}

struct Single;
impl Step for Single {
    #[inline(always)]
    unsafe fn step(sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        // SAFETY: AVX-512F by the tier's check.
        unsafe { _mm512_castps_si512(_mm512_fmadd_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), _mm512_castsi512_ps(sum))) }
    }
}

/// `M` rows times a panel.
///
/// # Safety
/// As [`Tiles`].
#[inline(always)]
unsafe fn rows<S: Step, const M: usize>(block: Block, sums: *mut i32) {
    // SAFETY: the block's `M` rows and `steps` steps can be read, `sums` has room for them, and a panel lies on a cache line.
    unsafe {
        let mut acc = [[_mm512_setzero_si512(); 4]; M];
        for s in 0..block.steps {
            let b: *const __m512i = block.b.add(s * STEP).cast();
            let b = [_mm512_load_si512(b), _mm512_load_si512(b.add(1)), _mm512_load_si512(b.add(2)), _mm512_load_si512(b.add(3))];
            for (r, acc) in acc.iter_mut().enumerate() {
                let a = _mm512_set1_epi32(block.a.add(r * block.stride + 4 * s).cast::<i32>().read_unaligned());
                for (acc, b) in acc.iter_mut().zip(b) {
                    *acc = S::step(*acc, a, b);
                }
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (j, acc) in acc.iter().enumerate() {
                _mm512_storeu_si512(sums.add(r * PANEL + 16 * j).cast(), *acc);
            }
        }
    }
}

/// # Safety
/// As [`Tiles`].
#[inline(always)]
unsafe fn block<S: Step>(block: Block, sums: *mut i32) {
    // SAFETY: the caller's promise.
    unsafe {
        match block.rows {
            1 => rows::<S, 1>(block, sums),
            2 => rows::<S, 2>(block, sums),
            3 => rows::<S, 3>(block, sums),
            4 => rows::<S, 4>(block, sums),
            5 => rows::<S, 5>(block, sums),
            _ => rows::<S, ROWS>(block, sums),
        }
    }
}

/// f32 products, for tiers that have nothing better.
///
/// # Safety
/// As [`Tiles::f32`].
#[inline(always)]
pub unsafe fn single(of: Block, sums: *mut f32) {
    for first in (0..of.rows).step_by(ROWS) {
        let rows = ROWS.min(of.rows - first);
        // SAFETY: the caller's promise; these rows are some of the block's.
        unsafe { block::<Single>(Block { a: of.a.add(first * of.stride), rows, ..of }, sums.add(first * PANEL).cast()) };
    }
}

macro_rules! tiles {
    ($tiles:ty, $bf16:ty) => {
        impl Tiles for $tiles {
            const ROWS: usize = ROWS;
            type Guard = ();

            #[inline(always)]
            unsafe fn enter() {}

            #[inline(always)]
            unsafe fn int8(of: Block, sums: *mut i32) {
                // SAFETY: the caller's promise.
                unsafe { block::<Int8>(of, sums) }
            }

            #[inline(always)]
            unsafe fn bf16(of: Block, sums: *mut f32) {
                // SAFETY: the caller's promise.
                unsafe { block::<$bf16>(of, sums.cast()) }
            }

            #[inline(always)]
            unsafe fn f32(of: Block, sums: *mut f32) {
                // SAFETY: the caller's promise.
                unsafe { block::<Single>(of, sums.cast()) }
            }
        }
    };
}

tiles!(Avx512, WideBf16);
tiles!(Avx512Bf16, DotBf16);
