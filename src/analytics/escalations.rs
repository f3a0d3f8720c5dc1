//! Who was handed over, when, and why?

use super::range::{Range, within};
use crate::store::{Store, StoreError, moment};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;
use std::collections::BTreeMap;

/// Hand-overs over time and by reason.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Escalations {
    /// Over time.
    pub buckets: Vec<EscalationBucket>,
    /// By rule; a hand-over counts for each of its rules.
    pub rules: Vec<Counted>,
    /// By intent of the message that they began at.
    pub intents: Vec<Counted>,
    /// Deliveries by target and state.
    pub deliveries: Vec<DeliveryCount>,
}

/// Hand-overs that began in a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct EscalationBucket {
    /// Its begin.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Hand-overs by priority.
    pub priorities: BTreeMap<String, i64>,
}

/// A name and how often it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Counted {
    /// The name; none where it is not known.
    pub name: Option<String>,
    /// How often.
    pub count: i64,
}

/// Deliveries to a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DeliveryCount {
    /// The target.
    pub target: String,
    /// `pending`, `delivered` or `dead`.
    pub state: String,
    /// How many.
    pub count: i64,
}

/// The hand-overs of a range.
///
/// # Errors
/// When the database fails.
pub async fn escalations(store: &Store, range: &Range) -> Result<Escalations, StoreError> {
    let here = within("h");
    let over_time = format!(
        "SELECT h.at / $5 * $5 AS bucket, h.priority AS priority, COUNT(*) AS n FROM handovers h WHERE {here} GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let mut buckets: Vec<EscalationBucket> = Vec::new();
    for row in range.rows(store, over_time).await? {
        let at = moment(row.try_get("bucket")?);
        if buckets.last().is_none_or(|last| last.at != at) {
            buckets.push(EscalationBucket { at, priorities: BTreeMap::new() });
        }
        if let Some(last) = buckets.last_mut() {
            last.priorities.insert(row.try_get("priority")?, row.try_get("n")?);
        }
    }
    let texts = store.dialect().texts("h.rules");
    let rules = format!("SELECT element.value AS name, COUNT(*) AS n FROM handovers h, {texts} WHERE {here} GROUP BY 1 ORDER BY 2 DESC, 1");
    let intents = format!(
        "SELECT m.intent AS name, COUNT(*) AS n FROM handovers h LEFT JOIN messages m ON m.conversation = h.conversation AND m.turn = h.turn \
         WHERE {here} GROUP BY 1 ORDER BY 2 DESC, 1"
    );
    let deliveries = format!(
        "SELECT d.target AS target, d.state AS state, COUNT(*) AS n FROM deliveries d JOIN handovers h ON h.id = d.handover \
         WHERE {here} GROUP BY 1, 2 ORDER BY 1, 2"
    );
    let delivery = |row: &sqlx::any::AnyRow| {
        Ok(DeliveryCount { target: row.try_get("target")?, state: row.try_get("state")?, count: row.try_get("n")? })
    };
    Ok(Escalations {
        buckets,
        rules: counted(range, store, rules).await?,
        intents: counted(range, store, intents).await?,
        deliveries: range.rows(store, deliveries).await?.iter().map(delivery).collect::<Result<_, StoreError>>()?,
    })
}

async fn counted(range: &Range, store: &Store, statement: String) -> Result<Vec<Counted>, StoreError> {
    let rows = range.rows(store, statement).await?;
    rows.iter().map(|row| Ok(Counted { name: row.try_get("name")?, count: row.try_get("n")? })).collect()
}
