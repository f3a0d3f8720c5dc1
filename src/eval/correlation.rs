//! How two series of numbers go together.

use super::report::mean;

/// Pearson's product-moment correlation. `None` where either series does not vary.
#[must_use]
pub fn pearson(pairs: &[(f64, f64)]) -> Option<f64> {
    let varies = |side: fn(&(f64, f64)) -> f64| pairs.windows(2).any(|pair| matches!(pair, [a, b] if side(a) != side(b)));
    if !varies(|pair| pair.0) || !varies(|pair| pair.1) {
        return None;
    }
    let (a, b) = (mean(pairs.iter().map(|pair| pair.0)), mean(pairs.iter().map(|pair| pair.1)));
    let (mut together, mut first, mut second) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        together += (x - a) * (y - b);
        first += (x - a).powi(2);
        second += (y - b).powi(2);
    }
    let spread = first.sqrt() * second.sqrt();
    (spread > 0.0).then(|| (together / spread).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation, ties sharing their mean rank. `None` where either series does not vary.
#[must_use]
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let first = ranks(pairs.iter().map(|pair| pair.0));
    let second = ranks(pairs.iter().map(|pair| pair.1));
    pearson(&first.into_iter().zip(second).collect::<Vec<_>>())
}

/// The rank of each value, from 1.
#[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
fn ranks(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sorted: Vec<(usize, f64)> = values.enumerate().collect();
    sorted.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut ranked = Vec::with_capacity(sorted.len());
    let mut before = 0usize;
    for tie in sorted.chunk_by(|(_, a), (_, b)| a == b) {
        let rank = before as f64 + (tie.len() + 1) as f64 / 2.0;
        ranked.extend(tie.iter().map(|(place, _)| (*place, rank)));
        before += tie.len();
    }
    ranked.sort_unstable_by_key(|(place, _)| *place);
    ranked.into_iter().map(|(_, rank)| rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(ranks([3.0, 1.0, 3.0, 2.0].into_iter()), [3.5, 1.0, 3.5, 2.0]);
        let rising = [(1.0, 1.0), (2.0, 4.0), (3.0, 9.0)];
        assert!((spearman(&rising).unwrap() - 1.0).abs() < 1e-12);
        // Deviations −1, 0, 1 and −11/3, −2/3, 13/3: 8 / √(2 · 98/3).
        assert!((pearson(&rising).unwrap() - 8.0 / (2.0f64 * 98.0 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(pearson(&[(1.0, 2.0), (1.0, 3.0)]), None);
        assert_eq!(pearson(&[(0.1, 2.0), (0.1, 3.0), (0.1, 1.0)]), None, "whatever the mean is rounded to");
        assert_eq!(pearson(&[]), None);
    }
}
