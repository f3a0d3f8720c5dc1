//! One temperature for a head, of least loss (Guo et al., 2017).

use super::{LEAST, Labelled};
use crate::eval::{CALIBRATION_BINS, expected_calibration_error};
use crate::heads::{log_softmax, sigmoid};
use crate::model::Calibration;
use ndarray::Array1;

/// The temperature of a softmax and the calibration error it leaves; nothing with too few to fit on.
pub fn softmax_calibration(known: &[Labelled]) -> Option<Calibration> {
    if known.len() < LEAST {
        return None;
    }
    let temperature = fit(known);
    let confidence = known.iter().map(|(logits, class)| confidence(&(logits / temperature), *class));
    Some(calibration(temperature, &confidence.collect::<Vec<_>>()))
}

/// The temperature of least loss.
pub fn fit(known: &[Labelled]) -> f32 {
    search(|temperature| known.iter().map(|(logits, class)| loss(logits, temperature, *class)).sum())
}

/// Negative log-likelihood of the right class.
pub fn loss(logits: &Array1<f32>, temperature: f32, class: usize) -> f64 {
    -f64::from(log_softmax(logits.view(), temperature).get(class).copied().unwrap_or(0.0))
}

/// Probability of the best class of a softmax, and whether it is right.
pub fn confidence(logits: &Array1<f32>, class: usize) -> (f32, bool) {
    let scores = log_softmax(logits.view(), 1.0);
    let best = scores.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, &0.0));
    (best.1.exp(), best.0 == class)
}

/// The temperature of independent labels and the calibration error it leaves; nothing with too few to fit on.
pub fn sigmoid_calibration(known: &[(Array1<f32>, Vec<f32>)]) -> Option<Calibration> {
    if known.len() < LEAST {
        return None;
    }
    let pairs = || known.iter().flat_map(|(logits, so)| logits.iter().zip(so));
    let loss = |temperature| {
        let one = |(logit, so): (&f32, &f32)| {
            let p = f64::from(sigmoid(*logit, temperature)).clamp(1e-7, 1.0 - 1e-7);
            if *so > 0.5 { -p.ln() } else { -(1.0 - p).ln() }
        };
        pairs().map(one).sum()
    };
    let temperature = search(loss);
    Some(calibration(temperature, &pairs().map(|(logit, so)| (sigmoid(*logit, temperature), *so > 0.5)).collect::<Vec<_>>()))
}

/// Expected calibration error of confidences.
pub fn error_of(confidence: &[(f32, bool)]) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "a report's figure")]
    let error = expected_calibration_error(confidence, CALIBRATION_BINS) as f32;
    error
}

fn calibration(temperature: f32, confidence: &[(f32, bool)]) -> Calibration {
    Calibration { temperature, expected_calibration_error: Some(error_of(confidence)) }
}

/// The temperature in [0.5, 20] of least loss, by golden-section search over its logarithm (the loss is convex in 1/T).
fn search(loss: impl Fn(f32) -> f64) -> f32 {
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

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr1;

    #[test]
    fn temperature_makes_overconfidence_honest() {
        // 3 of 4 right, at logits ten apart: calibrated confidence is 0.75, so T = 10 / ln 3.
        let known: Vec<Labelled> = (0..40).map(|i| (arr1(&[10.0, 0.0]), usize::from(i % 4 == 0))).collect();
        let calibration = softmax_calibration(&known).unwrap();
        assert!((calibration.temperature - 10.0 / 3f32.ln()).abs() < 0.05, "{calibration:?}");
        assert!(calibration.expected_calibration_error.unwrap() < 0.01);
    }
}
