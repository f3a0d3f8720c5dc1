//! Is something not as it was? The last whole hour beside the hours of the week before it.

use super::range::{Bucket, Range, count_if, within};
use crate::store::{Store, StoreError, moment};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use sqlx::Row as _;
use std::collections::BTreeMap;

/// Hours of the baseline: the same hours of the day, seven times.
const HOURS: i64 = 7 * 24;
/// Standard deviations above the mean that are not chance: some one in a million hours, were they normal.
const DEVIATIONS: f64 = 5.0;
/// Fewest messages of an hour that is remarkable.
const FEWEST: f64 = 10.0;

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Anomaly {
    /// `negative_sentiment` or `intent`.
    pub kind: &'static str,
    /// The intent.
    pub name: String,
    /// The hour.
    pub hour: Timestamp,
    /// Messages in it.
    pub messages: f64,
    /// Messages an hour in the week before, in the mean.
    pub usual: f64,
}

/// What is remarkable about the last whole hour before `now`.
///
/// # Errors
/// When the database fails.
#[expect(clippy::cast_precision_loss, reason = "counts of messages")]
pub async fn anomalies(store: &Store, now: Timestamp) -> Result<Vec<Anomaly>, StoreError> {
    let width = Bucket::Hour.width();
    let last = now.as_millisecond().div_euclid(width) * width - width;
    let hour = moment(last);
    let from = hour.saturating_sub(SignedDuration::from_hours(HOURS)).unwrap_or(hour);
    let to = hour.saturating_add(SignedDuration::from_hours(1)).unwrap_or(hour);
    let range = Range { from, to, bucket: Bucket::Hour, channel: None, segment: None };
    let statement = format!(
        "SELECT m.at / $5 * $5 AS bucket, COALESCE(m.intent, '') AS name, COUNT(*) AS n, {} AS negative FROM messages m \
         WHERE m.decision IS NOT NULL AND {} GROUP BY 1, 2",
        count_if("m.sentiment = 'negative'"),
        within("m")
    );
    let mut series: BTreeMap<(&'static str, String), BTreeMap<i64, f64>> = BTreeMap::new();
    for row in range.rows(store, statement).await? {
        let bucket: i64 = row.try_get("bucket")?;
        let (count, negative) = (row.try_get::<i64, _>("n")? as f64, row.try_get::<i64, _>("negative")? as f64);
        let name: String = row.try_get("name")?;
        *series.entry(("negative_sentiment", String::new())).or_default().entry(bucket).or_default() += negative;
        if !name.is_empty() {
            *series.entry(("intent", name)).or_default().entry(bucket).or_default() += count;
        }
    }
    let begun = series.values().flat_map(BTreeMap::keys).min().copied().unwrap_or(last);
    let hours = ((last - begun) / width).clamp(0, HOURS);
    // Of a shop that has been here for less than a day nobody knows what is usual.
    if hours < 24 {
        return Ok(Vec::new());
    }
    let found = series.into_iter().filter_map(|((kind, name), counts)| {
        let messages = counts.get(&last).copied().unwrap_or_default();
        let usual = spike(messages, counts.iter().filter(|(bucket, _)| **bucket < last).map(|(_, count)| *count), hours as f64)?;
        Some(Anomaly { kind, name, hour, messages, usual })
    });
    Ok(found.collect())
}

/// The mean of the hours before, where a count is far above it. The deviation is at least that of a Poisson process of that mean.
fn spike(count: f64, before: impl Iterator<Item = f64>, hours: f64) -> Option<f64> {
    let (mut sum, mut squares) = (0.0, 0.0);
    for value in before {
        sum += value;
        squares += value * value;
    }
    let mean = sum / hours;
    let deviation = (squares / hours - mean * mean).max(mean).max(1.0).sqrt();
    (count >= FEWEST && count > mean + DEVIATIONS * deviation).then_some(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_stands_out_of_what_is_usual() {
        let usual = || [4.0, 6.0, 5.0, 5.0].repeat(42).into_iter();
        assert_eq!(spike(12.0, usual(), 168.0), None);
        assert_eq!(spike(17.0, usual(), 168.0), Some(5.0));
        assert_eq!(spike(9.0, std::iter::empty(), 168.0), None, "few are nothing");
        assert_eq!(spike(10.0, std::iter::empty(), 168.0), Some(0.0));
        let restless = || [0.0, 40.0].repeat(84).into_iter();
        assert_eq!(spike(60.0, restless(), 168.0), None, "it goes up and down anyway");
    }
}
