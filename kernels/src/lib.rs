//! Compute kernels of hearken: slices in, slices out.
//!
//! A kernel is reachable only through a [`Kernels`] table, and a table only through [`best`] or a [`Tier`] whose check has
//! passed, so no instruction can run on a processor that lacks it. The slow, obvious versions in [`mod@reference`] are the
//! specification; `tests/conformance.rs` compares every tier with them. This crate knows nothing of models or tensors.
//!
//! ```
//! let kernels = hearken_kernels::best();
//! let mut out = [0.0f32; 3];
//! kernels.gelu(&[-1.0, 0.0, 1.0], &mut out);
//! assert!((out[2] - 0.841_344_7).abs() < 1e-6);
//! ```

#![expect(unsafe_code, reason = "this crate is where `unsafe` lives, behind safe slices")]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_ptr_alignment,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::inline_always,
    reason = "numeric code: lengths are checked at the head of each kernel, names follow the formulas, a tier must inline what it compiles"
)]

mod attention;
#[cfg(feature = "cuda")]
pub mod cuda;
mod dispatch;
mod gemm;
mod isa;
mod matmul;
mod matrix;
mod memory;
pub mod reference;
mod rows;
mod table;
mod team;

pub use attention::RaggedAttention;
pub use dispatch::{TIERS, Tier, TierStatus, best, chosen, tiers};
pub use gemm::Epilogue;
pub use matmul::{MatMul, MatMulScratch, Matrix};
pub use matrix::{Activations, Element, GELU_LOW, InputRange, PANEL, PackedMatrix, Packing};
pub use rows::Gather;
pub use table::{AdamW, Attention, Kernels, LayerNorm, Mask};
pub use team::Team;
