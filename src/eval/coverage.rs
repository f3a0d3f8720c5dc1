//! How right the answers are if only the surest are given: coverage against accuracy (the risk-coverage curve of El-Yaniv and
//! Wiener, 2010, upside down).

use super::classification::ratio;
use serde::Serialize;

/// What is answered with a score of `score` or more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CoveragePoint {
    /// Least score that is answered.
    pub score: f32,
    /// Share of all messages that is answered.
    pub coverage: f64,
    /// Share of the answers that is right.
    pub accuracy: f64,
}

/// A point for each score that occurs, surest first. `answers` are score and whether it was right; messages without an answer count
/// in `messages` alone.
#[must_use]
pub fn coverage(answers: &[(f32, bool)], messages: usize) -> Vec<CoveragePoint> {
    let mut sorted = answers.to_vec();
    sorted.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
    let (mut given, mut right) = (0usize, 0usize);
    let mut points = Vec::new();
    for tie in sorted.chunk_by(|(a, _), (b, _)| a == b) {
        given += tie.len();
        right += tie.iter().filter(|(_, right)| *right).count();
        let score = tie.first().map_or(0.0, |(score, _)| *score);
        points.push(CoveragePoint { score, coverage: ratio(given, messages), accuracy: ratio(right, given) });
    }
    points
}

/// The point of greatest coverage whose accuracy is at least `accuracy`.
#[must_use]
pub fn widest(points: &[CoveragePoint], accuracy: f64) -> Option<CoveragePoint> {
    points.iter().rev().find(|point| point.accuracy >= accuracy).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let points = coverage(&[(0.2, true), (0.9, true), (0.9, true), (0.5, false)], 5);
        let seen: Vec<_> = points.iter().map(|point| (point.score, point.coverage, point.accuracy)).collect();
        assert_eq!(seen, [(0.9, 0.4, 1.0), (0.5, 0.6, 2.0 / 3.0), (0.2, 0.8, 0.75)]);
        assert_eq!(widest(&points, 0.75).unwrap().score, 0.2);
        assert_eq!(widest(&points, 0.9).unwrap().coverage, 0.4);
        assert_eq!(widest(&points[1..], 0.9), None);
    }
}
