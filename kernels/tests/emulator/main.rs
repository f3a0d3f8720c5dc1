//! The AMX emulator, instruction by instruction: assembled code against plain Rust on random data, bit for bit.
//!
//! Where the processor has AMX the same tests run on it, but for the sums of `tdpbf16ps`, whose order may be its own.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
#![expect(unsafe_code, reason = "tile instructions exist as assembly only")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "test values"
)]

#[path = "../amx_emulator/mod.rs"]
mod amx_emulator;

mod addresses;
mod machine;
mod products;

use core::arch::asm;
use machine::{
    Random, WHOLE, configuration, configure, configured, every_tile, load, load_rows, random_shapes, release, store, stored, zero,
};
use products::{Bf16, Instruction, UnsignedSigned, multiplies};

fn prepare() {
    let _ = lacks_amx(); // asks for the permission where there is AMX
    amx_emulator::install();
}

/// Whether the processor or the process may not use tiles.
fn lacks_amx() -> bool {
    hearken_kernels::TIERS.iter().all(|tier| tier.name != "amx" || tier.kernels().is_none())
}

#[test]
fn configuration_comes_back() {
    prepare();
    let mut random = Random(1);
    for _ in 0..200 {
        let mut shapes = random_shapes(&mut random);
        shapes[random.below(8)] = (0, 0);
        configure(&shapes);
        assert_eq!(configured(), configuration(&shapes));
    }
    release();
    assert_eq!(configured(), [0; 64]);
    let released = [0u8; 64];
    configure(&WHOLE);
    // SAFETY: 64 readable bytes.
    unsafe { asm!("ldtilecfg [{}]", in(reg) released.as_ptr()) };
    assert_eq!(configured(), [0; 64]);
}

fn zeroed<const T: usize>(random: &mut Random) {
    let shapes = random_shapes(random);
    let (rows, row_bytes) = shapes[T];
    configure(&shapes);
    assert_eq!(stored::<T>(shapes[T]), vec![0; rows * row_bytes], "a configuration zeroes tile {T}");
    load_rows::<T>(shapes[T], &random.bytes(rows * row_bytes));
    zero::<T>();
    assert_eq!(stored::<T>(shapes[T]), vec![0; rows * row_bytes], "tilezero tmm{T}");
    load_rows::<T>(shapes[T], &random.bytes(rows * row_bytes));
    configure(&shapes);
    assert_eq!(stored::<T>(shapes[T]), vec![0; rows * row_bytes], "a configuration zeroes tile {T} again");
}

#[test]
fn zeroes() {
    prepare();
    let mut random = Random(2);
    for _ in 0..20 {
        every_tile!(zeroed(&mut random));
    }
    release();
}

/// Loads from rows `stride` apart, by both instructions, and stores to rows of another stride; nothing else is written.
fn moves<const T: usize>(random: &mut Random, stride: isize, apart: usize) {
    let shapes = random_shapes(random);
    let (rows, row_bytes) = shapes[T];
    configure(&shapes);
    let memory = random.bytes(16 * 300 + 64);
    let first = if stride < 0 { 16 * 300 } else { 0 };
    let row = |r: usize| &memory[(first as isize + r as isize * stride) as usize..][..row_bytes];
    for hinted in [false, true] {
        zero::<T>();
        let from = memory[first..].as_ptr();
        // SAFETY: rows of at most 64 bytes at most 300 bytes apart lie in `memory`.
        unsafe {
            if hinted {
                asm!("tileloaddt1 tmm{t}, [{from} + {stride}]", t = const T, from = in(reg) from, stride = in(reg) stride);
            } else {
                load::<T>(from, stride);
            }
        }
        let mut into = vec![0xA5u8; 16 * apart + 64];
        let mut wanted = into.clone();
        for r in 0..rows {
            wanted[r * apart..][..row_bytes].copy_from_slice(row(r));
        }
        // SAFETY: rows of at most 64 bytes, `apart` bytes apart, lie in `into`.
        unsafe { store::<T>(into.as_mut_ptr(), apart as isize) };
        assert_eq!(into, wanted, "tile {T}, {rows} rows of {row_bytes} bytes, stride {stride}, hinted {hinted}");
    }
}

#[test]
fn loads_and_stores() {
    prepare();
    let mut random = Random(3);
    for stride in [0, 1, 4, 63, 64, 65, 128, 256, 300, -1, -64, -300] {
        for apart in [64, 77, 256] {
            for _ in 0..4 {
                every_tile!(moves(&mut random, stride, apart));
            }
        }
    }
    release();
}

/// The rounding mode of the interrupted code does not count, and the code finds its registers and flags unchanged.
#[test]
fn surroundings_stay_as_they_are() {
    prepare();
    configure(&WHOLE);
    let mut random = Random(16);
    let [sums, left, right] =
        [(); 3].map(|()| (0..512).flat_map(|_| ((random.next() & 0x807F) as u16 | 0x3F80).to_le_bytes()).collect::<Vec<u8>>());
    load_rows::<1>((16, 64), &left);
    load_rows::<2>((16, 64), &right);
    load_rows::<0>((16, 64), &sums);
    Bf16::run::<0, 1, 2>();
    let usual = stored::<0>((16, 64));
    load_rows::<0>((16, 64), &sums);
    let (upwards, mut before, mut after, kept) = (0x5F80u32, 0u32, 0u32, 0x1234_5678_9ABC_DEF0u64);
    let (flags, vector, red_zone): (u64, u64, u64);
    // SAFETY: MXCSR is put back. Below the stack pointer the block writes only what it may, since it does not say `nostack`.
    unsafe {
        asm!("stmxcsr [{before}]", "ldmxcsr [{upwards}]", "mov [rsp - 8], {kept}", "vmovq {moved}, {kept}", "xor {flags:e}, {flags:e}",
            "stc",
            "tdpbf16ps tmm0, tmm1, tmm2", "adc {flags}, 0", "mov {red_zone}, [rsp - 8]", "vmovq {vector}, {moved}",
            "stmxcsr [{after}]", "ldmxcsr [{before}]", before = in(reg) &raw mut before, after = in(reg) &raw mut after,
            upwards = in(reg) &raw const upwards, kept = in(reg) kept, moved = out(xmm_reg) _, vector = out(reg) vector,
            flags = out(reg) flags, red_zone = out(reg) red_zone);
    }
    assert_eq!((after & !0x3F, flags, vector, red_zone), (upwards, 1, kept, kept));
    assert_eq!(stored::<0>((16, 64)), usual);
    release();
}

/// Each thread has its own configuration and tiles.
#[test]
fn threads_do_not_meet() {
    prepare();
    std::thread::scope(|scope| {
        for seed in 20..28 {
            scope.spawn(move || {
                let mut random = Random(seed);
                assert_eq!(configured(), [0; 64], "a new thread has no configuration");
                for _ in 0..60 {
                    multiplies::<UnsignedSigned, 0, 4, 6>(&mut random);
                    multiplies::<Bf16, 3, 5, 1>(&mut random);
                    let shapes = random_shapes(&mut random);
                    configure(&shapes);
                    let data = random.bytes(shapes[7].0 * shapes[7].1);
                    load_rows::<7>(shapes[7], &data);
                    std::thread::yield_now();
                    assert_eq!(configured(), configuration(&shapes));
                    assert_eq!(stored::<7>(shapes[7]), data);
                }
            });
        }
    });
    assert_eq!(configured(), [0; 64]);
}
