//! Whether probabilities can be believed.

use serde::Serialize;

/// Bins of every reported calibration error.
pub const CALIBRATION_BINS: usize = 15;

/// What was said with about the same confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Least confidence.
    pub from: f64,
    /// Confidence of the next bin.
    pub to: f64,
    /// Decisions in it.
    pub count: usize,
    /// Their mean confidence; 0 without any.
    pub confidence: f64,
    /// Share of them that is right; 0 without any.
    pub accuracy: f64,
}

/// Mean confidence and accuracy over equally wide bins; `pairs` are confidence and whether it was right.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bins are few, confidence lies in [0, 1]"
)]
pub fn reliability(pairs: &[(f32, bool)], bins: usize) -> Vec<ReliabilityBin> {
    let mut sums = vec![(0.0f64, 0usize, 0usize); bins];
    for (confidence, right) in pairs {
        let bin = ((confidence * bins as f32) as usize).min(bins.saturating_sub(1));
        if let Some((sum, hits, n)) = sums.get_mut(bin) {
            *sum += f64::from(*confidence);
            *hits += usize::from(*right);
            *n += 1;
        }
    }
    let bin = |(index, (sum, hits, count)): (usize, (f64, usize, usize))| ReliabilityBin {
        from: index as f64 / bins as f64,
        to: (index + 1) as f64 / bins as f64,
        count,
        confidence: sum / count.max(1) as f64,
        accuracy: hits as f64 / count.max(1) as f64,
    };
    sums.into_iter().enumerate().map(bin).collect()
}

/// Expected calibration error (Naeini et al., 2015): the mean distance between confidence and accuracy, weighted by the decisions of
/// each bin.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
pub(super) fn calibration_error(bins: &[ReliabilityBin]) -> f64 {
    let distance = |bin: &ReliabilityBin| (bin.confidence - bin.accuracy).abs() * bin.count as f64;
    let all: usize = bins.iter().map(|bin| bin.count).sum();
    bins.iter().map(distance).sum::<f64>() / all.max(1) as f64
}

/// Expected calibration error of pairs of confidence and whether it was right, over `bins` equally wide bins.
#[must_use]
pub fn expected_calibration_error(pairs: &[(f32, bool)], bins: usize) -> f64 {
    calibration_error(&reliability(pairs, bins))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let pairs = [(0.9, true), (0.9, false), (0.1, false)];
        assert!((expected_calibration_error(&pairs, 10) - (0.8 + 0.1) / 3.0).abs() < 1e-6);
        let bins = reliability(&pairs, 10);
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [0, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
        assert!((bins[9].confidence - 0.9).abs() < 1e-6 && bins[9].accuracy == 0.5);
        assert_eq!(expected_calibration_error(&[], 10), 0.0);
        assert_eq!(reliability(&[(1.0, true)], 10)[9].count, 1, "certainty belongs to the last bin");
    }
}
