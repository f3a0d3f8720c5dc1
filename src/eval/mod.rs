//! How right is a model? Predictions beside what is known become one report, rendered as text, JSON or a page.
//!
//! [`report`] gives the figures, fast enough for every epoch of training; [`detailed`] adds intervals, curves and examples.

pub mod backtest;
mod bootstrap;
mod classification;
mod compare;
mod confidence;
mod correlation;
mod coverage;
mod detail;
mod emotions;
mod escalation;
mod figures;
mod gate;
mod html;
mod intent;
mod names;
mod outcomes;
mod render;
mod report;
mod robustness;
mod roc;
mod sentiment;
mod spans;
mod spread;
#[cfg(test)]
mod tests;

pub use bootstrap::{Bootstrap, Interval};
pub use classification::{Classification, Confusion, Counts};
pub use compare::{Change, Changes, Comparison, Difference, Verdict, compare, comparison_page, comparison_text, mcnemar};
pub use confidence::{CALIBRATION_BINS, ReliabilityBin, expected_calibration_error, reliability};
pub use correlation::{pearson, spearman};
pub use coverage::{CoveragePoint, coverage, widest};
pub use detail::{Confused, Curves, Detail, Mistake, WantedAccuracy, detailed};
pub use emotions::EmotionScores;
pub use escalation::EscalationScores;
pub use figures::{FIGURES, Figure, PARTS};
pub use gate::Gate;
pub use html::{About, page};
pub use intent::IntentScores;
pub use render::{line, text};
pub use report::{Judged, Report, report};
pub use robustness::{Condition, Robustness};
pub use roc::{Roc, RocPoint, area_under_roc};
pub use sentiment::SentimentScores;
pub use spans::SpanScores;
pub use spread::{Spread, spread};
