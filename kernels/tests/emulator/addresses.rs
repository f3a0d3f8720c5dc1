//! Memory operands: every form of address, through every register.

use super::machine::{Random, Shape, WHOLE, configuration, configure, release, stored, zero};
use super::prepare;
use core::arch::asm;

/// Configurations are read and written through other forms of address than a base alone.
#[test]
fn configuration_addresses() {
    prepare();
    let shapes: [Shape; 8] = core::array::from_fn(|i| (i + 1, 4 * i + 4));
    let bytes = configuration(&shapes);
    let mut back = [[0u8; 64]; 4];
    // SAFETY: every address below is that of the 64 bytes of `bytes` or of one element of `back`.
    unsafe {
        asm!("ldtilecfg [r12 + r13*4 + 0x1000]", "sttilecfg [rax + rcx*8 - 8]", in("r12") bytes.as_ptr().wrapping_sub(0x1000 + 400),
            in("r13") 100usize, in("rax") back[0].as_mut_ptr().wrapping_sub(32), in("rcx") 5usize);
        release();
        asm!("ldtilecfg [r13]", "sttilecfg [r12]", in("r13") bytes.as_ptr(), in("r12") back[1].as_mut_ptr());
        release();
        asm!("ldtilecfg [r12 - 4]", "sttilecfg [r13 + 0x12345]", in("r12") bytes.as_ptr().wrapping_add(4),
            in("r13") back[2].as_mut_ptr().wrapping_sub(0x12345));
        release();
        asm!("ldtilecfg [rax + r15 + 1]", "sttilecfg [r8 + r9*2]", in("rax") bytes.as_ptr(), in("r15") -1isize,
            in("r8") back[3].as_mut_ptr().wrapping_sub(20), in("r9") 10usize);
    }
    assert_eq!(back, [bytes; 4]);
    release();
}

/// One form of address: the assembled text, its base as an offset into the memory, and its index. Sixteen rows of 64 bytes are
/// expected from `start`, `stride` apart, by a load, and by a store into a copy of the memory.
macro_rules! address {
    ($memory:ident, $text:expr, $base:tt = $offset:expr, $index:tt = $value:expr; $start:expr, $stride:expr) => {{
        let rows = |memory: &[u8]| -> Vec<u8> { (0..16).flat_map(|r| memory[$start + r * $stride..][..64].to_vec()).collect() };
        zero::<5>();
        // SAFETY: the rows lie in the memory.
        unsafe { asm!(concat!("tileloadd tmm5, ", $text), in($base) $memory.as_ptr().wrapping_offset($offset), in($index) $value) };
        assert_eq!(stored::<5>((16, 64)), rows(&$memory), "load {}", $text);
        let mut copy = vec![0u8; $memory.len()];
        // SAFETY: the rows lie in the copy.
        unsafe { asm!(concat!("tilestored ", $text, ", tmm5"), in($base) copy.as_mut_ptr().wrapping_offset($offset), in($index) $value) };
        if $stride > 0 {
            assert_eq!(rows(&copy), rows(&$memory), "store {}", $text);
        } else {
            assert_eq!(copy[$start..][..64], $memory[$start..][..64], "store {}", $text);
        }
    }};
}

macro_rules! bases {
    ($memory:ident, $($base:tt),*) => { $(
        address!($memory, concat!("[", $base, " + rsi]"), $base = 7, "rsi" = 96usize; 7, 96);
        address!($memory, concat!("[", $base, " + rsi*2 + 5]"), $base = 0, "rsi" = 40usize; 5, 80);
        address!($memory, concat!("[", $base, " + rsi*4 - 128]"), $base = 200, "rsi" = 32usize; 72, 128);
        address!($memory, concat!("[", $base, " + rsi*8 + 1000]"), $base = 0, "rsi" = 64usize; 1000, 512);
        address!($memory, concat!("[", $base, " + rsi - 70000]"), $base = 70013, "rsi" = 64usize; 13, 64);
        address!($memory, concat!("[", $base, "]"), $base = 9, "rsi" = 96usize; 9, 0);
        address!($memory, concat!("[", $base, " + 64]"), $base = 9, "rsi" = 96usize; 73, 0);
    )* };
}

macro_rules! indices {
    ($memory:ident, $($index:tt),*) => { $(
        address!($memory, concat!("[rsi + ", $index, "*1]"), "rsi" = 1, $index = 64usize; 1, 64);
        address!($memory, concat!("[rsi + ", $index, "*2]"), "rsi" = 2, $index = 64usize; 2, 128);
        address!($memory, concat!("[rsi + ", $index, "*4 + 4]"), "rsi" = 2, $index = 17usize; 6, 68);
        address!($memory, concat!("[rsi + ", $index, "*8 + 512]"), "rsi" = 0, $index = 33usize; 512, 264);
    )* };
}

#[test]
fn addresses_through_free_registers() {
    prepare();
    let memory = Random(4).bytes(16 * 1024);
    configure(&WHOLE);
    bases!(memory, "rax", "rcx", "rdx", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15");
    indices!(memory, "rax", "rcx", "rdx", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15");
    release();
}

/// RBX, RBP and RSP, which `asm!` does not hand out.
#[test]
fn addresses_through_kept_registers() {
    prepare();
    let memory = Random(5).bytes(4096);
    let rows = |start: usize, stride: usize| -> Vec<u8> { (0..16).flat_map(|r| memory[start + r * stride..][..64].to_vec()).collect() };
    configure(&WHOLE);
    macro_rules! kept {
        ($register:literal, $text:literal, $value:expr, $other:expr; $start:expr, $stride:expr) => {
            // SAFETY: the register is put back; rows of 64 bytes from `$start` lie in `memory`.
            unsafe {
                asm!(concat!("mov {kept}, ", $register), concat!("mov ", $register, ", {value}"), concat!("tileloadd tmm2, ", $text),
                    concat!("mov ", $register, ", {kept}"), kept = out(reg) _, value = in(reg) $value, in("rsi") $other);
            }
            assert_eq!(stored::<2>((16, 64)), rows($start, $stride), $text);
        };
    }
    kept!("rbx", "[rbx + rsi]", memory[3..].as_ptr(), 65usize; 3, 65);
    kept!("rbx", "[rsi + rbx*2 + 3]", 33usize, memory[3..].as_ptr(); 6, 66);
    kept!("rbp", "[rbp + rsi]", memory[3..].as_ptr(), 65usize; 3, 65);
    kept!("rbp", "[rbp + rsi*2 + 1024]", memory[3..].as_ptr(), 65usize; 1027, 130);
    kept!("rbp", "[rsi + rbp*4]", 17usize, memory[4..].as_ptr(); 4, 68);

    configure(&[(1, 8); 8]);
    let (mut above, mut there) = (0u64, 0u64);
    // SAFETY: reads eight bytes that have just been pushed, and writes eight bytes of a local variable.
    unsafe {
        asm!("push {value}", "push rsi", "tileloadd tmm3, [rsp + rsi + 8]", "tileloadd tmm4, [rsp]", "pop rsi", "pop {value}",
            "tilestored [{above}], tmm3", "tilestored [{there}], tmm4",
            value = in(reg) 0x0123_4567_89AB_CDEFu64, in("rsi") 0x77u64, above = in(reg) &raw mut above, there = in(reg) &raw mut there);
    }
    assert_eq!((above, there), (0x0123_4567_89AB_CDEF, 0x77), "rsp as base; row 0 takes no index");
    release();
}

/// Without base: an index and a displacement of 32 bits, which is an absolute address.
#[test]
fn addresses_without_base() {
    const AT: usize = 0x2000_0000; // as the assembly below has it
    prepare();
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: a new mapping that replaces none.
    let memory = unsafe {
        let address = libc::mmap(AT as *mut _, 8192, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        assert_eq!(address.addr(), AT, "the place is free");
        core::slice::from_raw_parts_mut(address.cast::<u8>(), 8192)
    };
    memory.copy_from_slice(&Random(6).bytes(8192));
    configure(&WHOLE);
    // SAFETY: rows of 64 bytes in the mapping.
    unsafe { asm!("tileloadd tmm1, [rcx*4 + 0x20000010]", "tileloadd tmm2, [r9*1 + 0x20000020]", in("rcx") 20usize, in("r9") 100usize) };
    let rows = |start: usize, stride: usize| -> Vec<u8> { (0..16).flat_map(|r| memory[start + r * stride..][..64].to_vec()).collect() };
    assert_eq!(stored::<1>((16, 64)), rows(16, 80));
    // LLVM may turn a lone index of scale 1 into a base, whose stride is 0.
    let second = stored::<2>((16, 64));
    assert!(second == rows(32, 100) || second == rows(132, 0));
    release();
}
