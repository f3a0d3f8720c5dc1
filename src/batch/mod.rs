//! What goes through the encoder together? Waiting messages become the next ragged batch.

mod limits;
mod pace;
mod packed;
mod plan;
mod turns;
mod waiting;

pub use limits::BatchLimits;
pub use pace::Pace;
pub use packed::PackedBatch;
pub use plan::{Fate, Workers, plan};
pub use turns::Turns;
pub use waiting::{Class, PerClass, Waiting};
