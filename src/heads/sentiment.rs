//! Sentiment: softmax over negative, neutral, positive.

use super::{Head, Logits, Prediction, Sentiment, SentimentPrediction, softmax};
use crate::backend::HeadKind;
use crate::model::{HeadsManifest, SentimentManifest};
use crate::text::Encoded;

struct SentimentHead(SentimentManifest);

pub fn build(manifest: &HeadsManifest) -> Option<Box<dyn Head>> {
    manifest.sentiment.clone().map(|head| Box::new(SentimentHead(head)) as Box<dyn Head>)
}

impl Head for SentimentHead {
    fn kind(&self) -> HeadKind {
        HeadKind::Sentiment
    }

    fn classes(&self) -> usize {
        Sentiment::ALL.len()
    }

    fn decode(&self, logits: Logits<'_>, _input: &Encoded, prediction: &mut Prediction) {
        let probabilities = softmax(logits.row(0), self.0.calibration.temperature);
        let [negative, neutral, positive] = *probabilities.as_slice().unwrap_or_default() else { return };
        let probabilities = [negative, neutral, positive];
        let best = Sentiment::ALL.into_iter().zip(probabilities).max_by(|(_, a), (_, b)| a.total_cmp(b));
        let label = best.map_or(Sentiment::Neutral, |(label, _)| label);
        prediction.sentiment = Some(SentimentPrediction { label, score: positive - negative, probabilities });
    }
}
