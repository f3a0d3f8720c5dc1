//! What the AMX emulator leaves alone, or a processor with AMX would refuse: the process ends by a signal, as it would without
//! the emulator. Each case runs in a child process.

#![cfg(all(target_arch = "x86_64", target_os = "linux"))]
#![expect(unsafe_code, reason = "tile instructions exist as assembly only")]
#![expect(clippy::indexing_slicing, reason = "test values")]

mod amx_emulator;

use core::arch::asm;

/// Whether the processor or the process may not use tiles.
fn lacks_amx() -> bool {
    hearken_kernels::TIERS.iter().all(|tier| tier.name != "amx" || tier.kernels().is_none())
}

/// The signal that ends a child process which runs `work`, or nothing where it returns.
fn ending(work: impl FnOnce()) -> Option<i32> {
    amx_emulator::install();
    // SAFETY: the child runs `work`, which neither allocates nor locks, and ends without cleaning up.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
            work();
            libc::_exit(0);
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
        libc::WIFSIGNALED(status).then(|| libc::WTERMSIG(status))
    }
}

fn emulated() -> bool {
    lacks_amx()
}

/// Palette 1 with tiles of 4 rows of 16 bytes, which fit one another in every product.
const SQUARE: [u8; 64] = {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let mut tile = 0;
    while tile < 8 {
        bytes[16 + 2 * tile] = 16;
        bytes[48 + tile] = 4;
        tile += 1;
    }
    bytes
};

fn configure(bytes: &[u8; 64]) {
    // SAFETY: 64 readable bytes.
    unsafe { asm!("ldtilecfg [{}]", in(reg) bytes.as_ptr()) };
}

/// `SQUARE` with some bytes changed.
fn changed(changes: &[(usize, u8)]) -> [u8; 64] {
    let mut bytes = SQUARE;
    for &(at, byte) in changes {
        bytes[at] = byte;
    }
    bytes
}

/// Runs the instructions, with RAX at 64 bytes that can be read and written and RCX zero.
macro_rules! run {
    ($($text:expr),*) => {
        || {
            let mut memory = [0u8; 64];
            configure(&SQUARE);
            // SAFETY: the memory suits the instruction, if it runs at all.
            unsafe { asm!($($text),*, in("rax") memory.as_mut_ptr(), in("rcx") 0usize) };
        }
    };
}

#[test]
fn other_instructions() {
    assert_eq!(ending(run!("tilezero tmm0")), None, "a good one, for comparison");
    assert_eq!(ending(run!("ud2")), Some(libc::SIGILL));
    assert_eq!(ending(run!("tilerelease", "ud2")), Some(libc::SIGILL), "after a good one");
    for signal in [libc::SIGILL, libc::SIGTERM] {
        // SAFETY: ends the child.
        assert_eq!(ending(|| unsafe { assert_eq!(libc::raise(signal), 0) }), Some(signal), "a signal that is sent");
    }
}

/// Each differs in one field from an encoding of the table.
#[test]
fn other_encodings() {
    let good = [
        ("tilezero tmm0", ending(run!(".byte 0xC4, 0xE2, 0x7B, 0x49, 0xC0"))),
        ("tileloadd tmm0, [rax + rcx]", ending(run!(".byte 0xC4, 0xE2, 0x7B, 0x4B, 0x04, 0x08"))),
        ("tdpbssd tmm0, tmm1, tmm2", ending(run!(".byte 0xC4, 0xE2, 0x6B, 0x5E, 0xC1"))),
        ("tilerelease", ending(run!(".byte 0xC4, 0xE2, 0x78, 0x49, 0xC0"))),
    ];
    for (name, end) in good {
        assert_eq!(end, None, "{name}");
    }
    let wrong = [
        ("tilezero, W1", ending(run!(".byte 0xC4, 0xE2, 0xFB, 0x49, 0xC0"))),
        ("tilezero, 256 bits", ending(run!(".byte 0xC4, 0xE2, 0x7F, 0x49, 0xC0"))),
        ("tilezero, vvvv used", ending(run!(".byte 0xC4, 0xE2, 0x73, 0x49, 0xC0"))),
        ("tilezero, map 0F3A", ending(run!(".byte 0xC4, 0xE3, 0x7B, 0x49, 0xC0"))),
        ("tilezero, rm used", ending(run!(".byte 0xC4, 0xE2, 0x7B, 0x49, 0xC1"))),
        ("tilezero tmm8", ending(run!(".byte 0xC4, 0x62, 0x7B, 0x49, 0xC0"))),
        ("tilerelease, reg used", ending(run!(".byte 0xC4, 0xE2, 0x78, 0x49, 0xC8"))),
        ("tilerelease, F3", ending(run!(".byte 0xC4, 0xE2, 0x7A, 0x49, 0xC0"))),
        ("sttilecfg, reg used", ending(run!(".byte 0xC4, 0xE2, 0x79, 0x49, 0x08"))),
        ("sttilecfg, F3", ending(run!(".byte 0xC4, 0xE2, 0x7A, 0x49, 0x00"))),
        ("tileloadd without SIB", ending(run!(".byte 0xC4, 0xE2, 0x7B, 0x4B, 0x00"))),
        ("tileloadd tmm8", ending(run!(".byte 0xC4, 0x62, 0x7B, 0x4B, 0x04, 0x08"))),
        ("tileloadd of a register", ending(run!(".byte 0xC4, 0xE2, 0x7B, 0x4B, 0xC4"))),
        ("tileloadd, no prefix", ending(run!(".byte 0xC4, 0xE2, 0x78, 0x4B, 0x04, 0x08"))),
        ("tdpbssd with tmm8 third", ending(run!(".byte 0xC4, 0xE2, 0x3B, 0x5E, 0xC1"))),
        ("tdpbssd with tmm9 second", ending(run!(".byte 0xC4, 0xC2, 0x6B, 0x5E, 0xC1"))),
        ("tdpbssd with tmm8 first", ending(run!(".byte 0xC4, 0x62, 0x6B, 0x5E, 0xC1"))),
        ("tdpbssd of memory", ending(run!(".byte 0xC4, 0xE2, 0x6B, 0x5E, 0x00"))),
        ("tdpbf16ps, 66", ending(run!(".byte 0xC4, 0xE2, 0x69, 0x5C, 0xC1"))),
    ];
    for (name, end) in wrong {
        assert_eq!(end, Some(libc::SIGILL), "{name}");
    }
    if emulated() {
        let left_out = [
            ("relative to RIP", ending(run!(".byte 0xC4, 0xE2, 0x79, 0x49, 0x05, 0, 0, 0, 0"))),
            ("segment", ending(run!(".byte 0x64", "tileloadd tmm0, [rax + rcx]"))),
            ("tdpfp16ps", ending(run!(".byte 0xC4, 0xE2, 0x6B, 0x5C, 0xC1"))),
        ];
        for (name, end) in left_out {
            assert_eq!(end, Some(libc::SIGILL), "{name}");
        }
    }
}

#[test]
fn tiles_that_do_not_fit() {
    assert_eq!(ending(run!("tdpbusd tmm7, tmm3, tmm5", "tdpbf16ps tmm0, tmm3, tmm1")), None, "good ones, for comparison");
    let wrong = [
        ("target is left", ending(run!(".byte 0xC4, 0xE2, 0x69, 0x5E, 0xC9"))),
        ("target is right", ending(run!(".byte 0xC4, 0xE2, 0x71, 0x5E, 0xCA"))),
        ("left is right", ending(run!(".byte 0xC4, 0xE2, 0x6A, 0x5C, 0xCA"))),
        ("zero after release", ending(run!("tilerelease", "tilezero tmm0"))),
        ("load after release", ending(run!("tilerelease", "tileloadd tmm0, [rax + rcx]"))),
        ("store after release", ending(run!("tilerelease", "tilestored [rax + rcx], tmm0"))),
        ("product after release", ending(run!("tilerelease", "tdpbssd tmm0, tmm1, tmm2"))),
    ];
    for (name, end) in wrong {
        assert_eq!(end, Some(libc::SIGILL), "{name}");
    }
    let product = |changes: &[(usize, u8)]| {
        let configuration = changed(changes);
        ending(move || {
            configure(&configuration);
            // SAFETY: touches tiles only.
            unsafe { asm!("tdpbuud tmm0, tmm1, tmm2") };
        })
    };
    assert_eq!(product(&[(48, 3), (49, 3)]), None, "three rows of the target and of the left");
    assert_eq!(product(&[(16, 8), (20, 8)]), None, "two columns of the target and of the right");
    assert_eq!(product(&[(18, 8), (50, 2)]), None, "two groups of the left and of the right");
    let apart: [&[(usize, u8)]; 8] =
        [&[(48, 3)], &[(49, 3)], &[(16, 8)], &[(20, 8)], &[(18, 8)], &[(50, 2)], &[(18, 15)], &[(16, 0), (48, 0)]];
    for changes in apart {
        assert_eq!(product(changes), Some(libc::SIGILL), "{changes:?}");
    }
}

#[test]
fn configurations() {
    let end = |changes: &[(usize, u8)]| {
        let configuration = changed(changes);
        ending(move || configure(&configuration))
    };
    let good: [&[(usize, u8)]; 4] = [&[], &[(0, 0)], &[(48, 16), (16, 64)], &[(50, 0), (20, 0)]];
    for changes in good {
        assert_eq!(end(changes), None, "{changes:?}");
    }
    let refusal = if emulated() { libc::SIGILL } else { libc::SIGSEGV };
    let reserved = (2..16).chain(32..48).chain(56..64).map(|at| vec![(at, 1)]);
    let wrong = [vec![(0, 2)], vec![(0, 255)], vec![(48, 17)], vec![(30, 65)], vec![(17, 1)], vec![(55, 0)], vec![(30, 0)]];
    for changes in reserved.chain(wrong) {
        assert_eq!(end(&changes), Some(refusal), "{changes:?}");
    }
}
