//! Temperatures and thresholds, chosen on validation data after the weights are fixed.

use super::corpus::Item;
use super::labels::Labels;
use super::validate::place;
use crate::backend::{BatchLogits, HeadKind};
use crate::data::{Example, IntentLabel};
use crate::eval::{CALIBRATION_BINS, expected_calibration_error};
use crate::heads::{Heads, IntentPrediction, Sentiment, Status, log_softmax, sigmoid};
use crate::model::{Calibration, HeadsManifest, IntentManifest};
use ndarray::Array1;

/// Fewer known labels than this are too few to fit on; the defaults stay.
const LEAST: usize = 20;
/// Fewer positives than this are too few to choose an emotion's threshold by.
const LEAST_POSITIVES: usize = 8;
/// The ambiguity margin where there are too few close decisions to choose it by.
const DEFAULT_MARGIN: f32 = 0.1;

/// Logits of one decision and the class that is right.
type Labelled = (Array1<f32>, usize);

/// Fits temperatures, then thresholds, into `heads`.
///
/// # Errors
/// When a logit is not finite.
pub fn calibrate(
    heads: &mut HeadsManifest,
    labels: &Labels,
    logits: &[BatchLogits],
    items: &[Item],
    examples: &[Example],
) -> anyhow::Result<()> {
    let row = |kind, index| {
        let (batch, row) = place(index);
        logits.get(batch).and_then(|batch| batch.row(kind, row))
    };
    let numbered = || items.iter().enumerate();
    if let Some(head) = &mut heads.intent {
        let known = numbered().filter_map(|(i, item)| Some((row(HeadKind::Intent, i)?.row(0).to_owned(), item.targets.intent?)));
        head.calibration = softmax_calibration(&known.collect::<Vec<_>>());
    }
    if let Some(head) = &mut heads.entities {
        let words = numbered().flat_map(|(i, item)| item.targets.tags.iter().flatten().map(move |&(token, tag)| (i, token, tag)));
        let known = words.filter_map(|(i, token, tag)| Some((row(HeadKind::Entities, i)?.row(token).to_owned(), tag)));
        head.calibration = softmax_calibration(&known.collect::<Vec<_>>());
    }
    if let Some(head) = &mut heads.sentiment {
        let known = examples.iter().enumerate().filter_map(|(i, example)| {
            let label = example.sentiment_label()?;
            let class = Sentiment::ALL.into_iter().position(|other| other == label)?;
            Some((row(HeadKind::Sentiment, i)?.row(0).to_owned(), class))
        });
        head.calibration = softmax_calibration(&known.collect::<Vec<_>>());
    }
    if let Some(head) = &mut heads.emotions {
        let known =
            numbered().filter_map(|(i, item)| Some((row(HeadKind::Emotions, i)?.row(0).to_owned(), item.targets.emotions.clone()?)));
        let known: Vec<(Array1<f32>, Vec<f32>)> = known.collect();
        head.calibration = sigmoid_calibration(&known);
        let temperature = head.calibration.temperature;
        for (class, threshold) in head.thresholds.iter_mut().enumerate() {
            let pairs = known.iter().filter_map(|(logits, so)| Some((sigmoid(*logits.get(class)?, temperature), *so.get(class)? > 0.5)));
            *threshold = best_f1_threshold(&pairs.collect::<Vec<_>>()).unwrap_or(0.5);
        }
    }
    let decoder = Heads::of(heads);
    if let Some(head) = &mut heads.intent {
        let mut known = Vec::new();
        for (index, (item, example)) in items.iter().zip(examples).enumerate() {
            let (batch, row) = place(index);
            let (Some(label), Some(batch)) = (&example.intent, logits.get(batch)) else { continue };
            known.extend(decoder.decode(batch, row, &item.input)?.intent.map(|said| (label, said)));
        }
        choose_thresholds(head, labels, &known);
    }
    Ok(())
}

/// The temperature in [0.5, 20] of least loss, by golden-section search over its logarithm (the loss is convex in 1/T).
fn fit_temperature(loss: impl Fn(f32) -> f64) -> f32 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let (mut low, mut high) = (0.5f64.ln(), 20f64.ln());
    #[expect(clippy::cast_possible_truncation, reason = "a temperature needs no more than f32")]
    let at = |x: f64| loss(x.exp() as f32);
    for _ in 0..40 {
        let (left, right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        if at(left) < at(right) { high = right } else { low = left }
    }
    #[expect(clippy::cast_possible_truncation, reason = "a temperature needs no more than f32")]
    let temperature = f64::midpoint(low, high).exp() as f32;
    temperature
}

fn softmax_calibration(known: &[Labelled]) -> Calibration {
    if known.len() < LEAST {
        return Calibration { temperature: 1.0, expected_calibration_error: None };
    }
    let loss = |temperature| {
        known.iter().map(|(logits, class)| -f64::from(log_softmax(logits.view(), temperature).get(*class).copied().unwrap_or(0.0))).sum()
    };
    let temperature = fit_temperature(loss);
    let confidence = |(logits, class): &Labelled| {
        let scores = log_softmax(logits.view(), temperature);
        let best = scores.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, &0.0));
        (best.1.exp(), best.0 == *class)
    };
    calibration(temperature, &known.iter().map(confidence).collect::<Vec<_>>())
}

fn sigmoid_calibration(known: &[(Array1<f32>, Vec<f32>)]) -> Calibration {
    if known.len() < LEAST {
        return Calibration { temperature: 1.0, expected_calibration_error: None };
    }
    let pairs = || known.iter().flat_map(|(logits, so)| logits.iter().zip(so));
    let loss = |temperature| {
        let one = |(logit, so): (&f32, &f32)| {
            let p = f64::from(sigmoid(*logit, temperature)).clamp(1e-7, 1.0 - 1e-7);
            if *so > 0.5 { -p.ln() } else { -(1.0 - p).ln() }
        };
        pairs().map(one).sum()
    };
    let temperature = fit_temperature(loss);
    calibration(temperature, &pairs().map(|(logit, so)| (sigmoid(*logit, temperature), *so > 0.5)).collect::<Vec<_>>())
}

fn calibration(temperature: f32, confidence: &[(f32, bool)]) -> Calibration {
    #[expect(clippy::cast_possible_truncation, reason = "a report's figure")]
    let error = expected_calibration_error(confidence, CALIBRATION_BINS) as f32;
    Calibration { temperature, expected_calibration_error: Some(error) }
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

/// Rejection threshold and least score by accuracy over known and out-of-scope messages together, then the margin under which
/// the best intent is right at most every other time.
fn choose_thresholds(head: &mut IntentManifest, labels: &Labels, known: &[(&IntentLabel, IntentPrediction)]) {
    let outside = known.iter().filter(|(label, _)| **label == IntentLabel::OutOfScope).count();
    if labels.rejection && outside >= LEAST {
        let right = |head: &IntentManifest| {
            let right = |(label, said): &&(&IntentLabel, IntentPrediction)| match (label, head.status(&said.ranking, said.rejection)) {
                (IntentLabel::OutOfScope, status) => status == Status::OutOfScope,
                (IntentLabel::Named(_), Status::OutOfScope) => false,
                (IntentLabel::Named(name), _) => said.ranking.first().is_some_and(|(best, _)| best == name),
            };
            known.iter().filter(right).count()
        };
        let mut best = (0, 0.5, 0.0);
        for rejection in (4..=16u8).map(|step| f32::from(step) * 0.05) {
            for least in (0..=8u8).map(|step| f32::from(step) * 0.05) {
                let candidate = IntentManifest { rejection_threshold: rejection, min_score: least, ambiguity_margin: 0.0, ..head.clone() };
                let score = right(&candidate);
                // Of equally good ones, the threshold nearest one half and the lowest least score.
                let nearer = (rejection - 0.5).abs() < (best.1 - 0.5_f32).abs();
                if score > best.0 || (score == best.0 && nearer) {
                    best = (score, rejection, least);
                }
            }
        }
        (head.rejection_threshold, head.min_score) = (best.1, best.2);
    }
    let margins = (1..=10u8).rev().map(|step| f32::from(step) * 0.03);
    head.ambiguity_margin = margins.into_iter().find(|margin| unreliable_below(*margin, known)).unwrap_or(DEFAULT_MARGIN);
}

fn unreliable_below(margin: f32, known: &[(&IntentLabel, IntentPrediction)]) -> bool {
    let close = known.iter().filter(|(label, said)| **label != IntentLabel::OutOfScope && gap(said) < margin);
    let (right, all) = close.fold((0usize, 0usize), |(right, all), (label, said)| {
        (right + usize::from(said.ranking.first().is_some_and(|(best, _)| best == label.name())), all + 1)
    });
    all >= LEAST && 2 * right <= all
}

fn gap(said: &IntentPrediction) -> f32 {
    let mut scores = said.ranking.iter().map(|(_, score)| *score);
    scores.next().unwrap_or(0.0) - scores.next().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr1;

    #[test]
    fn temperature_makes_overconfidence_honest() {
        // 3 of 4 right, at logits ten apart: calibrated confidence is 0.75, so T = 10 / ln 3.
        let known: Vec<Labelled> = (0..40).map(|i| (arr1(&[10.0, 0.0]), usize::from(i % 4 == 0))).collect();
        let calibration = softmax_calibration(&known);
        assert!((calibration.temperature - 10.0 / 3f32.ln()).abs() < 0.05, "{calibration:?}");
        assert!(calibration.expected_calibration_error.unwrap() < 0.01);
    }

    #[test]
    fn threshold_separates() {
        let pairs = [[(0.1, false), (0.3, false), (0.42, true), (0.9, true)]; LEAST_POSITIVES].concat();
        let threshold = best_f1_threshold(&pairs).unwrap();
        assert!(threshold > 0.3 && threshold <= 0.42);
        assert_eq!(best_f1_threshold(&[(0.5, true)]), None);
    }
}
