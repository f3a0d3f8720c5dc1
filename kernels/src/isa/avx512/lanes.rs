//! Sixteen f32 in one register.

use crate::isa::portable::lanes::{LANES, Lanes, Real};
#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "the names of an instruction set; tests are spared the lint"))]
use std::arch::x86_64::*;

/// One register.
#[derive(Debug, Clone, Copy)]
pub struct Zmm(__m512);

// Every SAFETY note below: this type is used by the tiers of this folder alone, whose check asks for AVX-512F.
impl Real for Zmm {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: AVX-512F, see above.
        Self(unsafe { _mm512_set1_ps(x) })
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        // SAFETY: AVX-512F, see above.
        Self(unsafe { _mm512_add_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        // SAFETY: AVX-512F, see above.
        Self(unsafe { _mm512_sub_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        // SAFETY: AVX-512F, see above.
        Self(unsafe { _mm512_mul_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn multiply_add(self, b: Self, c: Self) -> Self {
        // SAFETY: AVX-512F, see above.
        Self(unsafe { _mm512_fmadd_ps(self.0, b.0, c.0) })
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        // SAFETY: AVX-512F, see above.
        Self(unsafe { _mm512_min_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // SAFETY: AVX-512F, see above.
        Self(unsafe { _mm512_max_ps(self.0, b.0) })
    }
    #[inline(always)]
    fn exponent(self, add: u32) -> Self {
        // SAFETY: AVX-512F, see above.
        unsafe {
            let bits = _mm512_add_epi32(_mm512_castps_si512(self.0), _mm512_set1_epi32(add.cast_signed()));
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(bits)))
        }
    }
}

impl Lanes for Zmm {
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        // SAFETY: AVX-512F, see above; the array is the register's size.
        Self(unsafe { _mm512_loadu_ps(from.as_ptr()) })
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        // SAFETY: AVX-512F, see above; the array is the register's size.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }
}
