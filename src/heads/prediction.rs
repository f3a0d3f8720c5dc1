//! What the text says: the result of all heads for one message. What is done about it is the policy's.

use crate::patterns::Entity;
use serde::{Deserialize, Serialize};

/// Whether the message is one of the things the model knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The best intent can be relied on.
    Matched,
    /// The best two are too close to choose.
    Ambiguous,
    /// None of the intents.
    OutOfScope,
}

impl Status {
    /// Name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Ambiguous => "ambiguous",
            Self::OutOfScope => "out_of_scope",
        }
    }
}

/// What the customer wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntentPrediction {
    /// How far the ranking can be relied on.
    pub status: Status,
    /// Every intent with its probability, best first. Without the rejection they need not sum to one.
    pub ranking: Vec<(String, f32)>,
    /// Probability that it is none of them.
    pub rejection: f32,
    /// How far the message lies beyond the thresholds of the rejection, in probability: positive where it is out of scope, negative where
    /// it is not, zero on the threshold.
    pub out_of_scope_margin: f32,
}

impl IntentPrediction {
    /// The best intent, unless the message is out of scope.
    #[must_use]
    pub fn matched(&self) -> Option<&str> {
        let best = self.ranking.first().map(|(name, _)| name.as_str());
        best.filter(|_| self.status != Status::OutOfScope)
    }
}

/// The three feelings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sentiment {
    /// Displeased.
    Negative,
    /// Neither.
    Neutral,
    /// Pleased.
    Positive,
}

impl Sentiment {
    /// Every label, in the order of the head's rows.
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    /// Name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

/// How the customer feels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SentimentPrediction {
    /// The most probable feeling.
    pub label: Sentiment,
    /// p(positive) − p(negative), in [−1, 1].
    pub score: f32,
    /// Probability of each feeling, in the order of [`Sentiment::ALL`].
    pub probabilities: [f32; 3],
}

/// One emotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmotionScore {
    /// Its name.
    pub name: String,
    /// Its probability.
    pub score: f32,
    /// Whether the probability reaches the emotion's threshold.
    pub present: bool,
}

/// What the text says. A head that the model lacks leaves `None`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Prediction {
    /// What the customer wants.
    pub intent: Option<IntentPrediction>,
    /// What is named, in the order of the text.
    pub entities: Option<Vec<Entity>>,
    /// How the customer feels.
    pub sentiment: Option<SentimentPrediction>,
    /// Every emotion, strongest first.
    pub emotions: Option<Vec<EmotionScore>>,
}

/// Most intents of a ranking that are kept.
const KEPT: usize = 10;

impl Prediction {
    /// What is kept of a prediction, and what decisions are made from: the best few of the ranking.
    #[must_use]
    pub fn kept(mut self) -> Self {
        if let Some(intent) = &mut self.intent {
            intent.ranking.truncate(KEPT);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_score_survives_json_to_the_last_bit(bits in any::<u32>()) {
            let score = f32::from_bits(bits);
            prop_assume!(score.is_finite());
            let text = serde_json::to_string(&EmotionScore { name: "anger".to_owned(), score, present: true }).unwrap();
            let read: EmotionScore = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read.score.to_bits(), bits);
        }
    }
}
