//! Intel AMX in software, for tests on processors without it.
//!
//! There every tile instruction raises `#UD`, which Linux delivers as SIGILL. [`install`] sets a handler that decodes the
//! instruction, performs it on tiles of the thread, and steps over it: the real machine code of a kernel runs, slowly. Where the
//! processor has AMX and the process its permission, nothing is raised and nothing emulated. Whatever else raises SIGILL, and
//! whatever a processor with AMX would refuse, ends the process by SIGILL (a processor ends a wrong `ldtilecfg` by SIGSEGV).
//!
//! Left out, and refused: operands relative to RIP, prefixes before the VEX prefix, and a start row other than 0.

#![expect(unsafe_code, reason = "a signal handler that reads and writes the memory of the interrupted code")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    clippy::inline_always,
    reason = "machine words and bytes as instructions take them; indices are below the fixed sizes; two builds of one text"
)]

mod decode;
mod tiles;

use core::ffi::{c_int, c_void};
use decode::Decoder;
use std::cell::UnsafeCell;
use std::sync::Once;
use tiles::{INITIAL, State, fused};

thread_local! {
    // Constant and without destructor, so that a signal handler reaches it without initialisation or allocation.
    static STATE: UnsafeCell<State> = const { UnsafeCell::new(INITIAL) };
}

/// Sets the SIGILL handler of this process, once; later calls do nothing.
///
/// # Panics
/// When the operating system refuses the handler.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let _ = fused(); // the standard library remembers the answer for the handler
        let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_illegal_instruction;
        // SAFETY: all-zero is a valid `sigaction`; the handler has the form that SA_SIGINFO asks for and stays within what a
        // handler of a synchronous signal may do.
        let result = unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER;
            libc::sigaction(libc::SIGILL, &raw const action, core::ptr::null_mut())
        };
        assert_eq!(result, 0, "sigaction: {}", std::io::Error::last_os_error());
    });
}

extern "C" fn on_illegal_instruction(_signal: c_int, information: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid context, which belongs to the handler until it returns.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    // SAFETY: as above, for the information.
    let raised_by_processor = unsafe { (*information).si_code } > 0;
    if raised_by_processor {
        let before = registers[libc::REG_RIP as usize];
        // SAFETY: RIP points to an instruction that the processor has refused. The tiles belong to this thread, and only this
        // handler uses them, which runs no tile instruction. Memory operands are as valid as the interrupted code makes them.
        STATE.with(|state| unsafe { run(&mut *state.get(), registers) });
        if registers[libc::REG_RIP as usize] != before {
            return;
        }
    }
    // SAFETY: both calls are allowed in a signal handler. The instruction runs again under the default action, which ends the
    // process; a signal that someone sent is sent again, for there is no such instruction.
    unsafe {
        libc::signal(libc::SIGILL, libc::SIG_DFL);
        if !raised_by_processor {
            libc::raise(libc::SIGILL);
        }
    }
}

/// Performs the tile instructions from RIP on and steps over them, up to the first that is none or that a processor would refuse.
/// To perform those that follow the first saves their signals.
///
/// # Safety
/// RIP points to an instruction that this thread is about to run. The addresses of the instructions are valid for them.
unsafe fn run(state: &mut State, registers: &mut [libc::greg_t; 23]) {
    loop {
        let mut decoder = Decoder { registers, read: 0 };
        // SAFETY: by the promise of the caller; a tile instruction leads to the one that follows it, and changes no register.
        let Some(operation) = (unsafe { decoder.instruction() }) else { return };
        let length = decoder.read;
        // SAFETY: by the promise of the caller.
        if unsafe { state.perform(operation) }.is_none() {
            return;
        }
        registers[libc::REG_RIP as usize] += length;
    }
}
