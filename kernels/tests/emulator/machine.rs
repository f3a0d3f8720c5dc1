//! The tile instructions as functions, and random data to run them on.

use core::arch::asm;

/// Knuth's 64-bit linear congruential sequence.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as u32
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.next() as usize % end
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

/// Rows, and bytes in a row.
pub type Shape = (usize, usize);

pub fn configuration(shapes: &[Shape; 8]) -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    for (i, &(rows, row_bytes)) in shapes.iter().enumerate() {
        bytes[16 + 2 * i] = row_bytes as u8;
        bytes[48 + i] = rows as u8;
    }
    bytes
}

pub const WHOLE: [Shape; 8] = [(16, 64); 8];

pub fn random_shapes(random: &mut Random) -> [Shape; 8] {
    core::array::from_fn(|_| (1 + random.below(16), 4 + 4 * random.below(16)))
}

pub fn configure(shapes: &[Shape; 8]) {
    let bytes = configuration(shapes);
    // SAFETY: 64 readable bytes.
    unsafe { asm!("ldtilecfg [{}]", in(reg) bytes.as_ptr()) };
}

pub fn configured() -> [u8; 64] {
    let mut bytes = [0xA5; 64];
    // SAFETY: 64 writable bytes.
    unsafe { asm!("sttilecfg [{}]", in(reg) bytes.as_mut_ptr()) };
    bytes
}

pub fn release() {
    // SAFETY: touches tiles only.
    unsafe { asm!("tilerelease") };
}

pub fn zero<const T: usize>() {
    // SAFETY: touches tiles only.
    unsafe { asm!("tilezero tmm{t}", t = const T) };
}

/// # Safety
/// `from` can be read for the rows of tile T, `stride` apart.
pub unsafe fn load<const T: usize>(from: *const u8, stride: isize) {
    // SAFETY: by the promise of the caller.
    unsafe { asm!("tileloadd tmm{t}, [{from} + {stride}]", t = const T, from = in(reg) from, stride = in(reg) stride) };
}

/// # Safety
/// `into` can be written for the rows of tile T, `stride` apart.
pub unsafe fn store<const T: usize>(into: *mut u8, stride: isize) {
    // SAFETY: by the promise of the caller.
    unsafe { asm!("tilestored [{into} + {stride}], tmm{t}", t = const T, into = in(reg) into, stride = in(reg) stride) };
}

/// Loads tile T from rows that follow one another.
pub fn load_rows<const T: usize>((rows, row_bytes): Shape, data: &[u8]) {
    assert_eq!(data.len(), rows * row_bytes);
    // SAFETY: the length has been checked.
    unsafe { load::<T>(data.as_ptr(), row_bytes as isize) };
}

/// The contents of tile T, one row after the other.
pub fn stored<const T: usize>((rows, row_bytes): Shape) -> Vec<u8> {
    let mut data = vec![0xA5; rows * row_bytes];
    // SAFETY: the length is that of the tile.
    unsafe { store::<T>(data.as_mut_ptr(), row_bytes as isize) };
    data
}

/// Calls `$test::<0>` to `$test::<7>`.
macro_rules! every_tile {
    ($test:ident $arguments:tt) => {{
        every_tile!(@ $test $arguments 0 1 2 3 4 5 6 7);
    }};
    (@ $test:ident $arguments:tt $($tile:literal)*) => { $( $test::<$tile> $arguments; )* };
}
pub(crate) use every_tile;
