//! What a model can say at all: the names that its heads know.

use crate::model::{HeadsManifest, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Names that the heads of one model know. An empty list is a head that the model lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Labels {
    /// Intents.
    pub intents: Vec<String>,
    /// Whether there is a sentiment.
    pub sentiment: bool,
    /// Emotions.
    pub emotions: Vec<String>,
}

impl Labels {
    /// The labels of a manifest.
    #[must_use]
    pub fn of(heads: &HeadsManifest) -> Self {
        Self {
            intents: heads.intent.as_ref().map(|head| head.labels.clone()).unwrap_or_default(),
            sentiment: heads.sentiment.is_some(),
            emotions: heads.emotions.as_ref().map(|head| head.labels.clone()).unwrap_or_default(),
        }
    }

    /// The first 16 hexadecimal digits of the content's sha256.
    #[must_use]
    pub fn hash(&self) -> String {
        let content = serde_json::to_vec(self).unwrap_or_default();
        hex(Sha256::digest(content).get(..8).unwrap_or_default())
    }
}
