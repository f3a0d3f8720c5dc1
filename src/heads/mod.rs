//! What do the logits say? Each head decodes its own logits into the part of the prediction it is for.

mod calibration;
mod emotions;
mod entities;
mod intent;
mod labels;
mod prediction;
mod sentiment;

pub use calibration::{log_softmax, sigmoid, softmax};
pub use entities::{tag_count, viterbi};
pub use labels::Labels;
pub use prediction::{EmotionScore, IntentPrediction, Prediction, Sentiment, SentimentPrediction, Status};

use crate::backend::{BatchLogits, HeadKind};
use crate::model::HeadsManifest;
use crate::text::Encoded;
use ndarray::ArrayView2;

/// Logits of one head for one message: `[1, classes]` or `[tokens, classes]`.
pub type Logits<'a> = ArrayView2<'a, f32>;

/// Logits that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The backend gave another number of scores than the head has labels.
    #[error("head `{head}`: got {got} logits, wanted {wanted}")]
    Shape {
        /// The head.
        head: &'static str,
        /// Scores there are.
        got: usize,
        /// Scores there should be.
        wanted: usize,
    },
    /// A score is not a number.
    #[error("head `{head}`: a logit is not finite")]
    NotFinite {
        /// The head.
        head: &'static str,
    },
}

/// Decodes the logits of one head into its part of a prediction.
pub trait Head: Send + Sync {
    /// Which logits it reads.
    fn kind(&self) -> HeadKind;

    /// Number of scores in one row of its logits.
    fn classes(&self) -> usize;

    /// Reads `logits` of the message `input` into `prediction`.
    fn decode(&self, logits: Logits<'_>, input: &Encoded, prediction: &mut Prediction);
}

/// Builds a head from the manifest, if the model has it.
type Build = fn(&HeadsManifest) -> Option<Box<dyn Head>>;

/// Every kind of head.
const KINDS: [Build; 4] = [intent::build, entities::build, sentiment::build, emotions::build];

/// The heads of one model.
pub struct Heads(Vec<Box<dyn Head>>);

impl std::fmt::Debug for Heads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|head| head.kind())).finish()
    }
}

impl Heads {
    /// The heads that the manifest describes.
    #[must_use]
    pub fn of(manifest: &HeadsManifest) -> Self {
        Self(KINDS.iter().filter_map(|build| build(manifest)).collect())
    }

    /// The prediction for one row of a batch.
    ///
    /// # Errors
    /// When logits are missing, of the wrong width or not finite.
    pub fn decode(&self, batch: &BatchLogits, row: usize, input: &Encoded) -> Result<Prediction, DecodeError> {
        let mut prediction = Prediction::default();
        for head in &self.0 {
            let name = head.kind().name();
            let missing = DecodeError::Shape { head: name, got: 0, wanted: head.classes() };
            let logits = batch.row(head.kind(), row).ok_or(missing)?;
            if logits.ncols() != head.classes() || logits.nrows() == 0 {
                return Err(DecodeError::Shape { head: name, got: logits.ncols(), wanted: head.classes() });
            }
            if logits.iter().any(|logit| !logit.is_finite()) {
                return Err(DecodeError::NotFinite { head: name });
            }
            head.decode(logits, input, &mut prediction);
        }
        Ok(prediction)
    }
}
