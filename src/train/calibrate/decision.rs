//! What the thresholds see of one message, beside what is so.

use crate::data::IntentLabel;
use crate::heads::IntentPrediction;
use ndarray::ArrayView1;

/// The best intent of a message with its scores, and whether it is right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// Row of the best intent.
    pub best: usize,
    /// Its probability.
    pub score: f32,
    /// Probability of the second.
    pub second: f32,
    /// Probability of the rejection.
    pub rejection: f32,
    /// Logits of the best intent and of the rejection, as the head gives them.
    pub logits: [f32; 2],
    /// Whether the message is out of scope.
    pub outside: bool,
    /// Whether the best intent is the right one.
    pub right: bool,
}

impl Decision {
    /// The decision on a message whose intent is known, from its prediction and the logits that gave it.
    pub fn new(labels: &[String], known: &IntentLabel, said: &IntentPrediction, logits: ArrayView1<'_, f32>) -> Option<Self> {
        let mut ranking = said.ranking.iter();
        let (name, score) = ranking.next()?;
        Some(Self {
            best: labels.iter().position(|label| label == name)?,
            score: *score,
            second: ranking.next().map_or(0.0, |(_, score)| *score),
            rejection: said.rejection,
            logits: [
                logits.iter().take(labels.len()).copied().fold(f32::NEG_INFINITY, f32::max),
                logits.get(labels.len()).copied().unwrap_or(0.0),
            ],
            outside: *known == IntentLabel::OutOfScope,
            right: matches!(known, IntentLabel::Named(known) if known == name),
        })
    }
}

/// `part` of `whole`; nothing of nothing is zero.
#[expect(clippy::cast_precision_loss, reason = "counts of examples")]
pub fn share(part: usize, whole: usize) -> f32 {
    if whole == 0 { 0.0 } else { part as f32 / whole as f32 }
}

/// How many are so.
pub fn count<'a>(decisions: impl IntoIterator<Item = &'a Decision>, so: impl Fn(&Decision) -> bool) -> usize {
    decisions.into_iter().filter(|decision| so(decision)).count()
}

/// The scores that a threshold may have: 0, 0.01 … 0.99.
pub fn grid() -> Vec<f32> {
    (0..100u8).map(|step| f32::from(step) / 100.0).collect()
}
