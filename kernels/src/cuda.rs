//! The kernels in `cuda/` for NVIDIA cards, in PTX: the driver compiles them for the card at hand, from the Ampere generation on.
//!
//! What each computes, and in what order it takes its arguments, is in `cuda/kernels.cu`; names end in `_f16` or `_bf16`.

/// The module.
pub const PTX: &str = include_str!(concat!(env!("OUT_DIR"), "/kernels.ptx"));

/// Rows of a block, one warp each.
pub const WARPS: u32 = 4;
