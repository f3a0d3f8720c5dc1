//! The intent head in `hearken.toml`: its labels, how its logits become probabilities, and which thresholds decide.

use super::ModelError;
use super::manifest::{check_labels, check_probability, wrong};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Name of the rejection's row where rows are named.
pub const REJECTION: &str = "out_of_scope";

/// Softmax over the pooled vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentManifest {
    /// Names, in the order of the head's rows.
    pub labels: Vec<String>,
    /// Whether one more row stands for "none of these".
    pub rejection: bool,
    /// Out of scope when the rejection's probability reaches this.
    pub rejection_threshold: f32,
    /// Out of scope when the best intent's probability is below this.
    pub min_score: f32,
    /// `min_score` for single intents.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub min_score_of: BTreeMap<String, f32>,
    /// Ambiguous when the two best are closer than this.
    pub ambiguity_margin: f32,
    /// Calibration.
    pub calibration: IntentCalibration,
    /// How the thresholds were chosen, where they were.
    pub operating_point: Option<OperatingPoint>,
}

/// How the logits of the intents become probabilities that can be believed: divided by the temperature, then times the scale
/// plus the bias of their row (Guo et al., 2017).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentCalibration {
    /// Logits are divided by this.
    pub temperature: f32,
    /// Expected calibration error on validation data, 15 bins.
    pub expected_calibration_error: Option<f32>,
    /// `[scale, bias]` by intent; the rejection's row is `out_of_scope`. Empty where the temperature alone is as good; a row
    /// that is not named has `[1, 0]`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scale_and_bias: BTreeMap<String, [f32; 2]>,
    /// `[a, b, c]`: the rejection's probability is the sigmoid of `a` times the best intent's logit, plus `b` times the rejection's
    /// logit, plus `c`. Absent, it is the softmax's.
    pub rejection: Option<[f32; 3]>,
}

impl Default for IntentCalibration {
    fn default() -> Self {
        Self { temperature: 1.0, expected_calibration_error: None, scale_and_bias: BTreeMap::new(), rejection: None }
    }
}

/// How the thresholds of the intents were chosen, and what they gave on the data they were chosen on. Nothing is decided by it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatingPoint {
    /// How many of all messages were taken to be out of scope, as a share.
    pub out_of_scope_share: f32,
    /// Share of the answers that should be right, where it was asked for.
    pub target_precision: Option<f32>,
    /// In-scope messages.
    pub in_scope: usize,
    /// Out-of-scope messages.
    pub out_of_scope: usize,
    /// Share of the in-scope messages that are answered and right.
    pub in_scope_accuracy: f32,
    /// Share of the out-of-scope messages that are rejected.
    pub out_of_scope_recall: Option<f32>,
    /// Share of the in-scope messages whose best intent is right that are not answered.
    pub right_lost: f32,
    /// Share of all messages that are answered.
    pub answered: f32,
    /// Share of the answers that are right.
    pub precision: f32,
    /// `[min_score, share answered, share of these right]`, had `min_score` been this for every intent.
    pub coverage: Vec<[f32; 3]>,
    /// What there was too little data for, or could not be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl IntentManifest {
    /// Names of the head's rows.
    pub fn rows(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().map(String::as_str).chain(self.rejection.then_some(REJECTION))
    }

    pub(super) fn check(&self) -> Result<(), ModelError> {
        check_labels("heads.intent", &self.labels, self.calibration.temperature)?;
        check_probability("heads.intent.rejection_threshold", self.rejection_threshold)?;
        check_probability("heads.intent.min_score", self.min_score)?;
        check_probability("heads.intent.ambiguity_margin", self.ambiguity_margin)?;
        for (name, value) in &self.min_score_of {
            let key = format!("heads.intent.min_score_of.{name}");
            if !self.labels.contains(name) {
                return Err(wrong(&key, "no such intent in heads.intent.labels".to_owned()));
            }
            check_probability(&key, *value)?;
        }
        if let Some(weights) = self.calibration.rejection
            && !(self.rejection && weights.iter().all(|weight| weight.is_finite()))
        {
            let detail = format!("{weights:?} must be three finite numbers, of a model whose `heads.intent.rejection` is true");
            return Err(wrong("heads.intent.calibration.rejection", detail));
        }
        for (name, [scale, bias]) in &self.calibration.scale_and_bias {
            let key = format!("heads.intent.calibration.scale_and_bias.{name}");
            if !self.rows().any(|row| row == name) {
                return Err(wrong(
                    &key,
                    "no such row; heads.intent.labels are those there are, and out_of_scope with a rejection".to_owned(),
                ));
            }
            if !(scale.is_finite() && *scale > 0.0 && bias.is_finite()) {
                return Err(wrong(&key, format!("[{scale}, {bias}] must be a scale above 0 and a finite bias")));
            }
        }
        Ok(())
    }
}
