//! Sixteen f32 in two registers.

use crate::isa::portable::lanes::{LANES, Lanes, Real};
#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "the names of an instruction set; tests are spared the lint"))]
use std::arch::x86_64::*;

/// Two registers.
#[derive(Debug, Clone, Copy)]
pub struct Ymm([__m256; 2]);

// Every SAFETY note below: this type is used by the tiers of this folder alone, whose check asks for AVX2 and FMA.
impl Real for Ymm {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: AVX2, see above.
        Self([unsafe { _mm256_set1_ps(x) }; 2])
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        // SAFETY: AVX2, see above.
        Self(unsafe { [_mm256_add_ps(self.0[0], b.0[0]), _mm256_add_ps(self.0[1], b.0[1])] })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        // SAFETY: AVX2, see above.
        Self(unsafe { [_mm256_sub_ps(self.0[0], b.0[0]), _mm256_sub_ps(self.0[1], b.0[1])] })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        // SAFETY: AVX2, see above.
        Self(unsafe { [_mm256_mul_ps(self.0[0], b.0[0]), _mm256_mul_ps(self.0[1], b.0[1])] })
    }
    #[inline(always)]
    fn multiply_add(self, b: Self, c: Self) -> Self {
        // SAFETY: FMA, see above.
        Self(unsafe { [_mm256_fmadd_ps(self.0[0], b.0[0], c.0[0]), _mm256_fmadd_ps(self.0[1], b.0[1], c.0[1])] })
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        // SAFETY: AVX2, see above.
        Self(unsafe { [_mm256_min_ps(self.0[0], b.0[0]), _mm256_min_ps(self.0[1], b.0[1])] })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // SAFETY: AVX2, see above.
        Self(unsafe { [_mm256_max_ps(self.0[0], b.0[0]), _mm256_max_ps(self.0[1], b.0[1])] })
    }
    #[inline(always)]
    fn exponent(self, add: u32) -> Self {
        // SAFETY: AVX2, see above.
        unsafe {
            let add = _mm256_set1_epi32(add.cast_signed());
            let bits = [_mm256_add_epi32(_mm256_castps_si256(self.0[0]), add), _mm256_add_epi32(_mm256_castps_si256(self.0[1]), add)];
            Self([_mm256_castsi256_ps(_mm256_slli_epi32::<23>(bits[0])), _mm256_castsi256_ps(_mm256_slli_epi32::<23>(bits[1]))])
        }
    }
}

impl Lanes for Ymm {
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        // SAFETY: AVX2, see above; the array is the size of both registers.
        unsafe { Self([_mm256_loadu_ps(from.as_ptr()), _mm256_loadu_ps(from.as_ptr().add(8))]) }
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        // SAFETY: AVX2, see above; the array is the size of both registers.
        unsafe {
            _mm256_storeu_ps(to.as_mut_ptr(), self.0[0]);
            _mm256_storeu_ps(to.as_mut_ptr().add(8), self.0[1]);
        }
    }
}
