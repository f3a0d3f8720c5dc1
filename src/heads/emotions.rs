//! Emotions: a sigmoid and a threshold for each.

use super::{EmotionScore, Head, Logits, Prediction, sigmoid};
use crate::backend::HeadKind;
use crate::model::{EmotionsManifest, HeadsManifest};
use crate::text::Encoded;

struct EmotionsHead(EmotionsManifest);

pub fn build(manifest: &HeadsManifest) -> Option<Box<dyn Head>> {
    manifest.emotions.clone().map(|head| Box::new(EmotionsHead(head)) as Box<dyn Head>)
}

impl Head for EmotionsHead {
    fn kind(&self) -> HeadKind {
        HeadKind::Emotions
    }

    fn classes(&self) -> usize {
        self.0.labels.len()
    }

    fn decode(&self, logits: Logits<'_>, _input: &Encoded, prediction: &mut Prediction) {
        let labels = self.0.labels.iter().zip(&self.0.thresholds).zip(logits.row(0));
        let score = |((name, threshold), logit): ((&String, &f32), &f32)| {
            let score = sigmoid(*logit, self.0.calibration.temperature);
            EmotionScore { name: name.clone(), score, present: score >= *threshold }
        };
        let mut emotions: Vec<_> = labels.map(score).collect();
        emotions.sort_by(|a, b| b.score.total_cmp(&a.score));
        prediction.emotions = Some(emotions);
    }
}
