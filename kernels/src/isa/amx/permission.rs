//! Whether this process may use Intel AMX.
//!
//! The state of the tiles is large, so Linux hands it out only on request, once per process ("Using XSTATE features in user
//! space applications", Documentation/arch/x86/xstate.rst). Processor bits: Intel SDM vol. 1, ch. 13 and 18; vol. 2, CPUID.

use std::sync::OnceLock;

/// What this process lacks to run AMX kernels: `None` where it may use tiles, `int8` and `bf16` products.
///
/// The first call asks the kernel for permission, for every thread of the process, present and future.
#[must_use]
pub fn missing() -> Option<&'static str> {
    static MISSING: OnceLock<Option<&'static str>> = OnceLock::new();
    *MISSING.get_or_init(|| {
        if cfg!(not(target_os = "linux")) {
            return Some("linux");
        }
        processor_lacks().or_else(|| (!permitted()).then_some("permission for amx"))
    })
}

/// What the processor, or the state that the operating system saves for it, lacks.
fn processor_lacks() -> Option<&'static str> {
    use core::arch::x86_64::{__cpuid, __cpuid_count};
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    const INT8: u32 = 1 << 25;
    const OSXSAVE: u32 = 1 << 27;
    const TILE_STATES: u64 = 1 << 17 | 1 << 18; // configuration and data

    let features = if __cpuid(0).eax >= 7 { __cpuid_count(7, 0).edx } else { 0 };
    let wanted = [("amx-tile", TILE), ("amx-int8", INT8), ("amx-bf16", BF16)];
    if let Some((name, _)) = wanted.into_iter().find(|(_, bit)| features & bit == 0) {
        return Some(name);
    }
    let saved = __cpuid(1).ecx & OSXSAVE != 0 && {
        // SAFETY: OSXSAVE says that `xgetbv` exists and that the operating system has enabled it.
        let enabled = unsafe { extended_control_register() };
        enabled & TILE_STATES == TILE_STATES
    };
    (!saved).then_some("amx state saved by the operating system")
}

/// XCR0, the bits of the states that the operating system saves.
///
/// # Safety
/// The processor and the operating system support `xgetbv` (CPUID leaf 1, ECX bit 27).
unsafe fn extended_control_register() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: `xgetbv` exists, by the promise of the caller; it reads a register and changes EAX and EDX only.
    unsafe { core::arch::asm!("xgetbv", in("ecx") 0, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Asks Linux to let this process use tile data. A kernel older than 5.16 knows no such request and refuses.
fn permitted() -> bool {
    const ARCH_PRCTL: isize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const XFEATURE_XTILEDATA: usize = 18;
    let mut result = ARCH_PRCTL;
    // SAFETY: the request takes two numbers and touches no memory of this process; a system call changes RAX, RCX and R11 only.
    unsafe {
        core::arch::asm!(
            "syscall",
            inlateout("rax") result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack)
        );
    }
    result == 0
}
