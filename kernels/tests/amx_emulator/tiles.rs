//! Tiles, and what the instructions do to them.

use super::decode::{Operation, Product};

pub const TILES: usize = 8;
const ROWS: usize = 16;
const ROW_BYTES: usize = 64;
/// Elements of 32 bits in a row.
const COLUMNS: usize = 16;

type Tile = [[u8; ROW_BYTES]; ROWS];

/// The part of a tile that its configuration gives it. What lies beyond holds zeros.
#[derive(Clone, Copy, PartialEq)]
struct Shape {
    rows: usize,
    row_bytes: usize,
}

/// Tile configuration and tile data of one thread.
pub struct State {
    configured: bool,
    shapes: [Shape; TILES],
    tiles: [Tile; TILES],
}

pub const INITIAL: State =
    State { configured: false, shapes: [Shape { rows: 0, row_bytes: 0 }; TILES], tiles: [[[0; ROW_BYTES]; ROWS]; TILES] };

impl State {
    /// Performs the operation, or nothing where a processor would refuse it.
    ///
    /// # Safety
    /// The addresses of the operation are valid for it.
    pub unsafe fn perform(&mut self, operation: Operation) -> Option<()> {
        match operation {
            // SAFETY: by the promise of the caller, 64 bytes.
            Operation::LoadConfiguration(address) => self.configure(unsafe { (address as *const [u8; 64]).read_unaligned() })?,
            // SAFETY: as above.
            Operation::StoreConfiguration(address) => unsafe { (address as *mut [u8; 64]).write_unaligned(self.configuration()) },
            Operation::Release => *self = INITIAL,
            Operation::Zero(tile) => {
                self.shape(tile)?;
                self.tiles[tile] = INITIAL.tiles[tile];
            }
            Operation::Load(tile, memory) => {
                let shape = self.shape(tile)?;
                let data = &mut self.tiles[tile];
                *data = [[0; ROW_BYTES]; ROWS];
                for (row, into) in data.iter_mut().take(shape.rows).enumerate() {
                    let from = memory.start.wrapping_add(row.wrapping_mul(memory.index)) as *const u8;
                    // SAFETY: by the promise of the caller the row is readable; a row of a tile is long enough.
                    unsafe { from.copy_to_nonoverlapping(into.as_mut_ptr(), shape.row_bytes) };
                }
            }
            Operation::Store(tile, memory) => {
                let shape = self.shape(tile)?;
                for (row, from) in self.tiles[tile].iter().take(shape.rows).enumerate() {
                    let into = memory.start.wrapping_add(row.wrapping_mul(memory.index)) as *mut u8;
                    // SAFETY: by the promise of the caller the row is writable; a row of a tile is long enough.
                    unsafe { into.copy_from_nonoverlapping(from.as_ptr(), shape.row_bytes) };
                }
            }
            Operation::Product { kind, target, left, right } => self.product(kind, target, left, right)?,
        }
        Some(())
    }

    /// Takes a configuration and zeroes the tiles (SDM, LDTILECFG). Palette 0 releases them.
    fn configure(&mut self, bytes: [u8; 64]) -> Option<()> {
        if bytes[0] == 0 {
            *self = INITIAL;
            return Some(());
        }
        let reserved_is_zero = [1..16, 32..48, 56..64].into_iter().all(|range| bytes[range].iter().all(|&byte| byte == 0));
        let shapes: [Shape; TILES] = core::array::from_fn(|i| Shape {
            rows: usize::from(bytes[48 + i]),
            row_bytes: usize::from(u16::from_le_bytes([bytes[16 + 2 * i], bytes[17 + 2 * i]])),
        });
        let fits = |shape: &Shape| shape.rows <= ROWS && shape.row_bytes <= ROW_BYTES && (shape.rows == 0) == (shape.row_bytes == 0);
        if bytes[0] != 1 || !reserved_is_zero || !shapes.iter().all(fits) {
            return None;
        }
        *self = State { configured: true, shapes, ..INITIAL };
        Some(())
    }

    fn configuration(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[0] = u8::from(self.configured);
        for (i, shape) in self.shapes.iter().enumerate() {
            bytes[16 + 2 * i] = shape.row_bytes as u8;
            bytes[48 + i] = shape.rows as u8;
        }
        bytes
    }

    /// Shape of a tile that instructions may use: configured, and in whole elements of 32 bits.
    fn shape(&self, tile: usize) -> Option<Shape> {
        let shape = self.shapes[tile];
        (self.configured && shape.rows > 0 && shape.row_bytes.is_multiple_of(4)).then_some(shape)
    }

    /// `target[m][n] += left[m][k] * right[k][n]`, where an element is a group of 4 bytes; the three tiles differ, and fit.
    fn product(&mut self, kind: Product, target: usize, left: usize, right: usize) -> Option<()> {
        let (shape, left_shape, right_shape) = (self.shape(target)?, self.shape(left)?, self.shape(right)?);
        let fit = left_shape.rows == shape.rows && right_shape.row_bytes == shape.row_bytes && left_shape.row_bytes / 4 == right_shape.rows;
        if !fit || target == left || target == right || left == right {
            return None;
        }
        let (left, right) = (self.tiles[left], self.tiles[right]);
        let mut sums = Sums { tile: &mut self.tiles[target], shape, groups: right_shape.rows };
        if fused() {
            // SAFETY: `fused` has found both features.
            unsafe { sums.add_fused(kind, &left, &right) };
        } else {
            sums.add(kind, &left, &right);
        }
        Some(())
    }
}

/// Whether the quick build of the products can run.
pub fn fused() -> bool {
    std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma")
}

/// The target of a product: a tile, its shape, and the number of groups of 4 bytes of k.
struct Sums<'a> {
    tile: &'a mut Tile,
    shape: Shape,
    groups: usize,
}

impl Sums<'_> {
    #[target_feature(enable = "avx2,fma")]
    fn add_fused(&mut self, kind: Product, left: &Tile, right: &Tile) {
        self.add(kind, left, right);
    }

    #[inline(always)]
    fn add(&mut self, kind: Product, left: &Tile, right: &Tile) {
        match kind {
            Product::Integer { left_signed, right_signed } => self.add_integers(left, left_signed, right, right_signed),
            Product::Bf16 => self.add_bf16(left, right),
        }
    }

    /// Every product is exact, every sum wraps at 32 bits.
    #[inline(always)]
    fn add_integers(&mut self, left: &Tile, left_signed: bool, right: &Tile, right_signed: bool) {
        let widen = |byte: u8, signed: bool| if signed { i32::from(byte as i8) } else { i32::from(byte) };
        let mut columns = [[0; COLUMNS]; ROW_BYTES];
        for (k, into) in columns.iter_mut().enumerate() {
            *into = core::array::from_fn(|n| widen(right[k / 4][4 * n + k % 4], right_signed));
        }
        for (row, left) in self.tile.iter_mut().zip(left).take(self.shape.rows) {
            let mut sums: [i32; COLUMNS] = core::array::from_fn(|n| i32::from_le_bytes(element(row, n)));
            for (&a, b) in left.iter().zip(&columns).take(4 * self.groups) {
                let a = widen(a, left_signed);
                for (sum, b) in sums.iter_mut().zip(b) {
                    *sum = sum.wrapping_add(a.wrapping_mul(*b));
                }
            }
            write_row(row, sums.map(i32::to_le_bytes), self.shape.row_bytes);
        }
    }

    /// In the order of the SDM: the even and the odd products each summed from zero by fused multiply-add over k, then the two
    /// sums added, then that added to the target. Rounding is to nearest even; subnormal inputs and results are zero. Where a
    /// result rounds up to the least normal value, a processor may differ, and in the payload of a NaN.
    #[inline(always)]
    fn add_bf16(&mut self, left: &Tile, right: &Tile) {
        let value = |row: &[u8; ROW_BYTES], at: usize| without_subnormal(f32::from_le_bytes([0, 0, row[2 * at], row[2 * at + 1]]));
        let mut columns = [[0.0; COLUMNS]; ROW_BYTES / 2];
        for (k, into) in columns.iter_mut().enumerate() {
            *into = core::array::from_fn(|n| value(&right[k / 2], 2 * n + k % 2));
        }
        for (row, left) in self.tile.iter_mut().zip(left).take(self.shape.rows) {
            let mut sums = [[0.0f32; COLUMNS]; 2];
            for (k, b) in columns.iter().enumerate().take(2 * self.groups) {
                let a = value(left, k);
                for (sum, &b) in sums[k % 2].iter_mut().zip(b) {
                    *sum = without_subnormal(a.mul_add(b, *sum));
                }
            }
            let [even, odd] = sums;
            let results = core::array::from_fn(|n| {
                let before = without_subnormal(f32::from_le_bytes(element(row, n)));
                without_subnormal(before + without_subnormal(even[n] + odd[n])).to_le_bytes()
            });
            write_row(row, results, self.shape.row_bytes);
        }
    }
}

/// The value, or a zero of its sign where it is subnormal.
#[inline(always)]
fn without_subnormal(value: f32) -> f32 {
    if value.abs() < f32::MIN_POSITIVE { 0.0f32.copysign(value) } else { value }
}

#[inline(always)]
fn element(row: &[u8; ROW_BYTES], at: usize) -> [u8; 4] {
    core::array::from_fn(|i| row[4 * at + i])
}

/// Writes the first `bytes` bytes of the elements and zeroes the rest.
#[inline(always)]
fn write_row(row: &mut [u8; ROW_BYTES], elements: [[u8; 4]; COLUMNS], bytes: usize) {
    row.copy_from_slice(elements.as_flattened());
    row[bytes..].fill(0);
}
