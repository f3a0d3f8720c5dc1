//! Every kernel of the three tiers against plain Rust: all row counts, several depths, random bytes and extremes. What the
//! processor lacks is printed, and fails the run when `HEARKEN_EXPECT_TIERS` names it.

use super::{Dotprod, I8mm, Neon, ROWS};
use crate::gemm::{Block, Tiles};
use crate::matrix::{PANEL, STEP};

/// Bytes between rows that no kernel may read.
const GAP: usize = 48;
const DEPTHS: [usize; 4] = [16, 32, 48, 192];

/// Bytes from a fixed sequence (Knuth's 64-bit linear congruential constants).
fn bytes(seed: u64, n: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..n).map(|_| next()).collect()
}

/// f32 in [-2, 2) made of bytes, as the bytes of bf16 or of f32.
fn floats(seed: u64, n: usize, bf16: bool) -> Vec<u8> {
    let value = |pair: &[u8]| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 16384.0;
    let values = bytes(seed, if bf16 { n } else { n / 2 });
    values
        .chunks_exact(2)
        .flat_map(|pair| if bf16 { value(pair).to_le_bytes()[2..].to_vec() } else { value(pair).to_le_bytes().to_vec() })
        .collect()
}

/// Runs a kernel on every row count, giving `check` the row's bytes, the column's bytes and the sum's bits.
fn each_block(
    kernel: unsafe fn(Block, *mut u32),
    fill: impl Fn(u64, usize) -> Vec<u8>,
    check: impl Fn(&[u8], &[u8], u32) -> Result<(), String>,
) {
    for steps in DEPTHS {
        let width = steps * 4;
        let (a, b) = (fill(steps as u64, ROWS * (width + GAP)), fill(steps as u64 + 9, steps * STEP));
        let column = |c: usize| -> Vec<u8> { b.chunks_exact(STEP).flat_map(|step| step[c * 4..c * 4 + 4].to_vec()).collect() };
        let columns: Vec<Vec<u8>> = (0..PANEL).map(column).collect();
        let mut known: [Option<Vec<u32>>; ROWS] = Default::default();
        for rows in 1..=ROWS {
            let mut sums = vec![0xdead_beef_u32; (ROWS + 1) * PANEL];
            // The rows end where the memory ends.
            let start = (ROWS - rows) * (width + GAP) + GAP;
            // SAFETY: the buffers have the sizes that the block states; the caller has checked the processor.
            unsafe { kernel(Block { a: a.as_ptr().add(start), stride: width + GAP, rows, b: b.as_ptr(), steps }, sums.as_mut_ptr()) };
            for (r, sums) in sums.chunks_exact(PANEL).enumerate() {
                if r < rows {
                    let known = known[ROWS - rows + r].get_or_insert_with(|| sums.to_vec());
                    assert_eq!(known, sums, "rows={rows} steps={steps}: row {r} depends on the other rows");
                }
                for (c, &sum) in sums.iter().enumerate() {
                    if r >= rows {
                        assert_eq!(sum, 0xdead_beef, "rows={rows} steps={steps}: wrote row {r}");
                        continue;
                    }
                    let row = &a[start + r * (width + GAP)..][..width];
                    check(row, &columns[c], sum).unwrap_or_else(|wrong| panic!("rows={rows} steps={steps} [{r}, {c}]: {wrong}"));
                }
            }
        }
    }
}

fn test_int8<T: Tiles>() {
    type Fill = Box<dyn Fn(u64, usize) -> Vec<u8>>;
    let extreme = |a: u8, b: u8| -> Fill { Box::new(move |seed, n| vec![if DEPTHS.contains(&(seed as usize)) { a } else { b }; n]) };
    let both = |seed, n| bytes(seed, n).iter().map(|x| [0, 255, 128, 127][usize::from(x % 4)]).collect();
    let fills: [Fill; 7] =
        [Box::new(bytes), extreme(255, 0x80), extreme(0, 0x80), extreme(255, 127), extreme(0, 127), extreme(127, 0x80), Box::new(both)];
    for fill in fills {
        // SAFETY: the caller of `test_int8` has checked the processor; the sums are bits of i32.
        each_block(
            |block, sums| unsafe { T::int8(block, sums.cast()) },
            fill,
            |a, b, sum| {
                let wanted: i32 = a.iter().zip(b).map(|(&a, &b)| i32::from(a) * i32::from(b.cast_signed())).sum();
                if sum.cast_signed() == wanted { Ok(()) } else { Err(format!("{} for {wanted}", sum.cast_signed())) }
            },
        );
    }
}

/// Whether a sum is within the promise of a product: depth * 2^-22 of the sum of magnitudes.
fn within(products: &[f64], sum: u32) -> Result<(), String> {
    let (wanted, magnitude): (f64, f64) = (products.iter().sum(), products.iter().map(|p| p.abs()).sum());
    let got = f64::from(f32::from_bits(sum));
    let allowed = magnitude * products.len() as f64 / f64::from(1 << 22);
    if (got - wanted).abs() <= allowed { Ok(()) } else { Err(format!("{got} for {wanted}")) }
}

fn test_floats<T: Tiles>() {
    // SAFETY: the caller of `test_floats` has checked the processor; the sums are bits of f32.
    each_block(
        |block, sums| unsafe { T::bf16(block, sums.cast()) },
        |seed, n| floats(seed, n, true),
        |a, b, sum| {
            let value = |pair: &[u8]| f64::from(f32::from_le_bytes([0, 0, pair[0], pair[1]]));
            let products: Vec<f64> = a.chunks_exact(2).zip(b.chunks_exact(2)).map(|(a, b)| value(a) * value(b)).collect();
            within(&products, sum)
        },
    );
    // SAFETY: as above.
    each_block(
        |block, sums| unsafe { T::f32(block, sums.cast()) },
        |seed, n| floats(seed, n, false),
        |a, b, sum| {
            let value = |four: &[u8]| f64::from(f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
            let products: Vec<f64> = a.chunks_exact(4).zip(b.chunks_exact(4)).map(|(a, b)| value(a) * value(b)).collect();
            within(&products, sum)
        },
    );
}

fn test<T: Tiles>(name: &str, present: bool) {
    if present {
        test_int8::<T>();
        test_floats::<T>();
    } else {
        println!("skipped {name}: this processor lacks it");
        let expected = std::env::var("HEARKEN_EXPECT_TIERS").unwrap_or_default();
        assert!(!expected.split(',').any(|tier| tier == name), "{name} was expected here");
    }
}

#[test]
fn neon() {
    test::<Neon>("neon", true);
}

#[test]
fn dotprod() {
    test::<Dotprod>("dotprod", std::arch::is_aarch64_feature_detected!("dotprod"));
}

#[test]
fn i8mm() {
    test::<I8mm>("i8mm", std::arch::is_aarch64_feature_detected!("i8mm") && std::arch::is_aarch64_feature_detected!("bf16"));
}
