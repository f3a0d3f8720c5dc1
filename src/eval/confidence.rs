//! Whether probabilities can be believed, and whether a score separates.

/// Bins of every reported calibration error.
pub const CALIBRATION_BINS: usize = 15;

/// Expected calibration error over equally wide bins (Naeini et al., 2015): the mean distance between confidence and accuracy,
/// weighted by the examples of each bin. `pairs` are confidence and whether it was right.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bins are few, confidence lies in [0, 1]"
)]
pub fn expected_calibration_error(pairs: &[(f32, bool)], bins: usize) -> f64 {
    let mut sums = vec![(0.0f64, 0usize, 0usize); bins];
    for (confidence, right) in pairs {
        let bin = ((confidence * bins as f32) as usize).min(bins.saturating_sub(1));
        if let Some((sum, hits, n)) = sums.get_mut(bin) {
            *sum += f64::from(*confidence);
            *hits += usize::from(*right);
            *n += 1;
        }
    }
    sums.iter().map(|(sum, hits, _)| (sum - *hits as f64).abs()).sum::<f64>() / pairs.len().max(1) as f64
}

/// Area under the ROC curve: the probability that a positive scores above a negative, ties counting half (Hanley and McNeil, 1982).
/// `None` without both kinds.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
pub fn area_under_roc(pairs: &[(f32, bool)]) -> Option<f64> {
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let positives = sorted.iter().filter(|(_, positive)| *positive).count();
    let negatives = sorted.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let (mut below, mut wins) = (0usize, 0.0f64);
    for tie in sorted.chunk_by(|(a, _), (b, _)| a == b) {
        let up = tie.iter().filter(|(_, positive)| *positive).count();
        let down = tie.len() - up;
        wins += up as f64 * (below as f64 + down as f64 / 2.0);
        below += down;
    }
    Some(wins / (positives as f64 * negatives as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert!((expected_calibration_error(&[(0.9, true), (0.9, false), (0.1, false)], 10) - (0.8 + 0.1) / 3.0).abs() < 1e-6);
        assert_eq!(area_under_roc(&[(0.1, false), (0.9, true)]), Some(1.0));
        assert_eq!(area_under_roc(&[(0.5, false), (0.5, true)]), Some(0.5));
        assert_eq!(area_under_roc(&[(0.5, true)]), None);
    }
}
