//! Whether a score separates two kinds: the receiver operating characteristic (Fawcett, 2006).

use super::classification::ratio;
use serde::Serialize;

/// What is found, and what is flagged by mistake, with one threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RocPoint {
    /// Scores of this or more are flagged; none in the first point, where nothing is.
    pub threshold: Option<f32>,
    /// Share of the negatives that is flagged.
    pub false_alarm: f64,
    /// Share of the positives that is flagged.
    pub recall: f64,
}

/// Every threshold that makes a difference, from flagging nothing to flagging everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Roc {
    /// Threshold, false positives and true positives.
    steps: Vec<(Option<f32>, usize, usize)>,
}

impl Roc {
    /// The curve of pairs of score and whether it is a positive. `None` without both kinds.
    #[must_use]
    pub fn of(pairs: &[(f32, bool)]) -> Option<Self> {
        let mut sorted = pairs.to_vec();
        sorted.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
        let (mut down, mut up) = (0usize, 0usize);
        let mut steps = vec![(None, 0, 0)];
        for tie in sorted.chunk_by(|(a, _), (b, _)| a == b) {
            let positives = tie.iter().filter(|(_, positive)| *positive).count();
            up += positives;
            down += tie.len() - positives;
            steps.push((tie.first().map(|(score, _)| *score), down, up));
        }
        (up > 0 && down > 0).then_some(Self { steps })
    }

    fn totals(&self) -> (usize, usize) {
        self.steps.last().map_or((0, 0), |(_, down, up)| (*down, *up))
    }

    /// Area under the curve: the probability that a positive scores above a negative, ties counting half (Hanley and McNeil, 1982).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of examples are far below 2^52")]
    pub fn area(&self) -> f64 {
        let (down, up) = self.totals();
        let strip = |pair: &[(Option<f32>, usize, usize)]| match pair {
            [(_, left, low), (_, right, high)] => (right - left) as f64 * (low + high) as f64 / 2.0,
            _ => 0.0,
        };
        self.steps.windows(2).map(strip).sum::<f64>() / (down as f64 * up as f64)
    }

    /// The greatest recall with a false alarm of at most `false_alarm`.
    #[must_use]
    pub fn recall_at(&self, false_alarm: f64) -> f64 {
        let points = self.points().into_iter().filter(|point| point.false_alarm <= false_alarm);
        points.map(|point| point.recall).fold(0.0, f64::max)
    }

    /// The points where the curve turns: the others lie on straight lines between them.
    #[must_use]
    pub fn corners(&self) -> Vec<RocPoint> {
        let points = self.points();
        let straight = |before: &RocPoint, here: &RocPoint, after: &RocPoint| {
            (before.recall == here.recall && here.recall == after.recall)
                || (before.false_alarm == here.false_alarm && here.false_alarm == after.false_alarm)
        };
        let inner = points.windows(3).filter_map(|three| match three {
            [before, here, after] if !straight(before, here, after) => Some(*here),
            _ => None,
        });
        let ends = |point: Option<&RocPoint>| point.copied();
        ends(points.first()).into_iter().chain(inner).chain(ends(points.last()).filter(|_| points.len() > 1)).collect()
    }

    /// Every point.
    #[must_use]
    pub fn points(&self) -> Vec<RocPoint> {
        let (down, up) = self.totals();
        let point = |(threshold, alarms, hits): &(Option<f32>, usize, usize)| RocPoint {
            threshold: *threshold,
            false_alarm: ratio(*alarms, down),
            recall: ratio(*hits, up),
        };
        self.steps.iter().map(point).collect()
    }
}

/// Area under the ROC curve of pairs of score and whether it is a positive; `None` without both kinds.
#[must_use]
pub fn area_under_roc(pairs: &[(f32, bool)]) -> Option<f64> {
    Roc::of(pairs).map(|roc| roc.area())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(area_under_roc(&[(0.1, false), (0.9, true)]), Some(1.0));
        assert_eq!(area_under_roc(&[(0.5, false), (0.5, true)]), Some(0.5));
        assert_eq!(area_under_roc(&[(0.5, true)]), None);
        let roc = Roc::of(&[(0.9, true), (0.8, false), (0.7, true), (0.6, false)]).unwrap();
        assert_eq!((roc.area(), roc.recall_at(0.0), roc.recall_at(0.49), roc.recall_at(0.5)), (0.75, 0.5, 0.5, 1.0));
        let straight = Roc::of(&[(0.9, true), (0.8, true), (0.7, true), (0.6, false), (0.5, false)]).unwrap().corners();
        assert_eq!(
            straight.iter().map(|point| (point.false_alarm, point.recall)).collect::<Vec<_>>(),
            [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
        );
        let points = roc.points();
        assert_eq!((points[0].threshold, points[0].recall, points[4].false_alarm), (None, 0.0, 1.0));
    }
}
