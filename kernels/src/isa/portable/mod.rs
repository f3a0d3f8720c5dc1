//! Every operation once, in plain Rust shaped for auto-vectorisation: independent lanes, no branches in the inner loop.
//! Sums run over `LANES` partial sums, so a tier's result depends on the operation alone, never on the slice's alignment.

pub mod attention;
pub mod attention_backward;
pub mod lanes;
pub mod math;
pub mod pack;
pub mod rows;
pub mod tiles;
pub mod training;

pub use lanes::LANES;

/// The vectors that a tier computes with.
pub(crate) trait Vectors {
    /// Sixteen f32.
    type F32: lanes::Lanes;
}

/// Sum of partial sums, always in the same order.
#[inline(always)]
pub fn total(mut lanes: [f32; LANES]) -> f32 {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] += lanes[lane + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// Sum of `f(i)` for `i` in `0..n`, in `LANES` partial sums.
#[inline(always)]
pub fn sum(n: usize, f: impl Fn(usize) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let whole = n - n % LANES;
    let mut i = 0;
    while i < whole {
        for (lane, partial) in lanes.iter_mut().enumerate() {
            *partial += f(i + lane);
        }
        i += LANES;
    }
    for (lane, i) in (whole..n).enumerate() {
        lanes[lane] += f(i);
    }
    total(lanes)
}

/// Sum of `f(x)` over a row, in `LANES` partial sums.
#[inline(always)]
pub fn sum_of(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (chunks, tail) = row.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] += f(chunk[lane]);
        }
    }
    for (lane, x) in tail.iter().enumerate() {
        lanes[lane] += f(*x);
    }
    total(lanes)
}
