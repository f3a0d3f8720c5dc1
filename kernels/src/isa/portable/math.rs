//! Elementary functions, on one number or on a vector of them.

use super::Vectors;
use super::lanes::{LANES, Lanes, Real};

/// `e^x` for `x` in [-87, 88], clamped outside. Cody-Waite reduction to |r| <= ln 2 / 2 and the degree-6 polynomial of
/// Cephes' `expf`; within 2 ULP.
#[inline(always)]
pub fn exp<R: Real>(x: R) -> R {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to the nearest integer, which the low bits then hold
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    const P: [f32; 5] = [0.5, 1.666_666_6e-1, 4.166_579_6e-2, 8.333_452e-3, 1.398_199_9e-3];
    let x = x.max(R::splat(-87.0)).min(R::splat(88.0));
    let shifted = x.multiply_add(R::splat(std::f32::consts::LOG2_E), R::splat(ROUND));
    let n = shifted.sub(R::splat(ROUND));
    let r = n.multiply_add(R::splat(-LN2_LOW), n.multiply_add(R::splat(-LN2_HIGH), x));
    let mut p = R::splat(1.987_569_1e-4);
    for coefficient in P.into_iter().rev() {
        p = p.multiply_add(r, R::splat(coefficient));
    }
    let p = p.mul(r).multiply_add(r, r.add(R::splat(1.0)));
    // n is an integer in [-126, 127] and `shifted` is 1.5 * 2^23 + n, so its low byte plus 127 is a biased exponent in [1, 254].
    p.mul(shifted.exponent(127))
}

/// `tanh(x)`, absolute error at most 3e-7: `1 - 2 / (e^(2|x|) + 1)` beyond 0.25, where nothing cancels, and the odd Taylor
/// polynomial of degree 9 below.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let z = x.abs();
    let far = 1.0 - 2.0 / (exp(2.0 * z) + 1.0);
    let t = z * z;
    let near = z * ((((t * 62.0 / 2835.0 - 17.0 / 315.0) * t + 2.0 / 15.0) * t - 1.0 / 3.0) * t + 1.0);
    (if z < 0.25 { near } else { far }).copysign(x)
}

/// Phi(x), the normal distribution function, and `e^(-x^2 / 2)`. erf by Abramowitz and Stegun 7.1.26, error 1.5e-7.
#[inline(always)]
pub fn normal(x: f32) -> (f32, f32) {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let bell = exp(-z * z);
    let tail = ((((1.061_405_4 * t - 1.453_152) * t + 1.421_413_7) * t - 0.284_496_74) * t + 0.254_829_6) * t * bell;
    let half = 0.5 * tail;
    (if x < 0.0 { half } else { 1.0 - half }, bell)
}

/// GELU for results that are rounded to bf16 or int8 afterwards: `x * (1/2 + c P(c^2))` with `c` = `x` clamped to +-4.2 and `P`
/// of degree 8, fitted to the least greatest error of the result (Lawson's iteration). Absolute error at most 4e-5 within
/// +-4.2 and `1.1e-5 |x|` beyond.
#[inline(always)]
pub fn gelu<R: Real>(x: R) -> R {
    const P: [f32; 8] =
        [0.398_818_85, -0.066_189_595, 0.009_718_345, -0.001_078_949_3, 8.846_895e-5, -5.145_772_3e-6, 1.985_362_3e-7, -4.513_648_6e-9];
    let c = x.max(R::splat(-4.2)).min(R::splat(4.2));
    let t = c.mul(c);
    let mut p = R::splat(4.546_216_2e-11);
    for coefficient in P.into_iter().rev() {
        p = p.multiply_add(t, R::splat(coefficient));
    }
    x.mul(c.multiply_add(p, R::splat(0.5)))
}

/// f32 of the bits of a finite IEEE half: the mantissa and exponent shifted into place and the bias made good by a product, which
/// is exact for subnormals too.
#[inline(always)]
pub fn half(bits: u16) -> f32 {
    let bits = u32::from(bits);
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((254 - 15) << 23); // 2^112
    f32::from_bits(magnitude.to_bits() | (bits & 0x8000) << 16)
}

/// Replaces every value of `$x` by `$f(value)`, sixteen at a time. Not a function with a closure: a closure is compiled without
/// the features of the function that it is in, and would have to be inlined to get them.
macro_rules! map {
    ($lanes:ty, $x:expr, $value:ident => $f:expr) => {
        let (chunks, tail) = $x.as_chunks_mut::<LANES>();
        for chunk in chunks {
            let $value = <$lanes>::load(chunk);
            $f.store(chunk);
        }
        if !tail.is_empty() {
            let mut chunk = [0.0; LANES];
            chunk[..tail.len()].copy_from_slice(tail);
            let $value = <$lanes>::load(&chunk);
            $f.store(&mut chunk);
            tail.copy_from_slice(&chunk[..tail.len()]);
        }
    };
}

/// See [`Kernels::exp`](crate::Kernels::exp).
#[inline(always)]
pub fn exp_all<T: Vectors>(x: &mut [f32]) {
    map!(T::F32, x, x => exp(x));
}

/// See [`Kernels::tanh`](crate::Kernels::tanh).
#[inline(always)]
pub fn tanh_all(x: &mut [f32]) {
    for x in x {
        *x = tanh(*x);
    }
}

/// See [`Kernels::quick_gelu`](crate::Kernels::quick_gelu).
#[inline(always)]
pub fn gelu_all<T: Vectors>(x: &mut [f32]) {
    map!(T::F32, x, x => gelu(x));
}

/// See [`Kernels::softmax`](crate::Kernels::softmax).
#[inline(always)]
pub fn softmax<T: Vectors>(x: &mut [f32], width: usize) {
    assert!(x.is_empty() || width > 0 && x.len().is_multiple_of(width), "softmax: the width does not divide the length");
    for row in x.chunks_exact_mut(width.max(1)) {
        let largest = row.iter().fold(f32::NEG_INFINITY, |largest, x| largest.max(*x));
        map!(T::F32, row, x => exp(x.sub(Real::splat(largest))));
        let inverse = 1.0 / super::sum_of(row, |x| x);
        for x in row {
            *x *= inverse;
        }
    }
}
