//! Tile kernels on Intel AMX: products of whole tiles of int8 and bf16; everything else is AVX-512's.

mod permission;
mod products;

#[cfg(all(test, target_os = "linux"))]
mod tests;

pub use permission::missing;

use super::avx512;
use super::portable::Vectors;
use crate::gemm::{Block, Tiles};

/// AVX-512 with AMX.
pub struct Amx;

impl Vectors for Amx {
    type F32 = avx512::Zmm;
}

impl Tiles for Amx {
    const ROWS: usize = products::ROWS;
    type Guard = Configured;

    #[inline(always)]
    unsafe fn enter() -> Configured {
        // SAFETY: the caller's promise: the tier's check, which is `missing`, has passed.
        unsafe { Configured::configure() }
    }

    #[inline(always)]
    unsafe fn int8(of: Block, sums: *mut i32) {
        // SAFETY: the caller's promise, and its guard of this thread.
        unsafe { products::int8(of, sums) }
    }

    #[inline(always)]
    unsafe fn bf16(of: Block, sums: *mut f32) {
        // SAFETY: as above.
        unsafe { products::bf16(of, sums) }
    }

    #[inline(always)]
    unsafe fn f32(of: Block, sums: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { avx512::single(of, sums) }
    }
}

/// The memory operand of `ldtilecfg` (Intel SDM vol. 1, ch. 18, "Tile configuration").
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// Eight tiles of 16 rows of 64 bytes, the most that palette 1 has.
static WHOLE_TILES: Configuration = Configuration {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// This thread's eight tiles, each 16 rows of 64 bytes, from [`Configured::configure`] until the value is dropped.
///
/// Guards do not nest: dropping one ends the configuration for the thread. A thread without one leaves the tile state out of its
/// context switches, which is why it is released.
#[derive(Debug)]
pub struct Configured {
    of_this_thread: core::marker::PhantomData<*const ()>,
}

impl Configured {
    /// Configures the tiles of this thread; they hold zeros.
    ///
    /// # Safety
    /// [`missing`] has returned `None`.
    #[must_use]
    pub unsafe fn configure() -> Self {
        // SAFETY: the instruction exists and is permitted, by the promise of the caller; it reads the 64 bytes of a static that
        // is a valid configuration, and changes tiles only, which no code outside this module uses.
        unsafe { core::arch::asm!("ldtilecfg [{}]", in(reg) &raw const WHOLE_TILES, options(readonly, nostack, preserves_flags)) };
        Self { of_this_thread: core::marker::PhantomData }
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        // SAFETY: a value exists only where the tiles of this thread have been configured, so the instruction exists.
        unsafe { core::arch::asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
    }
}
