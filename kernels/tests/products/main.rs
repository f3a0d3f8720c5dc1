//! Products of every tier, every element, range and epilogue against f64 and against whole numbers: what `Kernels::convert` and
//! `Kernels::product` promise of a result (`sums`), of a row among others and of a team (`rows`), of the operands (`operands`),
//! and what they refuse (`refusals`).

#![expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::indexing_slicing, reason = "test values")]

#[path = "../harness/mod.rs"]
mod harness;

mod case;
mod operands;
mod refusals;
mod rows;
mod sums;
