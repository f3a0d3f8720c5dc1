//! Temperatures and thresholds, chosen on held-out messages after the weights are fixed.
//!
//! One idea a file: how logits become probabilities (`temperature`, `vector`), what is rejected (`outside`, `rejection`), what is certain
//! enough to be answered (`precision`), what is too close to call (`margin`); `thresholds` puts the last three in order.

mod decision;
mod margin;
mod options;
mod outside;
mod precision;
mod recalibrate;
mod rejection;
mod temperature;
mod thresholds;
mod vector;

pub use options::CalibrationOptions;
pub use recalibrate::recalibrate;

use super::corpus::Item;
use super::validate::place;
use crate::backend::{BatchLogits, HeadKind};
use crate::data::{Example, IntentLabel};
use crate::heads::{Heads, Sentiment, sigmoid};
use crate::model::{EmotionsManifest, HeadsManifest, IntentCalibration, IntentManifest};
use decision::Decision;
use ndarray::Array1;
use temperature::{sigmoid_calibration, softmax_calibration};

/// Fewer known labels than this are too few to choose by; what is there stays.
const LEAST: usize = 20;
/// Fewer positives than this are too few to choose an emotion's threshold by.
const LEAST_POSITIVES: usize = 8;

/// Logits of one decision and the class that is right.
type Labelled = (Array1<f32>, usize);

/// Fits temperatures, then thresholds, into `heads`. What there are too few labels for stays as it is.
///
/// # Errors
/// When a logit is not finite.
pub fn calibrate(
    heads: &mut HeadsManifest,
    logits: &[BatchLogits],
    items: &[Item],
    examples: &[Example],
    options: &CalibrationOptions,
) -> anyhow::Result<()> {
    let row = |kind, index| {
        let (batch, row) = place(index);
        logits.get(batch).and_then(|batch| batch.row(kind, row))
    };
    let numbered = || items.iter().enumerate();
    if let Some(head) = &mut heads.intent {
        let known = numbered().filter_map(|(i, item)| Some((row(HeadKind::Intent, i)?.row(0).to_owned(), item.targets.intent?)));
        calibrate_intent(head, &known.collect::<Vec<_>>());
    }
    if let Some(head) = &mut heads.entities {
        let words = numbered().flat_map(|(i, item)| item.targets.tags.iter().flatten().map(move |&(token, tag)| (i, token, tag)));
        let known = words.filter_map(|(i, token, tag)| Some((row(HeadKind::Entities, i)?.row(token).to_owned(), tag)));
        head.calibration = softmax_calibration(&known.collect::<Vec<_>>()).unwrap_or(head.calibration);
    }
    if let Some(head) = &mut heads.sentiment {
        let known = examples.iter().enumerate().filter_map(|(i, example)| {
            let label = example.sentiment_label()?;
            let class = Sentiment::ALL.into_iter().position(|other| other == label)?;
            Some((row(HeadKind::Sentiment, i)?.row(0).to_owned(), class))
        });
        head.calibration = softmax_calibration(&known.collect::<Vec<_>>()).unwrap_or(head.calibration);
    }
    if let Some(head) = &mut heads.emotions {
        let known =
            numbered().filter_map(|(i, item)| Some((row(HeadKind::Emotions, i)?.row(0).to_owned(), item.targets.emotions.clone()?)));
        calibrate_emotions(head, &known.collect::<Vec<_>>());
    }
    if let Some(head) = &mut heads.intent
        && examples.iter().filter(|example| example.intent == Some(IntentLabel::OutOfScope)).count() >= LEAST
    {
        head.calibration.rejection = None; // it is chosen anew
    }
    let decoder = Heads::of(heads);
    if let Some(head) = &mut heads.intent {
        let mut decisions = Vec::new();
        for (index, (item, example)) in items.iter().zip(examples).enumerate() {
            let (batch, row) = place(index);
            let (Some(known), Some(batch)) = (&example.intent, logits.get(batch)) else { continue };
            let (said, logits) = (decoder.decode(batch, row, &item.input)?.intent, batch.row(HeadKind::Intent, row));
            let decision = said.zip(logits).and_then(|(said, logits)| Decision::new(&head.labels, known, &said, logits.row(0)));
            decisions.extend(decision);
        }
        if !decisions.is_empty() {
            thresholds::choose(head, &decisions, options);
        }
    }
    Ok(())
}

/// The temperature, and a scale and bias for each row where they are worth having.
fn calibrate_intent(head: &mut IntentManifest, known: &[Labelled]) {
    let Some(plain) = softmax_calibration(known) else { return };
    head.calibration = IntentCalibration {
        temperature: plain.temperature,
        expected_calibration_error: plain.expected_calibration_error,
        scale_and_bias: std::collections::BTreeMap::new(),
        rejection: head.calibration.rejection,
    };
    let Some(scaling) = vector::choose(known) else { return };
    let confidence = known.iter().map(|(logits, class)| temperature::confidence(&scaling.apply(logits, plain.temperature), *class));
    head.calibration.expected_calibration_error = Some(temperature::error_of(&confidence.collect::<Vec<_>>()));
    let rows: Vec<String> = head.rows().map(str::to_owned).collect();
    let pairs = scaling.scale.iter().zip(&scaling.bias).map(|(scale, bias)| [*scale, *bias]);
    head.calibration.scale_and_bias = rows.into_iter().zip(pairs).collect();
}

/// The temperature, and the threshold of each emotion; one with too few positives stays as it is.
fn calibrate_emotions(head: &mut EmotionsManifest, known: &[(Array1<f32>, Vec<f32>)]) {
    head.calibration = sigmoid_calibration(known).unwrap_or(head.calibration);
    let temperature = head.calibration.temperature;
    for (class, threshold) in head.thresholds.iter_mut().enumerate() {
        let pairs = known.iter().filter_map(|(logits, so)| Some((sigmoid(*logits.get(class)?, temperature), *so.get(class)? > 0.5)));
        *threshold = best_f1_threshold(&pairs.collect::<Vec<_>>()).unwrap_or(*threshold);
    }
}

/// The threshold of best F1, out of 0.05, 0.10 … 0.95; the middle one of several equally good. `None` with fewer than
/// `LEAST_POSITIVES` positives.
fn best_f1_threshold(pairs: &[(f32, bool)]) -> Option<f32> {
    if pairs.iter().filter(|(_, so)| *so).count() < LEAST_POSITIVES {
        return None;
    }
    let grid = (1..20u8).map(|step| f32::from(step) * 0.05);
    let scored: Vec<(f32, f64)> = grid
        .map(|threshold| {
            let mut counts = crate::eval::Counts::default();
            for (score, so) in pairs {
                counts.add(*so, *score >= threshold);
            }
            (threshold, counts.f1())
        })
        .collect();
    let best = scored.iter().map(|(_, f1)| *f1).fold(0.0, f64::max);
    let equal: Vec<f32> = scored.into_iter().filter(|(_, f1)| best > 0.0 && *f1 >= best).map(|(threshold, _)| threshold).collect();
    equal.get(equal.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threshold_separates() {
        let pairs = [[(0.1, false), (0.3, false), (0.42, true), (0.9, true)]; LEAST_POSITIVES].concat();
        let threshold = best_f1_threshold(&pairs).unwrap();
        assert!(threshold > 0.3 && threshold <= 0.42);
        assert_eq!(best_f1_threshold(&[(0.5, true)]), None);
    }
}
