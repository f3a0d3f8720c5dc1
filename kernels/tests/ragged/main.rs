//! Ragged batches on every tier against f64: attention of messages of unlike length (`attending`), embedding and layer-norm of
//! rows (`hidden`).

#![expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::indexing_slicing, reason = "test values")]

#[path = "../harness/mod.rs"]
mod harness;

mod attending;
mod hidden;
