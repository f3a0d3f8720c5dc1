//! Intent: softmax over the labels and, where trained, one more row for "none of these".

use super::{Head, IntentPrediction, Logits, Prediction, Status, softmax};
use crate::backend::HeadKind;
use crate::model::{HeadsManifest, IntentManifest};
use crate::text::Encoded;

struct IntentHead(IntentManifest);

pub fn build(manifest: &HeadsManifest) -> Option<Box<dyn Head>> {
    manifest.intent.clone().map(|head| Box::new(IntentHead(head)) as Box<dyn Head>)
}

impl Head for IntentHead {
    fn kind(&self) -> HeadKind {
        HeadKind::Intent
    }

    fn classes(&self) -> usize {
        self.0.labels.len() + usize::from(self.0.rejection)
    }

    fn decode(&self, logits: Logits<'_>, _input: &Encoded, prediction: &mut Prediction) {
        let probabilities = softmax(logits.row(0), self.0.calibration.temperature);
        let mut ranking: Vec<(String, f32)> = self.0.labels.iter().cloned().zip(probabilities.iter().copied()).collect();
        ranking.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let rejection = if self.0.rejection { probabilities.iter().copied().next_back().unwrap_or(0.0) } else { 0.0 };
        let status = self.0.status(&ranking, rejection);
        let out_of_scope_margin = self.0.out_of_scope_margin(&ranking, rejection);
        prediction.intent = Some(IntentPrediction { status, ranking, rejection, out_of_scope_margin });
    }
}

impl IntentManifest {
    /// The status that the thresholds give to a ranking.
    #[must_use]
    pub fn status(&self, ranking: &[(String, f32)], rejection: f32) -> Status {
        let mut best = ranking.iter();
        let (first, second) = (best.next(), best.next().map_or(0.0, |(_, score)| *score));
        let Some((name, score)) = first else { return Status::OutOfScope };
        let needed = self.min_score_of.get(name).copied().unwrap_or(self.min_score);
        if (self.rejection && rejection >= self.rejection_threshold) || *score < needed {
            Status::OutOfScope
        } else if score - second < self.ambiguity_margin {
            Status::Ambiguous
        } else {
            Status::Matched
        }
    }

    /// How far a ranking lies beyond the thresholds that make [`IntentManifest::status`] `OutOfScope`: the farther of the rejection above
    /// its threshold and the best intent below its least score. A test that never rejects has no part in it.
    #[must_use]
    pub fn out_of_scope_margin(&self, ranking: &[(String, f32)], rejection: f32) -> f32 {
        let Some((name, score)) = ranking.first() else { return 1.0 };
        let needed = self.min_score_of.get(name).copied().unwrap_or(self.min_score);
        let rejected = self.rejection.then_some(rejection - self.rejection_threshold);
        let unsure = (needed > 0.0).then(|| needed - score);
        // Without any test nothing is rejected; the least sure message is still the nearest to it.
        rejected.into_iter().chain(unsure).reduce(f32::max).unwrap_or(-score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Calibration;
    use ndarray::arr2;

    fn head() -> IntentHead {
        IntentHead(IntentManifest {
            labels: vec!["track".into(), "refund".into()],
            rejection: true,
            rejection_threshold: 0.5,
            min_score: 0.3,
            min_score_of: [("refund".to_owned(), 0.8)].into(),
            ambiguity_margin: 0.1,
            calibration: Calibration { temperature: 1.0, expected_calibration_error: None },
        })
    }

    fn status(logits: [f32; 3]) -> Status {
        let mut prediction = Prediction::default();
        let input = Encoded { ids: vec![], segments: vec![], words: vec![], truncated: false };
        head().decode(arr2(&[logits]).view(), &input, &mut prediction);
        prediction.intent.unwrap().status
    }

    #[test]
    fn the_margin_is_positive_exactly_where_the_message_is_out_of_scope() {
        let ranking = |best: &str, score: f32| vec![(best.to_owned(), score), ("other".to_owned(), 0.0)];
        for rejection in [true, false] {
            for min_score in [0.0, 0.3] {
                let manifest = IntentManifest { rejection, min_score, ambiguity_margin: 0.0, ..head().0 };
                for (best, score, outside) in
                    [("track", 0.9, 0.05), ("track", 0.2, 0.1), ("track", 0.3, 0.69), ("refund", 0.79, 0.1), ("track", 0.01, 0.0)]
                {
                    let (ranking, outside) = (ranking(best, score), if rejection { outside } else { 0.0 });
                    let margin = manifest.out_of_scope_margin(&ranking, outside);
                    assert_eq!(
                        margin > 0.0,
                        manifest.status(&ranking, outside) == Status::OutOfScope,
                        "{best} {score} {outside}: {margin}"
                    );
                }
            }
        }
    }

    #[test]
    fn thresholds_give_the_status() {
        assert_eq!(status([4.0, 0.0, 0.0]), Status::Matched);
        assert_eq!(status([2.0, 1.99, 0.0]), Status::Ambiguous);
        assert_eq!(status([0.0, 0.0, 4.0]), Status::OutOfScope);
        assert_eq!(status([0.0, 1.0, 0.0]), Status::OutOfScope, "refund needs 0.8");
    }
}
