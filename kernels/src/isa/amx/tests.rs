//! The AMX products and their tiles against plain Rust: on the processor where it has AMX, else in the emulator.

#[path = "../../../tests/amx_emulator/mod.rs"]
mod amx_emulator;

use super::products::{ROWS, bf16, int8};
use super::{Configured, missing};
use crate::gemm::Block;
use crate::matrix::PANEL;

/// Runs `work` with the tiles of this thread configured, and releases them afterwards, also when it panics.
///
/// # Safety
/// The processor has AMX, or the emulator runs.
unsafe fn with_tiles<R>(work: impl FnOnce() -> R) -> R {
    // SAFETY: by the promise of the caller.
    let _tiles = unsafe { Configured::configure() };
    work()
}

const STEPS: [usize; 5] = [16, 32, 48, 96, 384];

/// Memory that ends where a page begins that cannot be touched.
struct Guarded {
    mapping: *mut libc::c_void,
    mapped: usize,
    bytes: *mut u8,
    length: usize,
}

const PAGE: usize = 4096;

impl Guarded {
    fn new(length: usize) -> Self {
        let usable = length.next_multiple_of(PAGE);
        let mapped = usable + PAGE;
        // SAFETY: a new mapping, whose last page is closed before anyone knows of it.
        unsafe {
            let mapping = libc::mmap(
                core::ptr::null_mut(),
                mapped,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(mapping, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(mapping.byte_add(usable), PAGE, libc::PROT_NONE), 0);
            Self { mapping, mapped, bytes: mapping.byte_add(usable - length).cast(), length }
        }
    }

    fn slice(&mut self) -> &mut [u8] {
        // SAFETY: the bytes are mapped, initialised with zeros, and borrowed with the value.
        unsafe { core::slice::from_raw_parts_mut(self.bytes, self.length) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own.
        unsafe { libc::munmap(self.mapping, self.mapped) };
    }
}

/// Knuth's 64-bit linear congruential sequence.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }
}

/// One product: A with `stride`, a panel of B, and 32 rows of sums that begin as 0xA5.
struct Case {
    rows: usize,
    steps: usize,
    stride: usize,
    a: Guarded,
    b: Guarded,
    sums: Guarded,
}

const BEFORE: u8 = 0xA5;

impl Case {
    /// Fills A and B with pairs of bytes from `pair`.
    fn new(rows: usize, steps: usize, beyond: usize, mut pair: impl FnMut() -> [u8; 2]) -> Self {
        let stride = 4 * steps + beyond;
        let padded = rows.next_multiple_of(16);
        let (a, b) = (Guarded::new((padded - 1) * stride + 4 * steps), Guarded::new(steps * PANEL * 4));
        let mut case = Self { rows, steps, stride, a, b, sums: Guarded::new(padded * PANEL * 4) };
        for bytes in [case.a.slice(), case.b.slice()] {
            bytes.as_chunks_mut().0.iter_mut().for_each(|into| *into = pair());
        }
        case.sums.slice().fill(BEFORE);
        case
    }

    fn block(&self) -> Block {
        Block { a: self.a.bytes, stride: self.stride, rows: self.rows, b: self.b.bytes, steps: self.steps }
    }

    /// The groups that row `r` and column `c` multiply, step by step.
    fn groups(&mut self, r: usize, c: usize) -> Vec<([u8; 4], [u8; 4])> {
        let row = &self.a.slice()[r * self.stride..][..4 * self.steps];
        let columns = self.b.slice().as_chunks().0.chunks_exact(PANEL).map(|step| step[c]);
        row.as_chunks().0.iter().copied().zip(columns).collect()
    }

    /// Compares every sum with what `wanted` says of its bytes.
    fn check(&mut self, wanted: impl Fn([u8; 4], &[([u8; 4], [u8; 4])]) -> Result<(), String>) {
        for r in 0..self.rows {
            for c in 0..PANEL {
                let groups = self.groups(r, c);
                let got = self.sums.slice().as_chunks().0[r * PANEL + c];
                let verdict = wanted(got, &groups);
                assert_eq!(verdict, Ok(()), "{} rows, {} steps, stride {}: row {r}, column {c}", self.rows, self.steps, self.stride);
            }
        }
    }
}

/// Runs `test` on every number of rows, several depths and strides.
fn cases(test: impl Fn(usize, usize, usize)) {
    amx_emulator::install();
    println!("{}", missing().map_or("on the processor".into(), |feature| format!("in the emulator: this processor lacks {feature}")));
    // SAFETY: the processor has AMX, or the emulator runs its instructions.
    unsafe {
        with_tiles(|| {
            for rows in 1..=ROWS {
                for (i, steps) in STEPS.into_iter().enumerate() {
                    test(rows, steps, [0, 4, 64, 100][(rows + i) % 4]);
                }
            }
        });
    }
}

#[test]
fn int8_products() {
    cases(|rows, steps, beyond| {
        let mut random = Random((rows * 1000 + steps) as u64);
        let mut case = Case::new(rows, steps, beyond, || (random.next() as u16).to_le_bytes());
        // SAFETY: the tiles are configured; the operands have the sizes of the contract.
        unsafe { int8(case.block(), case.sums.bytes.cast()) };
        case.check(|got, groups| {
            let products = groups.iter().flat_map(|(a, b)| a.iter().zip(b)).map(|(&a, &b)| i32::from(a) * i32::from(b as i8));
            let (got, wanted) = (i32::from_le_bytes(got), products.sum::<i32>());
            if got == wanted { Ok(()) } else { Err(format!("got {got}, wanted {wanted}")) }
        });
    });
}

/// The values of a group of two.
fn pair(group: [u8; 4]) -> [f32; 2] {
    [[group[0], group[1]], [group[2], group[3]]].map(|[low, high]| f32::from_le_bytes([0, 0, low, high]))
}

fn bf16_case(rows: usize, steps: usize, beyond: usize, number: impl FnMut() -> [u8; 2]) -> Case {
    let case = Case::new(rows, steps, beyond, number);
    // SAFETY: the tiles are configured; the operands have the sizes of the contract.
    unsafe { bf16(case.block(), case.sums.bytes.cast()) };
    case
}

/// Small whole numbers, whose sums are exact in any order.
#[test]
fn bf16_products_of_whole_numbers() {
    cases(|rows, steps, beyond| {
        let mut random = Random((rows * 1000 + steps) as u64);
        let number = || {
            let [_, _, low, high] = f32::from(random.next() as i8).to_le_bytes();
            [low, high]
        };
        bf16_case(rows, steps, beyond, number).check(|got, groups| {
            let products = groups.iter().flat_map(|&(a, b)| pair(a).into_iter().zip(pair(b)));
            let (got, wanted) = (f32::from_le_bytes(got), products.map(|(a, b)| f64::from(a) * f64::from(b)).sum::<f64>());
            if f64::from(got) == wanted { Ok(()) } else { Err(format!("got {got}, wanted {wanted}")) }
        });
    });
}

/// Fractions: in the emulator bit for bit in the documented order, on a processor within the error of any order.
#[test]
fn bf16_products_of_fractions() {
    let emulated = missing().is_some();
    cases(|rows, steps, beyond| {
        let mut random = Random((rows * 1000 + steps) as u64);
        let number = || ((random.next() & 0x807F) as u16 | ((120 + (random.next() % 10) as u16) << 7)).to_le_bytes();
        bf16_case(rows, steps, beyond, number).check(|got, groups| {
            let got = f32::from_le_bytes(got);
            let mut ordered = 0.0f32;
            for piece in groups.chunks(16) {
                let mut sums = [0.0f32; 2];
                for &(a, b) in piece {
                    let (a, b) = (pair(a), pair(b));
                    sums = [sums[0] + a[0] * b[0], sums[1] + a[1] * b[1]]; // the products are exact
                }
                ordered += sums[0] + sums[1];
            }
            let products = || groups.iter().flat_map(|&(a, b)| pair(a).into_iter().zip(pair(b))).map(|(a, b)| f64::from(a) * f64::from(b));
            let bound = 2.0 * groups.len() as f64 * f64::from(f32::EPSILON) * products().map(f64::abs).sum::<f64>();
            let near = (f64::from(got) - products().sum::<f64>()).abs() <= bound;
            let good = near && (!emulated || got.to_bits() == ordered.to_bits());
            if good { Ok(()) } else { Err(format!("got {got}, wanted {ordered}")) }
        });
    });
}

/// Sixteen rows are written for up to 16, and no more.
#[test]
fn later_rows_stay() {
    amx_emulator::install();
    let mut case = Case::new(3, 16, 0, || [1, 2]);
    case.sums = Guarded::new(ROWS * PANEL * 4);
    case.sums.slice().fill(BEFORE);
    // SAFETY: the processor has AMX or the emulator runs; the operands have the sizes of the contract.
    unsafe { with_tiles(|| int8(case.block(), case.sums.bytes.cast())) };
    assert!(case.sums.slice()[16 * PANEL * 4..].iter().all(|&byte| byte == BEFORE));
}

fn configuration() -> [u8; 64] {
    let mut bytes = [0u8; 64];
    // SAFETY: 64 writable bytes.
    unsafe { core::arch::asm!("sttilecfg [{}]", in(reg) bytes.as_mut_ptr()) };
    bytes
}

#[test]
fn tiles_live_as_long_as_their_guard() {
    let _ = missing();
    amx_emulator::install();
    let mut whole = [0; 64];
    whole[0] = 1;
    (0..8).for_each(|tile| (whole[16 + 2 * tile], whole[48 + tile]) = (64, 16));
    // SAFETY: the processor has AMX, or the emulator runs its instructions.
    let tiles = unsafe { Configured::configure() };
    assert_eq!(configuration(), whole);
    std::thread::scope(|scope| scope.spawn(|| assert_eq!(configuration(), [0; 64], "tiles are a thread's own")).join().unwrap());
    drop(tiles);
    assert_eq!(configuration(), [0; 64]);
    // SAFETY: as above.
    let ended = std::panic::catch_unwind(|| unsafe { with_tiles(|| std::panic::resume_unwind(Box::new(7))) });
    assert!(ended.is_err());
    assert_eq!(configuration(), [0; 64], "released by a panic");
}

/// Linux names the same features.
#[test]
fn missing_agrees_with_the_operating_system() {
    let information = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    let flags: Vec<&str> = information.lines().find(|line| line.starts_with("flags")).unwrap_or_default().split_whitespace().collect();
    let absent = ["amx-tile", "amx-int8", "amx-bf16"].into_iter().find(|name| !flags.contains(&name.replace('-', "_").as_str()));
    match (missing(), absent) {
        (Some(missing), Some(absent)) => assert_eq!(missing, absent),
        (Some(missing), None) => assert!(missing.starts_with("permission") || missing.contains("saved"), "{missing}"),
        (None, absent) => assert_eq!(absent, None),
    }
    assert_eq!(missing(), missing());
}
