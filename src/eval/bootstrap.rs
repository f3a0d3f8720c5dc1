//! How far a figure may be off because the examples are few: percentile bootstrap over examples (Efron and Tibshirani, 1993).

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

/// Share of the resamples that an interval covers.
pub const COVERED: f64 = 0.95;

/// How often, and by which numbers.
#[derive(Clone, Copy)]
pub struct Bootstrap<'a> {
    /// Resamples.
    pub resamples: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// Called after each resample.
    pub done: &'a (dyn Fn() + Sync),
}

impl Default for Bootstrap<'_> {
    fn default() -> Self {
        Self { resamples: 1000, seed: 1, done: &|| () }
    }
}

impl std::fmt::Debug for Bootstrap<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bootstrap").field("resamples", &self.resamples).field("seed", &self.seed).finish_non_exhaustive()
    }
}

/// Where the middle 95 % of the resamples lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The 2.5th percentile.
    pub low: f64,
    /// The 97.5th percentile.
    pub high: f64,
}

impl Interval {
    /// The interval of a figure's values over the resamples; none without any.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - COVERED) / 2.0;
        Some(Self { low: percentile(&values, tail)?, high: percentile(&values, 1.0 - tail)? })
    }

    /// Whether zero lies within.
    #[must_use]
    pub fn has_zero(&self) -> bool {
        self.low <= 0.0 && self.high >= 0.0
    }
}

/// The value at a share of the sorted values, between two by their distance.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among at most some thousand values"
)]
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * sorted.len().checked_sub(1)? as f64;
    let (below, rest) = (place.floor() as usize, place.fract());
    let (low, high) = (sorted.get(below)?, sorted.get(below + 1).or(sorted.last())?);
    Some(low + (high - low) * rest)
}

impl Bootstrap<'_> {
    /// The interval of each of `figures` over resamples of `rows` examples. `score` gives the figures of the examples at some places, each
    /// of which may stand several times; a figure that a resample does not have is left out there. The same seed gives the same
    /// intervals, on however many cores.
    pub fn intervals(&self, rows: usize, figures: usize, score: impl Fn(&[usize]) -> Vec<Option<f64>> + Sync) -> Vec<Option<Interval>> {
        if rows == 0 {
            return vec![None; figures];
        }
        let resample = |index: usize| {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(index as u64);
            let places: Vec<usize> = (0..rows).map(|_| random.random_range(0..rows)).collect();
            let values = score(&places);
            (self.done)();
            values
        };
        let scored: Vec<Vec<Option<f64>>> = (0..self.resamples).into_par_iter().map(resample).collect();
        (0..figures).map(|figure| Interval::of(scored.iter().filter_map(|values| *values.get(figure)?).collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_values() {
        assert_eq!(percentile(&[0.0, 1.0, 2.0, 3.0], 0.5), Some(1.5));
        assert_eq!((percentile(&[4.0], 0.975), percentile(&[], 0.5)), (Some(4.0), None));
    }

    /// The share of ones among 400 draws with p = 0.3 has a standard error of √(0.21 / 400) = 0.0229.
    #[test]
    fn the_interval_of_a_share_is_that_of_the_binomial_and_repeats() {
        let bootstrap = Bootstrap { resamples: 2000, ..Bootstrap::default() };
        let share = |places: &[usize]| {
            vec![Some(crate::eval::classification::ratio(places.iter().filter(|place| **place < 120).count(), places.len())), None]
        };
        let intervals = bootstrap.intervals(400, 2, share);
        let Interval { low, high } = intervals[0].unwrap();
        assert!((low - (0.3 - 1.96 * 0.0229)).abs() < 0.006 && (high - (0.3 + 1.96 * 0.0229)).abs() < 0.006, "{low} {high}");
        assert_eq!(intervals[1], None);
        assert_eq!(bootstrap.intervals(400, 2, share), intervals);
        assert_ne!(Bootstrap { seed: 2, ..bootstrap }.intervals(400, 2, share), intervals);
        assert_eq!(bootstrap.intervals(0, 1, share), [None]);
    }
}
