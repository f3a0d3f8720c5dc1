//! Which tier runs: each tier's processor check, the environment's cap, and one choice per process.

use crate::isa::{avx2, avx512, scalar};
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

/// Every tier, slowest first.
pub const TIERS: &[Tier] = &[
    Tier { name: "scalar", missing: || None, table: &scalar::TABLE },
    Tier { name: "avx2", missing: missing_avx2, table: &avx2::TABLE },
    Tier { name: "avx512", missing: missing_avx512, table: &avx512::TABLE },
];

#[cfg(target_arch = "x86_64")]
fn missing_avx2() -> Option<&'static str> {
    if !std::arch::is_x86_feature_detected!("avx2") {
        return Some("avx2");
    }
    (!std::arch::is_x86_feature_detected!("fma")).then_some("fma")
}

#[cfg(target_arch = "x86_64")]
fn missing_avx512() -> Option<&'static str> {
    if let Some(feature) = missing_avx2() {
        return Some(feature);
    }
    let features = [
        ("avx512f", std::arch::is_x86_feature_detected!("avx512f")),
        ("avx512vl", std::arch::is_x86_feature_detected!("avx512vl")),
        ("avx512dq", std::arch::is_x86_feature_detected!("avx512dq")),
        ("avx512bw", std::arch::is_x86_feature_detected!("avx512bw")),
    ];
    features.into_iter().find(|(_, present)| !present).map(|(feature, _)| feature)
}

#[cfg(not(target_arch = "x86_64"))]
fn missing_avx2() -> Option<&'static str> {
    Some("x86_64")
}

#[cfg(not(target_arch = "x86_64"))]
fn missing_avx512() -> Option<&'static str> {
    Some("x86_64")
}

impl Tier {
    /// The tier's kernels, if this processor has what they need. The environment's cap does not matter here.
    #[must_use]
    pub fn kernels(&self) -> Option<&'static Kernels> {
        (self.missing)().is_none().then_some(self.table)
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
        usable.fold(&scalar::TABLE, |_, faster| faster)
    })
}

/// Name of the tier that [`best`] chose.
#[must_use]
pub fn chosen() -> &'static str {
    best().name
}
