//! Rasa's own files: training data (`nlu.yml`) and dumps of its tracker.

mod annotation;
mod nlu;

pub use annotation::{Annotated, annotated};
pub use nlu::Nlu;
