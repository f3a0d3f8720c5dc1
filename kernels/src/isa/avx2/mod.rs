//! Tile kernels on 256-bit vectors: up to four rows times 16 columns at a time, eight sums in registers. One skeleton serves
//! every element, because a step is four bytes in all of them.

mod lanes;

use super::portable::Vectors;
use crate::gemm::{Block, Tiles};
use crate::matrix::{PANEL, STEP};
#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "the names of an instruction set; tests are spared the lint"))]
use std::arch::x86_64::*;

/// AVX2 and FMA.
pub struct Avx2;
/// AVX2, FMA and AVX-VNNI.
pub struct AvxVnni;

impl Vectors for Avx2 {
    type F32 = lanes::Ymm;
}
impl Vectors for AvxVnni {
    type F32 = lanes::Ymm;
}

/// Columns whose sums are in registers at once.
const COLUMNS: usize = 16;
/// Rows of a block. 4 x 2 sums, 2 x 2 weights, 2 activations and 2 intermediate products are the 16 registers.
const ROWS: usize = 4;

/// A product over the four bytes of each of 8 columns; what depends on one operand alone is made once for several products.
///
/// # Safety
/// The processor has AVX2, FMA and what the step names.
trait Step {
    /// As they are, where the instruction takes them so.
    #[inline(always)]
    unsafe fn prepare_activations(a: __m256i) -> [__m256i; 2] {
        [a; 2]
    }

    #[inline(always)]
    unsafe fn prepare_weights(b: __m256i) -> [__m256i; 2] {
        [b; 2]
    }

    unsafe fn step(sum: __m256i, a: [__m256i; 2], b: [__m256i; 2]) -> __m256i;
}

/// Exact int8 without VNNI: bytes widened to 16 bits, the even and the odd ones apart, and multiplied in pairs. The 8-bit
/// multiply-add would be shorter and saturates.
struct WideInt8;
impl Step for WideInt8 {
    #[inline(always)]
    unsafe fn prepare_activations(a: __m256i) -> [__m256i; 2] {
        // SAFETY: AVX2 by the tier's check.
        unsafe { [_mm256_and_si256(a, _mm256_set1_epi16(0xff)), _mm256_srli_epi16::<8>(a)] }
    }

    #[inline(always)]
    unsafe fn prepare_weights(b: __m256i) -> [__m256i; 2] {
        // SAFETY: AVX2 by the tier's check.
        unsafe { [_mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(b)), _mm256_srai_epi16::<8>(b)] }
    }

    #[inline(always)]
    unsafe fn step(sum: __m256i, a: [__m256i; 2], b: [__m256i; 2]) -> __m256i {
        // SAFETY: AVX2 by the tier's check. A pair is at most 2 * 255 * 128, far below 2^31.
        unsafe { _mm256_add_epi32(_mm256_add_epi32(sum, _mm256_madd_epi16(a[0], b[0])), _mm256_madd_epi16(a[1], b[1])) }
    }
}

/// int8 by AVX-VNNI.
struct DotInt8;
impl Step for DotInt8 {
    #[inline(always)]
    unsafe fn step(sum: __m256i, a: [__m256i; 2], b: [__m256i; 2]) -> __m256i {
        // SAFETY: AVX-VNNI by the tier's check.
        unsafe { _mm256_dpbusd_avx_epi32(sum, a[0], b[0]) }
    }
}

/// bf16 widened to f32: a bf16 is the upper half of an f32.
struct WideBf16;
impl Step for WideBf16 {
    #[inline(always)]
    unsafe fn prepare_activations(a: __m256i) -> [__m256i; 2] {
        // SAFETY: AVX2 by the tier's check.
        unsafe { [_mm256_slli_epi32::<16>(a), _mm256_and_si256(a, _mm256_set1_epi32(0xffff_0000_u32.cast_signed()))] }
    }

    #[inline(always)]
    unsafe fn prepare_weights(b: __m256i) -> [__m256i; 2] {
        // SAFETY: AVX2 by the tier's check.
        unsafe { Self::prepare_activations(b) }
    }

    #[inline(always)]
    unsafe fn step(sum: __m256i, a: [__m256i; 2], b: [__m256i; 2]) -> __m256i {
        // SAFETY: FMA by the tier's check.
        unsafe {
            let sum = _mm256_fmadd_ps(_mm256_castsi256_ps(a[0]), _mm256_castsi256_ps(b[0]), _mm256_castsi256_ps(sum));
            _mm256_castps_si256(_mm256_fmadd_ps(_mm256_castsi256_ps(a[1]), _mm256_castsi256_ps(b[1]), sum))
        }
    }
}

struct Single;
impl Step for Single {
    #[inline(always)]
    unsafe fn step(sum: __m256i, a: [__m256i; 2], b: [__m256i; 2]) -> __m256i {
        // SAFETY: FMA by the tier's check.
        unsafe {
            let sum = _mm256_fmadd_ps(_mm256_castsi256_ps(a[0]), _mm256_castsi256_ps(b[0]), _mm256_castsi256_ps(sum));
            _mm256_castps_si256(sum)
        }
    }
}

/// `M` rows times `COLUMNS` columns.
///
/// # Safety
/// As [`Tiles`]; `b` is the first of the columns.
#[inline(always)]
unsafe fn columns<S: Step, const M: usize>(block: Block, b: *const u8, sums: *mut i32) {
    // SAFETY: the block's `M` rows and `steps` steps can be read, `sums` has room for them, and a panel lies on a cache line.
    unsafe {
        let mut acc = [[_mm256_setzero_si256(); 2]; M];
        for s in 0..block.steps {
            let b: *const __m256i = b.add(s * STEP).cast();
            let b = [S::prepare_weights(_mm256_load_si256(b)), S::prepare_weights(_mm256_load_si256(b.add(1)))];
            for (r, acc) in acc.iter_mut().enumerate() {
                let a = _mm256_set1_epi32(block.a.add(r * block.stride + 4 * s).cast::<i32>().read_unaligned());
                let a = S::prepare_activations(a);
                for (acc, b) in acc.iter_mut().zip(b) {
                    *acc = S::step(*acc, a, b);
                }
            }
        }
        for (r, acc) in acc.iter().enumerate() {
            for (j, acc) in acc.iter().enumerate() {
                _mm256_storeu_si256(sums.add(r * PANEL + 8 * j).cast(), *acc);
            }
        }
    }
}

/// # Safety
/// As [`Tiles`].
#[inline(always)]
unsafe fn block<S: Step>(block: Block, sums: *mut i32) {
    for from in (0..PANEL).step_by(COLUMNS) {
        // SAFETY: the caller's promise; the columns are some of the panel's.
        unsafe {
            let (b, sums) = (block.b.add(4 * from), sums.add(from));
            match block.rows {
                1 => columns::<S, 1>(block, b, sums),
                2 => columns::<S, 2>(block, b, sums),
                3 => columns::<S, 3>(block, b, sums),
                _ => columns::<S, ROWS>(block, b, sums),
            }
        }
    }
}

macro_rules! tiles {
    ($tiles:ty, $int8:ty) => {
        impl Tiles for $tiles {
            const ROWS: usize = ROWS;
            type Guard = ();

            #[inline(always)]
            unsafe fn enter() {}

            #[inline(always)]
            unsafe fn int8(of: Block, sums: *mut i32) {
                // SAFETY: the caller's promise.
                unsafe { block::<$int8>(of, sums) }
            }

            #[inline(always)]
            unsafe fn bf16(of: Block, sums: *mut f32) {
                // SAFETY: the caller's promise.
                unsafe { block::<WideBf16>(of, sums.cast()) }
            }

            #[inline(always)]
            unsafe fn f32(of: Block, sums: *mut f32) {
                // SAFETY: the caller's promise.
                unsafe { block::<Single>(of, sums.cast()) }
            }
        }
    };
}

tiles!(Avx2, WideInt8);
tiles!(AvxVnni, DotInt8);
