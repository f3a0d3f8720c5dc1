//! Sixteen f32 in four registers.

use crate::isa::portable::lanes::{LANES, Lanes, Real};
use std::arch::aarch64::{
    float32x4_t, vaddq_f32, vaddq_u32, vbslq_f32, vcgtq_f32, vcltq_f32, vdupq_n_f32, vdupq_n_u32, vfmaq_f32, vld1q_f32, vmulq_f32,
    vreinterpretq_f32_u32, vreinterpretq_u32_f32, vshlq_n_u32, vst1q_f32, vsubq_f32,
};

/// Four registers.
#[derive(Debug, Clone, Copy)]
pub struct Quads([float32x4_t; 4]);

impl Quads {
    #[inline(always)]
    fn zip(self, b: Self, f: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], b.0[i])))
    }
}

// Every SAFETY note below: NEON is part of every processor that this module is compiled for.
impl Real for Quads {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: NEON, see above.
        Self([unsafe { vdupq_n_f32(x) }; 4])
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        // SAFETY: NEON, see above.
        self.zip(b, |a, b| unsafe { vaddq_f32(a, b) })
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        // SAFETY: NEON, see above.
        self.zip(b, |a, b| unsafe { vsubq_f32(a, b) })
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        // SAFETY: NEON, see above.
        self.zip(b, |a, b| unsafe { vmulq_f32(a, b) })
    }
    #[inline(always)]
    fn multiply_add(self, b: Self, c: Self) -> Self {
        // SAFETY: NEON, see above.
        Self(std::array::from_fn(|i| unsafe { vfmaq_f32(c.0[i], self.0[i], b.0[i]) }))
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        // SAFETY: NEON, see above. NEON's own minimum is not a number where either is not.
        self.zip(b, |a, b| unsafe { vbslq_f32(vcltq_f32(a, b), a, b) })
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        // SAFETY: NEON, see above; as the minimum.
        self.zip(b, |a, b| unsafe { vbslq_f32(vcgtq_f32(a, b), a, b) })
    }
    #[inline(always)]
    fn exponent(self, add: u32) -> Self {
        // SAFETY: NEON, see above.
        let shifted = |x| unsafe { vreinterpretq_f32_u32(vshlq_n_u32(vaddq_u32(vreinterpretq_u32_f32(x), vdupq_n_u32(add)), 23)) };
        Self(self.0.map(shifted))
    }
}

impl Lanes for Quads {
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        // SAFETY: NEON, see above; the array is the size of four registers.
        Self(std::array::from_fn(|i| unsafe { vld1q_f32(from.as_ptr().add(4 * i)) }))
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        for (i, &register) in self.0.iter().enumerate() {
            // SAFETY: NEON, see above; the array is the size of four registers.
            unsafe { vst1q_f32(to.as_mut_ptr().add(4 * i), register) }
        }
    }
}
