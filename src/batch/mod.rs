//! What goes through the encoder together? Waiting messages become the next ragged batch.

mod limits;
mod packed;
mod plan;

pub use limits::BatchLimits;
pub use packed::PackedBatch;
pub use plan::plan;
