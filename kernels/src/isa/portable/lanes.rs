//! Sixteen f32 at a time. A compiler vectorises a flat loop well and a nest of them at its whim, so operations with a structure of
//! their own are written on this type; each instruction set brings one.

/// Lanes of a vector: one 512-bit register of f32, two of 256 bits, four of 128.
pub const LANES: usize = 16;

/// What elementary functions are made of: a number, or a vector of them.
pub trait Real: Copy {
    /// The same number everywhere.
    fn splat(x: f32) -> Self;
    /// `self + b`.
    fn add(self, b: Self) -> Self;
    /// `self - b`.
    fn sub(self, b: Self) -> Self;
    /// `self * b`.
    fn mul(self, b: Self) -> Self;
    /// `self * b + c`, fused where that is an instruction.
    fn multiply_add(self, b: Self, c: Self) -> Self;
    /// The lesser; `b` when either is not a number.
    fn min(self, b: Self) -> Self;
    /// The greater; `b` when either is not a number.
    fn max(self, b: Self) -> Self;
    /// Bits of each number plus `add`, shifted left by 23: makes an exponent of an integer in the low bits.
    fn exponent(self, add: u32) -> Self;
}

/// A vector of [`LANES`] numbers.
pub trait Lanes: Real {
    /// From memory.
    fn load(from: &[f32; LANES]) -> Self;
    /// To memory.
    fn store(self, to: &mut [f32; LANES]);
}

impl Real for f32 {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        x
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        self + b
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self - b
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        self * b
    }
    #[inline(always)]
    fn multiply_add(self, b: Self, c: Self) -> Self {
        self * b + c
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        if self < b { self } else { b }
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        if self > b { self } else { b }
    }
    #[inline(always)]
    fn exponent(self, add: u32) -> Self {
        Self::from_bits(self.to_bits().wrapping_add(add) << 23)
    }
}

/// Sixteen numbers in plain Rust.
#[derive(Debug, Clone, Copy)]
pub struct Array([f32; LANES]);

impl Array {
    #[inline(always)]
    fn zip(self, b: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|lane| f(self.0[lane], b.0[lane])))
    }
}

impl Real for Array {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; LANES])
    }
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        self.zip(b, Real::add)
    }
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self.zip(b, Real::sub)
    }
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        self.zip(b, Real::mul)
    }
    #[inline(always)]
    fn multiply_add(self, b: Self, c: Self) -> Self {
        self.mul(b).add(c)
    }
    #[inline(always)]
    fn min(self, b: Self) -> Self {
        self.zip(b, Real::min)
    }
    #[inline(always)]
    fn max(self, b: Self) -> Self {
        self.zip(b, Real::max)
    }
    #[inline(always)]
    fn exponent(self, add: u32) -> Self {
        Self(self.0.map(|x| x.exponent(add)))
    }
}

impl Lanes for Array {
    #[inline(always)]
    fn load(from: &[f32; LANES]) -> Self {
        Self(*from)
    }
    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }
}
