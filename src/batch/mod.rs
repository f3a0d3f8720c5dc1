//! What goes through the encoder together? Waiting messages become the next ragged batch.

mod packed;

pub use packed::PackedBatch;
