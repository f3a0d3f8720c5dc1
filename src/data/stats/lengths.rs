//! How long messages are.

use serde::Serialize;

/// Messages of about the same length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// Least length.
    pub from: usize,
    /// One past the greatest length.
    pub to: usize,
    /// Messages.
    pub count: usize,
}

/// Lengths of many messages.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Lengths {
    /// The shortest.
    pub least: usize,
    /// Half are no longer.
    pub median: usize,
    /// The mean.
    pub mean: f64,
    /// 95 % are no longer.
    pub p95: usize,
    /// The longest.
    pub most: usize,
    /// About twenty equally wide buckets up to the 99th percentile, the last one with everything beyond.
    pub histogram: Vec<Bucket>,
}

/// Buckets of a histogram, about.
const BUCKETS: usize = 20;

impl Lengths {
    /// Sums up lengths.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "lengths and counts are far below 2^52")]
    pub fn of(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut sorted: Vec<usize> = lengths.into_iter().collect();
        sorted.sort_unstable();
        // The smallest length that so many hundredths do not exceed (nearest rank).
        let at = |hundredths: usize| sorted.get((sorted.len() * hundredths).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0);
        let (least, most) = (sorted.first().copied().unwrap_or(0), sorted.last().copied().unwrap_or(0));
        let width = (at(99) + 1).div_ceil(BUCKETS).max(1);
        let final_bucket = at(99) / width;
        let mut histogram: Vec<Bucket> =
            (0..=final_bucket).map(|index| Bucket { from: index * width, to: (index + 1) * width, count: 0 }).collect();
        for length in &sorted {
            if let Some(bucket) = histogram.get_mut((length / width).min(final_bucket)) {
                bucket.count += 1;
            }
        }
        if let Some(bucket) = histogram.last_mut() {
            bucket.to = bucket.to.max(most + 1);
        }
        let mean = sorted.iter().sum::<usize>() as f64 / sorted.len().max(1) as f64;
        Self { least, median: at(50), mean, p95: at(95), most, histogram }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let lengths = Lengths::of((1..=100).chain([1000]));
        assert_eq!((lengths.least, lengths.median, lengths.p95, lengths.most), (1, 51, 96, 1000));
        assert!((lengths.mean - 6050.0 / 101.0).abs() < 1e-12);
        assert_eq!(lengths.histogram.iter().map(|bucket| bucket.count).sum::<usize>(), 101);
        assert_eq!(lengths.histogram[0], Bucket { from: 0, to: 6, count: 5 });
        assert_eq!(lengths.histogram.last().unwrap().to, 1001);
        assert_eq!(Lengths::of([]).most, 0);
    }
}
