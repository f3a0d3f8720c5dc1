//! `hearken.toml`: which heads a model has, what their labels are, how they are calibrated, and where the model comes from.

use super::{IntentManifest, ModelError};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "hearken.toml";

/// How token vectors become the vector of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// Mean over all tokens.
    Mean,
    /// The first token.
    Cls,
}

/// The manifest of a model directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this file's layout; 1.
    pub format: u32,
    /// Name on the wire.
    pub name: String,
    /// Version on the wire.
    pub version: String,
    /// BCP 47 language of the training data.
    pub language: String,
    /// Most tokens of one input, special tokens and context included.
    pub max_tokens: usize,
    /// Most tokens of context; 0 when the model was trained without.
    pub context_tokens: usize,
    /// Pooling.
    pub pooling: Pooling,
    /// Every other file with its sha256.
    pub files: BTreeMap<String, String>,
    /// The heads.
    pub heads: HeadsManifest,
    /// Provenance.
    pub training: Option<TrainingManifest>,
    /// What the model was measured on after training, by `hearken model card --data`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluations: Vec<EvaluationManifest>,
}

/// The heads of a model; each may be absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct HeadsManifest {
    /// What the customer wants.
    pub intent: Option<IntentManifest>,
    /// Which things are named.
    pub entities: Option<EntitiesManifest>,
    /// How the customer feels.
    pub sentiment: Option<SentimentManifest>,
    /// Which emotions show.
    pub emotions: Option<EmotionsManifest>,
}

impl HeadsManifest {
    /// Name and number of logits of each head that is there, in the fixed order intent, entities, sentiment, emotions.
    #[must_use]
    pub fn rows(&self) -> Vec<(&'static str, usize)> {
        let intent = self.intent.as_ref().map(|head| ("intent", head.labels.len() + usize::from(head.rejection)));
        let entities = self.entities.as_ref().map(|head| ("entities", 1 + 2 * head.labels.len()));
        let sentiment = self.sentiment.as_ref().map(|_| ("sentiment", 3));
        let emotions = self.emotions.as_ref().map(|head| ("emotions", head.labels.len()));
        [intent, entities, sentiment, emotions].into_iter().flatten().collect()
    }
}

/// How logits become probabilities that can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Logits are divided by this (Guo et al., 2017).
    pub temperature: f32,
    /// Expected calibration error on validation data, 15 bins.
    pub expected_calibration_error: Option<f32>,
}

/// BIO tags over words: `O`, then `B-` and `I-` of each label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntitiesManifest {
    /// Names, in the order of the head's rows.
    pub labels: Vec<String>,
    /// Calibration.
    pub calibration: Calibration,
}

/// Softmax over `negative`, `neutral`, `positive`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentimentManifest {
    /// Calibration.
    pub calibration: Calibration,
}

/// A sigmoid for each emotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmotionsManifest {
    /// Names, in the order of the head's rows.
    pub labels: Vec<String>,
    /// An emotion is present from this probability on, in the order of the labels.
    pub thresholds: Vec<f32>,
    /// Calibration.
    pub calibration: Calibration,
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingManifest {
    /// Version of hearken.
    pub hearken: String,
    /// Commit of the working directory that the run was started in, where git knows one.
    pub commit: Option<String>,
    /// Seed of every random choice.
    pub seed: u64,
    /// Epochs of the kept weights.
    pub epochs: u32,
    /// Optimiser steps of the kept weights.
    pub steps: u64,
    /// sha256 of the base encoder's weights.
    pub base_sha256: String,
    /// sha256 of the weights of the model that taught it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher_sha256: Option<String>,
    /// The recipe, as it ran.
    pub recipe: toml::Table,
    /// Metrics of the kept weights on validation data.
    pub validation: BTreeMap<String, f64>,
    /// The data, in order.
    pub data: Vec<DataProvenance>,
}

/// One file of training data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataProvenance {
    /// Folder and file name.
    pub file: String,
    /// Rows.
    pub rows: usize,
    /// sha256.
    pub sha256: String,
}

/// Figures of the finished model on one file of data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationManifest {
    /// Folder and file name.
    pub file: String,
    /// Rows.
    pub rows: usize,
    /// sha256 of the file.
    pub sha256: String,
    /// Backend, and what it computes in.
    pub backend: String,
    /// The figures, by their dotted path.
    pub figures: BTreeMap<String, f64>,
}

impl Manifest {
    /// Parses and checks `hearken.toml`.
    ///
    /// # Errors
    /// When it does not parse, holds an unknown key, or contradicts itself.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let manifest: Self = toml::from_str(text).map_err(|error| ModelError::Malformed { file: FILE, detail: error.to_string() })?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), ModelError> {
        if self.format != 1 {
            return Err(wrong("format", format!("{} is not known to this version of hearken, which reads 1", self.format)));
        }
        if self.max_tokens < 8 {
            return Err(wrong("max_tokens", format!("{} leaves no room for a message; at least 8", self.max_tokens)));
        }
        if self.context_tokens >= self.max_tokens {
            return Err(wrong("context_tokens", format!("{} must be below max_tokens {}", self.context_tokens, self.max_tokens)));
        }
        if self.heads == HeadsManifest::default() {
            return Err(wrong("heads", "the model has no head".to_owned()));
        }
        if let Some(head) = &self.heads.intent {
            head.check()?;
        }
        if let Some(head) = &self.heads.entities {
            check_labels("heads.entities", &head.labels, head.calibration.temperature)?;
        }
        if let Some(head) = &self.heads.sentiment {
            check_temperature("heads.sentiment", head.calibration.temperature)?;
        }
        if let Some(head) = &self.heads.emotions {
            check_labels("heads.emotions", &head.labels, head.calibration.temperature)?;
            if head.thresholds.len() != head.labels.len() {
                let detail = format!("{} thresholds for {} labels", head.thresholds.len(), head.labels.len());
                return Err(wrong("heads.emotions.thresholds", detail));
            }
            head.thresholds.iter().try_for_each(|value| check_probability("heads.emotions.thresholds", *value))?;
        }
        Ok(())
    }
}

pub(super) fn wrong(key: &str, detail: String) -> ModelError {
    ModelError::Contradiction { file: FILE, key: key.to_owned(), detail }
}

pub(super) fn check_labels(head: &str, labels: &[String], temperature: f32) -> Result<(), ModelError> {
    let key = format!("{head}.labels");
    if labels.is_empty() {
        return Err(wrong(&key, "is empty".to_owned()));
    }
    let mut seen = BTreeSet::new();
    if let Some(label) = labels.iter().find(|label| label.trim().is_empty() || !seen.insert(label.as_str())) {
        return Err(wrong(&key, format!("`{label}` is empty or stands twice")));
    }
    check_temperature(head, temperature)
}

fn check_temperature(head: &str, temperature: f32) -> Result<(), ModelError> {
    if temperature.is_finite() && temperature > 0.0 {
        return Ok(());
    }
    Err(wrong(&format!("{head}.calibration.temperature"), format!("{temperature} must be above 0")))
}

pub(super) fn check_probability(key: &str, value: f32) -> Result<(), ModelError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(wrong(key, format!("{value} is outside [0, 1]")))
}
