//! What the thresholds are chosen for: the numbers of a recipe that trade answers against mistakes.

use serde::{Deserialize, Serialize};

/// What the thresholds of the intents are chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalibrationOptions {
    /// Most of the right answers that may be given up so that messages out of scope are rejected, as a share: 0.005 is one in
    /// two hundred. More rejects more of what is out of scope.
    pub in_scope_loss: f32,
    /// Share of the answers that must be right: intents that are less certain are not answered. Without it, every message that
    /// is not out of scope is answered.
    pub target_precision: Option<f32>,
}

impl Default for CalibrationOptions {
    fn default() -> Self {
        Self { in_scope_loss: 0.005, target_precision: None }
    }
}

/// Key, value, least, most, and the range in words.
pub type Bound = (&'static str, f64, f64, f64, &'static str);

impl CalibrationOptions {
    /// What each number may be.
    #[must_use]
    pub fn bounds(&self) -> [Bound; 2] {
        [
            ("calibration.in_scope_loss", f64::from(self.in_scope_loss), 0.0, 1.0, "[0, 1]"),
            ("calibration.target_precision", f64::from(self.target_precision.unwrap_or(0.5)), 0.01, 1.0, "[0.01, 1]"),
        ]
    }
}
