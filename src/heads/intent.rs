//! Intent: softmax over the labels and, where trained, one more row for "none of these".

use super::{Head, IntentPrediction, Logits, Prediction, Status, sigmoid, softmax};
use crate::backend::HeadKind;
use crate::model::{HeadsManifest, IntentManifest};
use crate::text::Encoded;
use ndarray::{Array1, ArrayView1};

struct IntentHead(IntentManifest, Calibrator);

pub fn build(manifest: &HeadsManifest) -> Option<Box<dyn Head>> {
    manifest.intent.clone().map(|head| Box::new(IntentHead::of(head)) as Box<dyn Head>)
}

impl IntentHead {
    fn of(manifest: IntentManifest) -> Self {
        let calibrator = Calibrator::of(&manifest);
        Self(manifest, calibrator)
    }

    /// Probability that the message is none of the intents.
    fn rejection(&self, logits: ArrayView1<'_, f32>, probabilities: &Array1<f32>) -> f32 {
        let intents = self.0.labels.len();
        match self.0.calibration.rejection {
            None => probabilities.get(intents).copied().unwrap_or(0.0),
            Some([of_best, of_none, constant]) => {
                let best = logits.iter().take(intents).copied().fold(f32::NEG_INFINITY, f32::max);
                sigmoid(of_best * best + of_none * logits.get(intents).copied().unwrap_or(0.0) + constant, 1.0)
            }
        }
    }
}

/// What makes logits of the head into logits whose softmax can be believed.
struct Calibrator {
    temperature: f32,
    /// Scale and bias of each row; nothing where the temperature is all.
    rows: Option<(Array1<f32>, Array1<f32>)>,
}

impl Calibrator {
    fn of(manifest: &IntentManifest) -> Self {
        let calibration = &manifest.calibration;
        let of = |row: &str| calibration.scale_and_bias.get(row).copied().unwrap_or([1.0, 0.0]);
        let rows = (!calibration.scale_and_bias.is_empty()).then(|| manifest.rows().map(of).map(|[scale, bias]| (scale, bias)).unzip());
        let rows = rows.map(|(scales, biases): (Vec<_>, Vec<_>)| (Array1::from(scales), Array1::from(biases)));
        Self { temperature: calibration.temperature, rows }
    }

    fn probabilities(&self, logits: ArrayView1<'_, f32>) -> Array1<f32> {
        match &self.rows {
            None => softmax(logits, self.temperature),
            Some((scale, bias)) => softmax((&logits / self.temperature * scale + bias).view(), 1.0),
        }
    }
}

impl Head for IntentHead {
    fn kind(&self) -> HeadKind {
        HeadKind::Intent
    }

    fn classes(&self) -> usize {
        self.0.labels.len() + usize::from(self.0.rejection)
    }

    fn decode(&self, logits: Logits<'_>, _input: &Encoded, prediction: &mut Prediction) {
        let probabilities = self.1.probabilities(logits.row(0));
        let mut ranking: Vec<(String, f32)> = self.0.labels.iter().cloned().zip(probabilities.iter().copied()).collect();
        ranking.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let rejection = if self.0.rejection { self.rejection(logits.row(0), &probabilities) } else { 0.0 };
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
    use crate::model::IntentCalibration;
    use ndarray::arr2;

    fn head() -> IntentHead {
        IntentHead::of(IntentManifest {
            labels: vec!["track".into(), "refund".into()],
            rejection: true,
            rejection_threshold: 0.5,
            min_score: 0.3,
            min_score_of: [("refund".to_owned(), 0.8)].into(),
            ambiguity_margin: 0.1,
            calibration: IntentCalibration::default(),
            operating_point: None,
        })
    }

    fn decoded(head: &IntentHead, logits: [f32; 3]) -> IntentPrediction {
        let mut prediction = Prediction::default();
        let input = Encoded { ids: vec![], segments: vec![], words: vec![], truncated: false };
        head.decode(arr2(&[logits]).view(), &input, &mut prediction);
        prediction.intent.unwrap()
    }

    fn status(logits: [f32; 3]) -> Status {
        decoded(&head(), logits).status
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

    #[test]
    fn a_fitted_rejection_reads_the_best_and_its_own_logit() {
        let mut manifest = head().0;
        let before = decoded(&IntentHead::of(manifest.clone()), [4.0, 0.0, 1.0]);
        manifest.calibration.rejection = Some([-1.0, 2.0, 0.5]);
        let after = decoded(&IntentHead::of(manifest), [4.0, 0.0, 1.0]);
        assert_eq!(after.ranking, before.ranking);
        assert!((after.rejection - 1.0 / (1.0 + 1.5f32.exp())).abs() < 1e-6, "sigmoid(-4 + 2 + 0.5), not {}", after.rejection);
    }

    #[test]
    fn scale_and_bias_change_their_row_only() {
        let mut manifest = head().0;
        manifest.calibration.temperature = 2.0;
        let before = decoded(&IntentHead::of(manifest.clone()), [2.0, 1.0, 0.0]);
        manifest.calibration.scale_and_bias = [("refund".to_owned(), [3.0, 0.5])].into();
        let after = decoded(&IntentHead::of(manifest), [2.0, 1.0, 0.0]);
        // 1.0 and 0.5 become 1.0 and 2.0 before the softmax.
        let odds = |said: &IntentPrediction, a: &str, b: &str| {
            let of = |name| said.ranking.iter().find(|(label, _)| label == name).unwrap().1;
            (of(a) / of(b)).ln()
        };
        assert!((odds(&before, "track", "refund") - 0.5).abs() < 1e-5 && (odds(&after, "track", "refund") + 1.0).abs() < 1e-5);
        assert_eq!(after.ranking[0].0, "refund");
        assert!((after.ranking[1].1 / after.rejection - 1f32.exp()).abs() < 1e-4, "the other rows keep their odds");
    }
}
