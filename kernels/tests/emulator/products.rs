//! Products of tiles, each against what the manual says of one row.

use super::machine::{Random, WHOLE, configure, load_rows, random_shapes, release, stored};
use super::prepare;
use core::arch::asm;

/// One of the five products: the instruction on tiles D, A and B.
pub trait Instruction {
    fn run<const D: usize, const A: usize, const B: usize>();
    /// What one row of sums becomes: `left` is the row of A, `right` all of B in rows of `row.len()` elements.
    fn row(row: &mut [[u8; 4]], left: &[[u8; 4]], right: &[[u8; 4]]);
    /// Random bytes that suit the elements.
    fn fill(random: &mut Random, n: usize) -> Vec<u8> {
        random.bytes(n)
    }
    fn same(a: &[u8], b: &[u8]) -> bool {
        a == b
    }
}

macro_rules! integer_product {
    ($name:ident, $text:literal, $left:ty, $right:ty) => {
        pub struct $name;
        impl Instruction for $name {
            fn run<const D: usize, const A: usize, const B: usize>() {
                // SAFETY: touches tiles only.
                unsafe { asm!(concat!($text, " tmm{d}, tmm{a}, tmm{b}"), d = const D, a = const A, b = const B) };
            }

            fn row(row: &mut [[u8; 4]], left: &[[u8; 4]], right: &[[u8; 4]]) {
                let columns = row.len();
                for (n, sum) in row.iter_mut().enumerate() {
                    let mut exact = i64::from(i32::from_le_bytes(*sum));
                    for (k, group) in left.iter().enumerate() {
                        for (i, &a) in group.iter().enumerate() {
                            exact += i64::from(a as $left) * i64::from(right[k * columns + n][i] as $right);
                        }
                    }
                    *sum = (exact as i32).to_le_bytes();
                }
            }
        }
    };
}

integer_product!(SignedSigned, "tdpbssd", i8, i8);
integer_product!(SignedUnsigned, "tdpbsud", i8, u8);
integer_product!(UnsignedSigned, "tdpbusd", u8, i8);
integer_product!(UnsignedUnsigned, "tdpbuud", u8, u8);

pub struct Bf16;

/// Fused multiply-add and addition as the processor does them with subnormal inputs and results as zero. Both run the same
/// instruction: `x + y` is `x * 1 + y`.
fn fused(a: f32, b: f32, mut sum: f32) -> f32 {
    const FLUSHING: u32 = 0x9FC0; // flush to zero, subnormals are zero, all exceptions masked, to nearest even
    let (flushing, mut before) = (FLUSHING, 0u32);
    // SAFETY: the caller has found `fma`; MXCSR is put back.
    unsafe {
        asm!("stmxcsr [{before}]", "ldmxcsr [{flushing}]", "vfmadd231ss {sum}, {a}, {b}", "ldmxcsr [{before}]",
            before = in(reg) &raw mut before, flushing = in(reg) &raw const flushing, sum = inout(xmm_reg) sum,
            a = in(xmm_reg) a, b = in(xmm_reg) b);
    }
    sum
}

impl Instruction for Bf16 {
    fn run<const D: usize, const A: usize, const B: usize>() {
        // SAFETY: touches tiles only.
        unsafe { asm!("tdpbf16ps tmm{d}, tmm{a}, tmm{b}", d = const D, a = const A, b = const B) };
    }

    fn row(row: &mut [[u8; 4]], left: &[[u8; 4]], right: &[[u8; 4]]) {
        assert!(std::arch::is_x86_feature_detected!("fma"), "the model needs fma");
        let pair = |group: [u8; 4]| [[group[0], group[1]], [group[2], group[3]]].map(|[low, high]| f32::from_le_bytes([0, 0, low, high]));
        let columns = row.len();
        for (n, sum) in row.iter_mut().enumerate() {
            let [mut even, mut odd] = [0.0, 0.0];
            for (k, &group) in left.iter().enumerate() {
                let (a, b) = (pair(group), pair(right[k * columns + n]));
                even = fused(a[0], b[0], even);
                odd = fused(a[1], b[1], odd);
            }
            *sum = fused(f32::from_le_bytes(*sum), 1.0, fused(even, 1.0, odd)).to_le_bytes();
        }
    }

    /// Numbers of like size; numbers whose products are near or below the least normal value; or any bits.
    fn fill(random: &mut Random, n: usize) -> Vec<u8> {
        let (least, span) = [(118, 16), (50, 28), (0, 8), (0, 256)][random.below(4)];
        let number = |random: &mut Random| ((random.next() & 0x807F) | ((least + random.next() % span) << 7)) as u16;
        (0..n.div_ceil(2)).flat_map(|_| number(random).to_le_bytes()).take(n).collect()
    }

    fn same(a: &[u8], b: &[u8]) -> bool {
        let values = |bytes: &[u8]| -> Vec<u32> {
            let values = bytes.as_chunks().0.iter().map(|&element| f32::from_le_bytes(element));
            values.map(|value| if value.is_nan() { u32::MAX } else { value.to_bits() }).collect()
        };
        values(a) == values(b)
    }
}

/// Random shapes that fit one another, or whole tiles; all three operands afterwards, and twice in a row.
pub fn multiplies<I: Instruction, const D: usize, const A: usize, const B: usize>(random: &mut Random) {
    let sizes = if random.below(8) == 0 { [16; 3] } else { core::array::from_fn(|_| 1 + random.below(16)) };
    let [rows, groups, columns] = sizes;
    let mut shapes = random_shapes(random);
    (shapes[D], shapes[A], shapes[B]) = ((rows, 4 * columns), (rows, 4 * groups), (groups, 4 * columns));
    configure(&shapes);
    let [mut sums, left, right] = [D, A, B].map(|tile| I::fill(random, shapes[tile].0 * shapes[tile].1));
    load_rows::<A>(shapes[A], &left);
    load_rows::<D>(shapes[D], &sums);
    load_rows::<B>(shapes[B], &right);
    for _ in 0..2 {
        I::run::<D, A, B>();
        for (row, left) in sums.as_chunks_mut().0.chunks_mut(columns).zip(left.as_chunks().0.chunks(groups)) {
            I::row(row, left, right.as_chunks().0);
        }
        let got = stored::<D>(shapes[D]);
        assert!(I::same(&got, &sums), "tmm{D}, tmm{A}, tmm{B}; {rows} x {groups} x {columns}:\n{got:?}\n{sums:?}");
        assert_eq!((stored::<A>(shapes[A]), stored::<B>(shapes[B])), (left.clone(), right.clone()), "operands stay as they are");
        load_rows::<D>(shapes[D], &sums);
    }
}

/// Every tile in every part, in eight of the orders of tiles.
fn product_cases<I: Instruction>(seed: u64, repetitions: usize) {
    prepare();
    let mut random = Random(seed);
    for _ in 0..repetitions {
        multiplies::<I, 0, 4, 6>(&mut random);
        multiplies::<I, 1, 0, 7>(&mut random);
        multiplies::<I, 2, 1, 0>(&mut random);
        multiplies::<I, 3, 5, 1>(&mut random);
        multiplies::<I, 4, 7, 2>(&mut random);
        multiplies::<I, 5, 6, 3>(&mut random);
        multiplies::<I, 6, 2, 5>(&mut random);
        multiplies::<I, 7, 3, 4>(&mut random);
    }
    release();
}

#[test]
fn tdpbssd() {
    product_cases::<SignedSigned>(11, 250);
}

#[test]
fn tdpbsud() {
    product_cases::<SignedUnsigned>(12, 250);
}

#[test]
fn tdpbusd() {
    product_cases::<UnsignedSigned>(13, 250);
}

#[test]
fn tdpbuud() {
    product_cases::<UnsignedUnsigned>(14, 250);
}

/// The order of additions is the manual's here; a processor's may be its own, and only the kernels' tests, which allow for any, ask it.
#[test]
fn tdpbf16ps() {
    if !crate::lacks_amx() {
        println!("skipped: this processor has AMX");
        return;
    }
    product_cases::<Bf16>(15, 500);
}

/// Sums of 32 bits wrap, in both directions.
#[test]
fn integer_sums_wrap() {
    prepare();
    configure(&WHOLE);
    for (start, right, wanted) in
        [(i32::MAX, 127u8, i32::MAX.wrapping_add(64 * 255 * 127)), (i32::MIN, 128, i32::MIN.wrapping_add(64 * 255 * -128))]
    {
        load_rows::<0>((16, 64), &[start.to_le_bytes(); 256].concat());
        load_rows::<1>((16, 64), &[255; 1024]);
        load_rows::<2>((16, 64), &[right; 1024]);
        UnsignedSigned::run::<0, 1, 2>();
        assert_eq!(stored::<0>((16, 64)), [wanted.to_le_bytes(); 256].concat());
    }
    release();
}
