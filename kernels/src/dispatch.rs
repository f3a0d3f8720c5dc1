//! Which tier runs: each tier's processor check, the environment's cap, and one choice per process.

use crate::isa;
use crate::table::Kernels;
use std::sync::OnceLock;

/// A set of kernels and the check that must pass before they may run.
#[derive(Debug)]
pub struct Tier {
    /// Name, as `HEARKEN_KERNELS` takes it.
    pub name: &'static str,
    missing: fn() -> Option<&'static str>,
    table: &'static Kernels,
}

/// Whether a tier is usable here, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierStatus {
    /// It can run.
    Available,
    /// The processor lacks this feature.
    Missing(&'static str),
    /// `HEARKEN_KERNELS` names a lower tier.
    Capped,
}

/// Every tier of this architecture, slowest first.
pub const TIERS: &[Tier] = &[
    Tier { name: "scalar", missing: || None, table: &isa::scalar::TABLE },
    #[cfg(target_arch = "x86_64")]
    Tier { name: "avx2", missing: || missing(&[AVX2]), table: &isa::avx2_tier::TABLE },
    #[cfg(target_arch = "x86_64")]
    Tier { name: "avx-vnni", missing: || missing(&[AVX2, AVX_VNNI]), table: &isa::avx_vnni_tier::TABLE },
    #[cfg(target_arch = "x86_64")]
    Tier { name: "avx512", missing: || missing(&[AVX2, AVX512]), table: &isa::avx512_tier::TABLE },
    #[cfg(target_arch = "x86_64")]
    Tier { name: "avx512-bf16", missing: || missing(&[AVX2, AVX512, BF16]), table: &isa::avx512_bf16_tier::TABLE },
    #[cfg(target_arch = "x86_64")]
    Tier { name: "amx", missing: || missing(&[AVX2, AVX512, BF16]).or_else(isa::amx::missing), table: &isa::amx_tier::TABLE },
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Tier { name: "neon", missing: || missing(&[NEON]), table: &isa::neon_tier::TABLE },
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Tier { name: "dotprod", missing: || missing(&[NEON, DOTPROD]), table: &isa::dotprod_tier::TABLE },
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Tier { name: "i8mm", missing: || missing(&[NEON, DOTPROD, I8MM]), table: &isa::i8mm_tier::TABLE },
];

/// Processor features, each with its check.
type Features = &'static [(&'static str, fn() -> bool)];

/// The first of these features that the processor lacks.
fn missing(groups: &[Features]) -> Option<&'static str> {
    groups.iter().flat_map(|group| group.iter()).find(|(_, present)| !present()).map(|(name, _)| *name)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Features;

    macro_rules! features {
        ($($name:tt),*) => { &[$(($name, || std::arch::is_x86_feature_detected!($name))),*] };
    }

    pub const AVX2: Features = features!("avx2", "fma", "f16c");
    pub const AVX_VNNI: Features = features!("avxvnni");
    pub const AVX512: Features = features!("avx512f", "avx512vl", "avx512dq", "avx512bw", "avx512vnni");
    pub const BF16: Features = features!("avx512bf16");
}
#[cfg(target_arch = "x86_64")]
use x86::{AVX_VNNI, AVX2, AVX512, BF16};

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod arm {
    use super::Features;

    macro_rules! features {
        ($($name:tt),*) => { &[$(($name, || std::arch::is_aarch64_feature_detected!($name))),*] };
    }

    pub const NEON: Features = features!("neon");
    pub const DOTPROD: Features = features!("dotprod");
    pub const I8MM: Features = features!("i8mm", "bf16");
}
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
use arm::{DOTPROD, I8MM, NEON};

impl Tier {
    /// The tier's kernels, if this processor has what they need. The environment's cap does not matter here.
    #[must_use]
    pub fn kernels(&self) -> Option<&'static Kernels> {
        (self.missing)().is_none().then_some(self.table)
    }

    /// The tier's kernels, unchecked: for tests under an emulator, which the check does not see.
    ///
    /// # Safety
    /// The processor, or what emulates it, runs every instruction of the tier.
    #[must_use]
    pub unsafe fn kernels_unchecked(&self) -> &'static Kernels {
        self.table
    }
}

/// Every tier with its status under the cap given by `HEARKEN_KERNELS`.
#[must_use]
pub fn tiers() -> Vec<(&'static str, TierStatus)> {
    let cap = cap();
    TIERS
        .iter()
        .enumerate()
        .map(|(index, tier)| {
            let status = match (tier.missing)() {
                Some(feature) => TierStatus::Missing(feature),
                None if index > cap => TierStatus::Capped,
                None => TierStatus::Available,
            };
            (tier.name, status)
        })
        .collect()
}

/// Index of the highest tier allowed. An unknown name in the environment allows every tier; `hearken doctor` names it.
fn cap() -> usize {
    std::env::var("HEARKEN_KERNELS").ok().and_then(|name| TIERS.iter().position(|tier| tier.name == name)).unwrap_or(TIERS.len())
}

/// The fastest usable tier, chosen once per process.
#[must_use]
pub fn best() -> &'static Kernels {
    static BEST: OnceLock<&'static Kernels> = OnceLock::new();
    BEST.get_or_init(|| {
        let cap = cap();
        let usable = TIERS.iter().enumerate().filter(|(index, _)| *index <= cap).filter_map(|(_, tier)| tier.kernels());
        usable.fold(&isa::scalar::TABLE, |_, faster| faster)
    })
}

/// Name of the tier that [`best`] chose.
#[must_use]
pub fn chosen() -> &'static str {
    best().name
}
