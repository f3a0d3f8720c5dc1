//! One parameter of a policy over a range of values: what each would have done, and which to take.

use super::played::play;
use super::recorded::Recorded;
use super::report::backtest;
use crate::policy::{Policy, PolicyFile};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;

/// Most values of a sweep.
const MOST: usize = 101;

/// A parameter and its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// The parameter below `escalate`, such as `negative_sentiment.below`.
    pub key: String,
    /// The values.
    pub values: Vec<f64>,
}

/// Why a sweep means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// The text is not one.
    #[error(
        "`{0}` is no sweep; write RULE.PARAMETER=FROM..TO/STEPS or RULE.PARAMETER=VALUE,VALUE, such as negative_sentiment.below=-0.9..-0.3/13"
    )]
    Text(String),
    /// The parameter is not there.
    #[error("the policy has no number `{0}`; name one that is in its file, below `escalate`")]
    Key(String),
    /// A value is out of range.
    #[error("{0}")]
    Value(String),
    /// The bound is not one.
    #[error(
        "`{0}` is no bound; write `calm<=0.05` (false alarms among conversations that need no human) or `rate<=0.1` (hand-overs among all)"
    )]
    Bound(String),
}

impl FromStr for Sweep {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let wrong = || SweepError::Text(text.to_owned());
        let (key, values) = text.split_once('=').ok_or_else(wrong)?;
        let number = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
        let values: Option<Vec<f64>> = match values.split_once("..") {
            Some((from, rest)) => {
                let (to, steps) = rest.split_once('/').unwrap_or((rest, "11"));
                let (from, to) = (number(from).ok_or_else(wrong)?, number(to).ok_or_else(wrong)?);
                let steps: u32 = steps.trim().parse().ok().filter(|steps| *steps >= 2).ok_or_else(wrong)?;
                let at = |step: u32| ((from + (to - from) * f64::from(step) / f64::from(steps - 1)) * 1e6).round() / 1e6;
                Some((0..steps).map(at).collect())
            }
            None => values.split(',').map(number).collect(),
        };
        let values = values.filter(|values| !values.is_empty() && values.len() <= MOST).ok_or_else(wrong)?;
        Ok(Self { key: key.trim().to_owned(), values })
    }
}

/// What a policy may cost at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// Share of false alarms among conversations that need no human.
    Calm(f64),
    /// Share of hand-overs among all conversations.
    Rate(f64),
}

impl FromStr for Bound {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let wrong = || SweepError::Bound(text.to_owned());
        let (name, value) = text.split_once("<=").ok_or_else(wrong)?;
        let value = value.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value)).ok_or_else(wrong)?;
        match name.trim() {
            "calm" => Ok(Self::Calm(value)),
            "rate" => Ok(Self::Rate(value)),
            _ => Err(wrong()),
        }
    }
}

/// What one value would have done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Point {
    /// The value.
    pub value: f64,
    /// Share of conversations that are handed over.
    pub rate: f64,
    /// Share in time of those that should be, where it is known.
    pub recall: Option<f64>,
    /// Share handed over of those that should not be, where it is known.
    pub false_alarm_rate: Option<f64>,
}

/// A parameter's curve.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Curve {
    /// The parameter.
    pub key: String,
    /// Its value in the policy.
    pub now: f64,
    /// The points.
    pub points: Vec<Point>,
    /// The value to take under the bound, where one keeps it: the most recall, then the fewest hand-overs.
    pub recommended: Option<f64>,
}

/// Plays every conversation with each value.
///
/// # Errors
/// When the policy has no such number or a value is out of its range.
pub fn sweep(file: &PolicyFile, recorded: &[Recorded], sweep: &Sweep, within: usize, bound: Option<Bound>) -> Result<Curve, SweepError> {
    let written = serde_json::to_value(file).map_err(|error| SweepError::Value(error.to_string()))?;
    let pointer = format!("/escalate/{}", sweep.key.replace('.', "/"));
    let now = written.pointer(&pointer).and_then(Value::as_f64).ok_or_else(|| SweepError::Key(sweep.key.clone()))?;
    let whole = written.pointer(&pointer).is_some_and(Value::is_u64);
    let mut points = Vec::with_capacity(sweep.values.len());
    for value in &sweep.values {
        let mut changed = written.clone();
        if let Some(place) = changed.pointer_mut(&pointer) {
            *place = if whole { whole_number(*value) } else { Value::from(*value) };
        }
        let file =
            PolicyFile::parse(&changed.to_string()).map_err(|error| SweepError::Value(format!("{} = {value}: {error}", sweep.key)))?;
        let policy = Policy::new("sweep", file);
        let played: Vec<_> = recorded.iter().map(|recorded| play(&policy, recorded)).collect();
        let report = backtest(&policy, recorded, &played, within);
        let labelled = report.labelled.as_ref();
        points.push(Point {
            value: *value,
            rate: report.rate,
            recall: labelled.map(|labelled| labelled.recall),
            false_alarm_rate: labelled.map(|labelled| labelled.false_alarm_rate),
        });
    }
    let recommended = bound.and_then(|bound| recommend(&points, bound));
    Ok(Curve { key: sweep.key.clone(), now, points, recommended })
}

#[expect(clippy::cast_possible_truncation, reason = "a count of messages")]
fn whole_number(value: f64) -> Value {
    Value::from(value.round() as i64)
}

fn recommend(points: &[Point], bound: Bound) -> Option<f64> {
    let keeps = |point: &&Point| match bound {
        Bound::Calm(most) => point.false_alarm_rate.is_some_and(|rate| rate <= most),
        Bound::Rate(most) => point.rate <= most,
    };
    // Without labels the most hand-overs that the bound allows miss the fewest.
    let worth = |point: &Point| point.recall.map_or((point.rate, 0.0), |recall| (recall, -point.rate));
    let best = points.iter().filter(keeps).max_by(|a, b| {
        let ((a1, a2), (b1, b2)) = (worth(a), worth(b));
        a1.total_cmp(&b1).then(a2.total_cmp(&b2))
    });
    best.map(|point| point.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_and_bounds_are_read() {
        let sweep: Sweep = "negative_sentiment.below=-0.9..-0.5/5".parse().unwrap();
        assert_eq!(sweep.values, [-0.9, -0.8, -0.7, -0.6, -0.5]);
        assert_eq!("a.b=1,2".parse::<Sweep>().unwrap().values, [1.0, 2.0]);
        for wrong in ["a.b", "a=x..y", "a=1..2/1", "a=", "a=0..1/1000"] {
            assert!(wrong.parse::<Sweep>().is_err(), "{wrong}");
        }
        assert_eq!("calm<=0.05".parse(), Ok(Bound::Calm(0.05)));
        assert!("calm>0.05".parse::<Bound>().is_err() && "x<=0.1".parse::<Bound>().is_err() && "rate<=2".parse::<Bound>().is_err());
    }

    #[test]
    fn the_most_recall_under_the_bound_is_recommended() {
        let point = |value, recall, calm| Point { value, rate: recall / 2.0 + calm, recall: Some(recall), false_alarm_rate: Some(calm) };
        let points = [point(1.0, 0.9, 0.2), point(2.0, 0.8, 0.04), point(3.0, 0.8, 0.05), point(4.0, 0.5, 0.0)];
        assert_eq!(recommend(&points, Bound::Calm(0.05)), Some(2.0));
        assert_eq!(recommend(&points, Bound::Calm(0.0)), Some(4.0));
        assert_eq!(recommend(&points[..1], Bound::Calm(0.05)), None);
        let unlabelled = points.map(|point| Point { recall: None, false_alarm_rate: None, ..point });
        assert_eq!(recommend(&unlabelled, Bound::Rate(0.45)), Some(3.0));
    }
}
