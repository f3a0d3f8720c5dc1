//! Which examples are there to learn from? Data directories become checked examples, each with its place in a file.

mod augment;
mod check;
mod directory;
mod distort;
mod example;
pub mod export;
mod folding;
mod folds;
pub mod import;
mod output;
mod per_split;
mod record;
mod redact;
mod rewrite;
mod row;
mod split;
mod stats;
mod suggest;
mod talks;
mod writer;

pub use augment::{AugmentOptions, Augmenter};
pub use check::{Embed, Finding, FindingKind, Severity, check};
pub use directory::{DataDirectory, DataError, Split, WrongLine};
pub use distort::{DISTORTIONS, Distortion, Purpose, distort, distortion};
pub use example::{Example, IntentLabel, LabelledSpan, Place};
pub use folds::{Folds, part};
pub use output::{OutputDirectory, OutputError};
pub use per_split::PerSplit;
pub use record::{EntityError, Record, lines_of_text, read_records, records_of};
pub use redact::{KINDS as REDACTED_KINDS, Key, Kind as RedactedKind, Redactor, Replacement};
pub use row::{Row, RowEntity, RowSentiment, RowTurn};
pub use split::{Parts, SplitError, SplitOptions, split};
pub use stats::{Bucket, ContextStats, DataStats, EntityStats, Lengths, SplitStats, Vocabulary, stats, stats_page, stats_text};
pub use suggest::{Suggestion, suggest};
pub use talks::{Talk, TalkError, TalkMessage, talks};
pub use writer::{DataWriter, WriteError, Written};
