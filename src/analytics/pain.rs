//! Where does it hurt? Intents and things by how many messages about them are negative, and how much.

use super::range::{Range, count_if, share, within};
use crate::desk::PERSONAL;
use crate::store::{Store, StoreError};
use serde::Serialize;
use sqlx::Row as _;

/// Pain points that are listed.
const LISTED: usize = 50;

/// What hurts, the most first.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PainPoints {
    /// Intents.
    pub intents: Vec<PainPoint>,
    /// Things that are named: products, sizes and so on, but nothing that names a person.
    pub entities: Vec<PainPoint>,
}

/// Something that hurts.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct PainPoint {
    /// The intent, or the kind of thing.
    pub label: String,
    /// The thing, in lower case.
    pub text: Option<String>,
    /// Messages.
    pub messages: i64,
    /// Share of negative ones.
    pub negative_rate: Option<f64>,
    /// Mean sentiment.
    pub sentiment: Option<f64>,
    /// The sum of the negative messages' sentiment, its sign turned: many that are a little negative weigh as much as few that are very.
    pub weight: f64,
}

/// The pain points of a range.
///
/// # Errors
/// When the database fails.
pub async fn pain_points(store: &Store, range: &Range) -> Result<PainPoints, StoreError> {
    let figures = format!(
        "COUNT(*) AS messages, {} AS negative, AVG(m.sentiment_score) AS sentiment, \
         SUM(CASE WHEN m.sentiment = 'negative' THEN -m.sentiment_score ELSE 0.0 END) AS weight",
        count_if("m.sentiment = 'negative'")
    );
    let here = within("m");
    let order = format!("HAVING SUM(CASE WHEN m.sentiment = 'negative' THEN 1 ELSE 0 END) > 0 ORDER BY weight DESC, 1, 2 LIMIT {LISTED}");
    let intents = format!(
        "SELECT m.intent AS label, CAST(NULL AS TEXT) AS text, {figures} FROM messages m WHERE m.decision IS NOT NULL AND m.intent IS NOT NULL \
         AND m.status <> 'out_of_scope' AND {here} GROUP BY 1, 2 {order}"
    );
    let personal = PERSONAL.map(|label| format!("'{label}'")).join(", ");
    let entities = format!(
        "SELECT element.value ->> 'label' AS label, LOWER(element.value ->> 'text') AS text, {figures} FROM messages m, {} \
         WHERE m.entities IS NOT NULL AND element.value ->> 'label' NOT IN ({personal}) AND {here} GROUP BY 1, 2 {order}",
        store.dialect().elements("m.entities")
    );
    Ok(PainPoints { intents: points(range, store, intents).await?, entities: points(range, store, entities).await? })
}

async fn points(range: &Range, store: &Store, statement: String) -> Result<Vec<PainPoint>, StoreError> {
    let point = |row: &sqlx::any::AnyRow| {
        let messages = row.try_get("messages")?;
        Ok(PainPoint {
            label: row.try_get("label")?,
            text: row.try_get("text")?,
            messages,
            negative_rate: share(row.try_get("negative")?, messages),
            sentiment: row.try_get("sentiment")?,
            weight: row.try_get("weight")?,
        })
    };
    range.rows(store, statement).await?.iter().map(point).collect()
}
