//! What the thresholds are chosen for: the numbers of a recipe that trade answers against mistakes.

use serde::{Deserialize, Serialize};

/// What the thresholds of the intents are chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalibrationOptions {
    /// How many of the messages that customers write are out of scope, as a share; that of the validation data when absent. A greater
    /// share rejects more and gives up more right answers.
    pub out_of_scope_share: Option<f32>,
    /// Share of the answers that must be right: intents that are less certain are not answered. Without it, every message that
    /// is not out of scope is answered.
    pub target_precision: Option<f32>,
}

/// Key, value, least, most, and the range in words.
pub type Bound = (&'static str, f64, f64, f64, &'static str);

impl CalibrationOptions {
    /// What each number may be.
    #[must_use]
    pub fn bounds(&self) -> [Bound; 2] {
        [
            ("calibration.out_of_scope_share", f64::from(self.out_of_scope_share.unwrap_or(0.5)), 0.001, 0.999, "[0.001, 0.999]"),
            ("calibration.target_precision", f64::from(self.target_precision.unwrap_or(0.5)), 0.01, 1.0, "[0.01, 1]"),
        ]
    }
}
