//! Rasa's own files: training data (`nlu.yml`) and dumps of its tracker.

mod annotation;
mod nlu;
mod tracker;

pub use annotation::{Annotated, annotated};
pub use nlu::Nlu;
pub use tracker::Tracker;
