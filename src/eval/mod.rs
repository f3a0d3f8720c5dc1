//! How right is a model? Predictions beside what is known become one report, rendered as text or JSON.

mod classification;
mod confidence;
mod render;
mod report;
mod spans;
mod spread;

pub use classification::{Classification, Counts};
pub use confidence::{CALIBRATION_BINS, area_under_roc, expected_calibration_error};
pub use render::{line, text};
pub use report::{Gate, Judged, Report, report};
pub use spans::SpanScores;
pub use spread::{Spread, spread};
