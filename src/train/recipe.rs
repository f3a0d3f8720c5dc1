//! The numbers of a training run. A recipe file names only what differs from these defaults.

use super::calibrate::CalibrationOptions;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The numbers of a training run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recipe {
    /// Name of the model; the output directory's name when absent.
    pub name: Option<String>,
    /// Version of the model.
    pub version: String,
    /// BCP 47 language of the data.
    pub language: String,
    /// Most epochs.
    pub epochs: u32,
    /// Where they are fewer steps than this, there are more epochs, up to three times as many.
    pub least_steps: u64,
    /// Messages of one step.
    pub batch_rows: usize,
    /// Highest learning rate of the encoder.
    pub learning_rate: f64,
    /// Highest learning rate of the heads, which start from nothing.
    pub head_learning_rate: f64,
    /// Share of the steps over which the learning rate rises; it falls linearly to zero over the rest.
    pub warmup: f64,
    /// Decoupled weight decay of matrices.
    pub weight_decay: f64,
    /// Longest gradient; longer ones are scaled down to it.
    pub clip_norm: f64,
    /// Probability of dropout, in multiples of 1/256.
    pub dropout: f32,
    /// Weight of a teacher's word against the labels, where there is a teacher; a message without a label has the teacher's alone.
    pub teacher_weight: f32,
    /// Probability that a word of a training message is hidden.
    pub word_masking: f64,
    /// Weight of the disagreement between two readings of each message under different dropout (Liang et al., 2021, "R-Drop"); 0 reads once,
    /// in half the time.
    pub consistency: f64,
    /// Probability taken from the right intent and spread over all.
    pub label_smoothing: f32,
    /// Factor on the learning rate from each layer to the one below it (Howard and Ruder, 2018); 1 for one rate.
    pub layer_decay: f64,
    /// Length that the intent head starts with, as the mean of its messages' directions; 0 starts it at random.
    pub prototype_scale: f64,
    /// Whether each intent's name, in words, is one more message of it.
    pub label_names: bool,
    /// How far rare intents count for more: their weight is their frequency to the power of minus this; 0 for not at all.
    pub class_weighting: f64,
    /// A phase before the heads' in which messages of one intent are drawn together.
    pub contrastive: Contrastive,
    /// Decay, per step, of the running mean of the weights that is validated and kept (Polyak and Juditsky, 1992); 0 keeps the weights
    /// themselves.
    pub averaging: f64,
    /// Epochs without a better validation score after which training stops.
    pub patience: u32,
    /// Share of `train` that becomes `valid` where no data directory has a `valid.jsonl`.
    pub valid_share: f64,
    /// Most rows of it.
    pub valid_rows: usize,
    /// With fewer rows than this, of which some were held out, training is done once more with those as well.
    pub refit_below: usize,
    /// Most tokens of one input.
    pub max_tokens: usize,
    /// Most tokens of context, where the data has any.
    pub context_tokens: usize,
    /// Minutes between checkpoints.
    pub checkpoint_minutes: f64,
    /// Weight of each head's loss; 0 leaves the head out of the model.
    pub loss: LossWeights,
    /// What the thresholds are chosen for.
    pub calibration: CalibrationOptions,
}

/// The contrastive phase (Tunstall et al., 2022, "`SetFit`").
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contrastive {
    /// Epochs; 0 for no such phase.
    pub epochs: u32,
    /// Cosines are divided by this.
    pub temperature: f64,
}

impl Default for Contrastive {
    fn default() -> Self {
        Self { epochs: 0, temperature: 0.1 }
    }
}

/// Weight of each head's loss.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LossWeights {
    /// Cross-entropy of the intent.
    pub intent: f64,
    /// Cross-entropy of the tags, a mean over words.
    pub entities: f64,
    /// Cross-entropy of the sentiment.
    pub sentiment: f64,
    /// Binary cross-entropy of the emotions, a sum over emotions.
    pub emotions: f64,
}

impl Default for LossWeights {
    fn default() -> Self {
        Self { intent: 1.0, entities: 1.0, sentiment: 1.0, emotions: 0.5 }
    }
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            name: None,
            version: "1.0.0".to_owned(),
            language: "en".to_owned(),
            epochs: 8,
            least_steps: 500,
            batch_rows: 32,
            learning_rate: 1e-4,
            head_learning_rate: 1e-3,
            warmup: 0.1,
            weight_decay: 0.01,
            clip_norm: 1.0,
            dropout: 0.1,
            teacher_weight: 0.5,
            word_masking: 0.0,
            consistency: 3.0,
            label_smoothing: 0.1,
            layer_decay: 1.0,
            prototype_scale: 20.0,
            label_names: true,
            class_weighting: 0.0,
            contrastive: Contrastive::default(),
            averaging: 0.0,
            patience: 3,
            valid_share: 0.1,
            valid_rows: 500,
            refit_below: 5000,
            max_tokens: 128,
            context_tokens: 64,
            checkpoint_minutes: 2.0,
            loss: LossWeights::default(),
            calibration: CalibrationOptions::default(),
        }
    }
}

/// A recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The file system.
    #[error("recipe `{0}` cannot be read: {1}")]
    Io(String, std::io::Error),
    /// The syntax, or a key that is not known.
    #[error("recipe `{0}`: {1}")]
    Syntax(String, toml::de::Error),
    /// A number.
    #[error("recipe, key `{key}`: {value} is outside {range}")]
    Range {
        /// The key.
        key: &'static str,
        /// As given.
        value: f64,
        /// What is allowed.
        range: &'static str,
    },
}

impl Recipe {
    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// When the file cannot be read, does not parse, or a number is out of its range.
    pub fn open(file: &Path) -> Result<Self, RecipeError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| RecipeError::Io(name.clone(), error))?;
        let recipe: Self = toml::from_str(&text).map_err(|error| RecipeError::Syntax(name, error))?;
        recipe.check()?;
        Ok(recipe)
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes in a recipe are small")]
    fn check(&self) -> Result<(), RecipeError> {
        let (rows, tokens, context) = (self.batch_rows as f64, self.max_tokens as f64, self.context_tokens as f64);
        let checks = [
            ("epochs", f64::from(self.epochs), 1.0, 10_000.0, "1..=10000"),
            ("batch_rows", rows, 1.0, 4096.0, "1..=4096"),
            ("learning_rate", self.learning_rate, 0.0, 1.0, "[0, 1]"),
            ("head_learning_rate", self.head_learning_rate, 0.0, 1.0, "[0, 1]"),
            ("warmup", self.warmup, 0.0, 1.0, "[0, 1]"),
            ("weight_decay", self.weight_decay, 0.0, 1.0, "[0, 1]"),
            ("clip_norm", self.clip_norm, 1e-6, 1e6, "(0, 1e6]"),
            ("dropout", f64::from(self.dropout), 0.0, 0.9, "[0, 0.9]"),
            ("teacher_weight", f64::from(self.teacher_weight), 0.0, 1.0, "[0, 1]"),
            ("word_masking", self.word_masking, 0.0, 0.9, "[0, 0.9]"),
            ("consistency", self.consistency, 0.0, 100.0, "[0, 100]"),
            ("label_smoothing", f64::from(self.label_smoothing), 0.0, 0.9, "[0, 0.9]"),
            ("layer_decay", self.layer_decay, 0.1, 1.0, "[0.1, 1]"),
            ("prototype_scale", self.prototype_scale, 0.0, 1000.0, "[0, 1000]"),
            ("class_weighting", self.class_weighting, 0.0, 1.0, "[0, 1]"),
            ("contrastive.epochs", f64::from(self.contrastive.epochs), 0.0, 10_000.0, "0..=10000"),
            ("contrastive.temperature", self.contrastive.temperature, 0.01, 10.0, "[0.01, 10]"),
            ("averaging", self.averaging, 0.0, 0.9999, "[0, 0.9999]"),
            ("valid_rows", self.valid_rows as f64, 1.0, 1e9, "1..=1000000000"),
            ("patience", f64::from(self.patience), 1.0, 10_000.0, "1..=10000"),
            ("valid_share", self.valid_share, 0.01, 0.9, "[0.01, 0.9]"),
            ("max_tokens", tokens, 8.0, 4096.0, "8..=4096"),
            ("context_tokens", context, 0.0, tokens - 8.0, "0..=max_tokens - 8"),
            ("loss.intent", self.loss.intent, 0.0, 1e6, "[0, 1e6]"),
            ("loss.entities", self.loss.entities, 0.0, 1e6, "[0, 1e6]"),
            ("loss.sentiment", self.loss.sentiment, 0.0, 1e6, "[0, 1e6]"),
            ("loss.emotions", self.loss.emotions, 0.0, 1e6, "[0, 1e6]"),
            ("checkpoint_minutes", self.checkpoint_minutes, 0.0, 1e6, "[0, 1e6]"),
        ];
        let checks = checks.into_iter().chain(self.calibration.bounds());
        match checks.into_iter().find(|(_, value, least, most, _)| !(least..=most).contains(&value)) {
            Some((key, value, _, _, range)) => Err(RecipeError::Range { key, value, range }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_recipe_names_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recipe.toml");
        for (text, key) in
            [("epochs = 0", "epochs"), ("dropuot = 0.1", "dropuot"), ("dropout = \"a lot\"", "dropout"), ("[loss]\nmood = 1", "mood")]
        {
            std::fs::write(&file, text).unwrap();
            let error = Recipe::open(&file).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
        std::fs::write(&file, "epochs = 3\n[loss]\nemotions = 2.0").unwrap();
        assert_eq!(Recipe::open(&file).unwrap().epochs, 3);
    }
}
