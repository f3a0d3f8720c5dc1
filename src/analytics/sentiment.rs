//! How do customers feel, over time?

use super::range::{Range, count_if, share, within};
use crate::store::{Store, StoreError, moment};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;

/// By what messages are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Grouping {
    /// By nothing.
    #[default]
    None,
    /// By the best intent.
    Intent,
    /// By where they came in.
    Channel,
    /// By the customer's group.
    Segment,
}

/// The mood of a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Mood {
    /// Its begin.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The intent, channel or group; none without a grouping, or where it is not known.
    pub group: Option<String>,
    /// Messages.
    pub messages: i64,
    /// Mean sentiment.
    pub sentiment: Option<f64>,
    /// Share of negative messages.
    pub negative_rate: Option<f64>,
}

/// The moods of a range, in the order of time.
///
/// # Errors
/// When the database fails.
pub async fn sentiment(store: &Store, range: &Range, grouping: Grouping) -> Result<Vec<Mood>, StoreError> {
    let group = match grouping {
        Grouping::None => "CAST(NULL AS TEXT)",
        Grouping::Intent => "m.intent",
        Grouping::Channel => "m.channel",
        Grouping::Segment => "m.segment",
    };
    let statement = format!(
        "SELECT m.at / $5 * $5 AS bucket, {group} AS name, COUNT(*) AS messages, AVG(m.sentiment_score) AS sentiment, {} AS negative \
         FROM messages m WHERE m.decision IS NOT NULL AND {} GROUP BY 1, 2 ORDER BY 1, 2",
        count_if("m.sentiment = 'negative'"),
        within("m")
    );
    let rows = range.rows(store, statement).await?;
    let mood = |row: &sqlx::any::AnyRow| {
        let messages = row.try_get("messages")?;
        Ok(Mood {
            at: moment(row.try_get("bucket")?),
            group: row.try_get("name")?,
            messages,
            sentiment: row.try_get("sentiment")?,
            negative_rate: share(row.try_get("negative")?, messages),
        })
    };
    rows.iter().map(mood).collect()
}
