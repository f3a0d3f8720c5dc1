//! What the tests of every tier share: which tiers run here, fixed values, and comparisons that print what they saw.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[path = "../amx_emulator/mod.rs"]
mod amx_emulator;

use hearken_kernels::{Kernels, TIERS, Tier};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The kernels of every tier that runs here, slowest first. A tier this processor lacks is printed, and fails the run when
/// `HEARKEN_EXPECT_TIERS` (comma-separated) names it. AMX runs in the emulator where tiles are all that the processor lacks.
pub fn tiers() -> Vec<&'static Kernels> {
    let expected = std::env::var("HEARKEN_EXPECT_TIERS").unwrap_or_default();
    let mut found = Vec::new();
    for tier in TIERS {
        if let Some(kernels) = tier.kernels() {
            found.push(kernels);
            continue;
        }
        assert!(!expected.split(',').any(|name| name == tier.name), "tier {} was expected here", tier.name);
        if let Some(kernels) = emulated(tier) {
            println!("emulated tier {}: this processor lacks it", tier.name);
            found.push(kernels);
        } else {
            println!("skipped tier {}: this processor lacks it", tier.name);
        }
    }
    found
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[expect(unsafe_code, reason = "a tier that the emulator runs")]
fn emulated(tier: &Tier) -> Option<&'static Kernels> {
    let only_tiles_lack = tier.name == "amx" && TIERS.iter().any(|tier| tier.name == "avx512-bf16" && tier.kernels().is_some());
    only_tiles_lack.then(|| {
        amx_emulator::install();
        // SAFETY: the emulator runs the instructions of tiles; the tier has no others than those of avx512-bf16, which is here.
        unsafe { tier.kernels_unchecked() }
    })
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn emulated(_: &Tier) -> Option<&'static Kernels> {
    None
}

/// Values in [-scale, scale] from a fixed sequence (Knuth's 64-bit linear congruential constants).
pub fn values(seed: u64, n: usize, scale: f32) -> Vec<f32> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1u64 << 24) as f32 * 2.0 - 1.0) * scale
        })
        .collect()
}

/// Fails where an element is further from its f64 value than `tolerance(element)`.
pub fn close(what: &str, input: &str, got: &[f32], wanted: &[f64], tolerance: impl Fn(usize) -> f64) {
    assert_eq!(got.len(), wanted.len(), "{what}: {input}");
    for (i, (&g, &w)) in got.iter().zip(wanted).enumerate() {
        let (distance, tolerance) = ((f64::from(g) - w).abs(), tolerance(i));
        assert!(distance <= tolerance, "{what}: {input}, element {i}: got {g}, wanted {w}, distance {distance}, promised {tolerance}");
    }
}

/// Fails where a bit differs.
pub fn same(what: &str, input: &str, got: &[f32], wanted: &[f32]) {
    assert_eq!(got.len(), wanted.len(), "{what}: {input}");
    for (i, (g, w)) in got.iter().zip(wanted).enumerate() {
        let distance = g - w;
        assert!(g.to_bits() == w.to_bits(), "{what}: {input}, element {i}: got {g}, wanted {w} bit for bit, distance {distance}");
    }
}

/// The message with which `call` panics; fails where it does not.
pub fn refusal(what: &str, call: impl FnOnce()) -> String {
    let result = catch_unwind(AssertUnwindSafe(call));
    assert!(result.is_err(), "not refused: {what}");
    let message = |payload: Box<dyn Any + Send>| match payload.downcast::<String>() {
        Ok(message) => Some(*message),
        Err(payload) => payload.downcast_ref::<&str>().map(ToString::to_string),
    };
    result.err().and_then(message).unwrap_or_default()
}
