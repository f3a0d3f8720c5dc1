//! Which messages are counted.

use crate::store::{Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

/// Most buckets of an answer.
const BUCKETS: i64 = 2000;

/// Width of a bucket of time, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Bucket {
    /// An hour.
    Hour,
    /// A day.
    #[default]
    Day,
    /// Seven days, from Thursdays on, as the epoch began.
    Week,
}

impl Bucket {
    /// In milliseconds.
    #[must_use]
    pub fn width(self) -> i64 {
        const HOUR: i64 = 3_600_000;
        match self {
            Self::Hour => HOUR,
            Self::Day => 24 * HOUR,
            Self::Week => 7 * 24 * HOUR,
        }
    }
}

/// A range of time, and of which messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// From this moment.
    pub from: Timestamp,
    /// Until before this one.
    pub to: Timestamp,
    /// Width of buckets.
    pub bucket: Bucket,
    /// Of this channel alone.
    pub channel: Option<String>,
    /// Of this group of customers alone.
    pub segment: Option<String>,
}

/// A range that means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RangeError {
    /// It ends before it begins.
    #[error("`to` is not after `from`")]
    Empty,
    /// It has too many buckets.
    #[error("the range has {0} buckets; at most 2000 are counted: take a wider `bucket` or a shorter range")]
    TooFine(i64),
}

impl Range {
    /// The last 30 days, by day.
    #[must_use]
    pub fn recent(now: Timestamp) -> Self {
        let from = now.saturating_sub(SignedDuration::from_hours(30 * 24)).unwrap_or(now);
        Self { from, to: now, bucket: Bucket::Day, channel: None, segment: None }
    }

    /// Checks that it means something.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(self) -> Result<Self, RangeError> {
        let length = self.to.as_millisecond() - self.from.as_millisecond();
        if length <= 0 {
            return Err(RangeError::Empty);
        }
        let buckets = length / self.bucket.width() + 1;
        if buckets > BUCKETS { Err(RangeError::TooFine(buckets)) } else { Ok(self) }
    }

    /// Runs a statement whose arguments `$1` to `$4` are those of [`WHERE`], and `$5` the width of a bucket where it has that.
    pub(super) async fn rows(&self, store: &Store, statement: String) -> Result<Vec<AnyRow>, StoreError> {
        let bucketed = statement.contains("$5");
        let query = sqlx::query(AssertSqlSafe(statement)).bind(self.from.as_millisecond()).bind(self.to.as_millisecond());
        let query = query.bind(self.channel.clone().unwrap_or_default()).bind(self.segment.clone().unwrap_or_default());
        let query = if bucketed { query.bind(self.bucket.width()) } else { query };
        Ok(query.fetch_all(store.pool()).await?)
    }
}

/// The rows of a table, under a name, that a range means.
pub(super) fn within(name: &str) -> String {
    format!("{name}.at >= $1 AND {name}.at < $2 AND ($3 = '' OR {name}.channel = $3) AND ($4 = '' OR {name}.segment = $4)")
}

/// A share; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of messages")]
pub(super) fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The number of rows of which something is true.
pub(super) fn count_if(condition: &str) -> String {
    format!("CAST(COALESCE(SUM(CASE WHEN {condition} THEN 1 ELSE 0 END), 0) AS BIGINT)")
}
