//! Logits to probabilities, divided by a temperature that was fitted on held-out data (Guo et al., 2017).

use ndarray::{Array1, ArrayView1};

/// Log-probabilities of `logits / temperature`.
#[must_use]
pub fn log_softmax(logits: ArrayView1<'_, f32>, temperature: f32) -> Array1<f32> {
    let scaled = logits.mapv(|logit| logit / temperature);
    let largest = scaled.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    let log_total = scaled.mapv(|logit| (logit - largest).exp()).sum().ln();
    scaled.mapv_into(|logit| logit - largest - log_total)
}

/// Probabilities of `logits / temperature`, summing to one.
#[must_use]
pub fn softmax(logits: ArrayView1<'_, f32>, temperature: f32) -> Array1<f32> {
    log_softmax(logits, temperature).mapv_into(f32::exp)
}

/// Probability of one label on its own.
#[must_use]
pub fn sigmoid(logit: f32, temperature: f32) -> f32 {
    1.0 / (1.0 + (-logit / temperature).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr1;

    #[test]
    fn probabilities_sum_to_one_and_temperature_flattens() {
        let logits = arr1(&[1000.0, 999.0, -1000.0]);
        let sharp = softmax(logits.view(), 1.0);
        let flat = softmax(logits.view(), 10.0);
        assert!((sharp.sum() - 1.0).abs() < 1e-6 && (flat.sum() - 1.0).abs() < 1e-6);
        assert!((sharp[0] - 0.731_058_6).abs() < 1e-6 && flat[0] < sharp[0]);
        assert_eq!(sigmoid(0.0, 3.0), 0.5);
    }
}
