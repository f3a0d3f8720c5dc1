//! Which examples are there to learn from? Data directories become checked examples, each with its place in a file.

mod check;
mod directory;
mod example;
mod folds;
mod row;
mod stats;
pub mod export;
pub mod import;
mod writer;

pub use check::{Finding, Severity, check};
pub use directory::{DataDirectory, DataError, Split};
pub use example::{Example, IntentLabel, LabelledSpan, Place};
pub use folds::{Folds, part};
pub use stats::{Bucket, ContextStats, DataStats, EntityStats, Lengths, SplitStats, Vocabulary, stats, stats_page, stats_text};
pub use row::{Row, RowEntity, RowSentiment, RowTurn};
pub use writer::{DataWriter, WriteError, Written};
