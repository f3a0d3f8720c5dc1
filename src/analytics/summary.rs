//! How is it going? The figures of a range of time.

use super::range::{Range, count_if, share, within};
use crate::store::{Store, StoreError};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

/// The figures.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Summary {
    /// From this moment.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// Until before this one.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// Customers' messages of conversations.
    pub messages: i64,
    /// Conversations with a message in the range.
    pub conversations: i64,
    /// Messages out of scope.
    pub out_of_scope: i64,
    /// Messages that may mean several things.
    pub ambiguous: i64,
    /// Share of messages that were not understood.
    pub not_understood_rate: Option<f64>,
    /// Share of negative messages.
    pub negative_rate: Option<f64>,
    /// Mean sentiment.
    pub sentiment: Option<f64>,
    /// Hand-overs that began.
    pub handovers: i64,
    /// Share of conversations that were handed over.
    pub escalation_rate: Option<f64>,
    /// Conversations that were resolved.
    pub resolved: i64,
    /// Share of them that no person took over.
    pub deflection_rate: Option<f64>,
    /// Seconds from the first message of an episode to its hand-over, in the mean.
    pub seconds_to_handover: Option<f64>,
    /// Seconds from a hand-over until somebody takes it, in the mean.
    pub seconds_to_accept: Option<f64>,
    /// Seconds from then until it is over, in the mean.
    pub handling_seconds: Option<f64>,
    /// Satisfactions that were given.
    pub csat_answers: i64,
    /// Their mean, 1 to 5.
    pub csat: Option<f64>,
    /// Their mean where a person took over.
    pub csat_with_person: Option<f64>,
}

/// Counts a range.
///
/// # Errors
/// When the database fails.
pub async fn summary(store: &Store, range: &Range) -> Result<Summary, StoreError> {
    let messages = format!(
        "SELECT COUNT(*) AS messages, COUNT(DISTINCT m.conversation) AS conversations, {} AS out_of_scope, {} AS ambiguous, {} AS negative, \
         AVG(m.sentiment_score) AS sentiment FROM messages m WHERE m.decision IS NOT NULL AND {}",
        count_if("m.status = 'out_of_scope'"),
        count_if("m.status = 'ambiguous'"),
        count_if("m.sentiment = 'negative'"),
        within("m")
    );
    let handovers = format!(
        "SELECT COUNT(*) AS handovers, COUNT(DISTINCT h.conversation) AS conversations, {} AS waited, {} AS accept, {} AS handling \
         FROM handovers h WHERE {}",
        mean("h.at - h.began"),
        mean("h.accepted - h.at"),
        mean("h.resolved - h.accepted"),
        within("h")
    );
    let resolved = "SELECT COUNT(*) AS resolved, CAST(COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM handovers h WHERE h.conversation = c.id) \
                    THEN 0 ELSE 1 END), 0) AS BIGINT) AS alone FROM conversations c WHERE c.resolved >= $1 AND c.resolved < $2 \
                    AND ($3 = '' OR c.channel = $3) AND ($4 = '' OR c.segment = $4)";
    let csat = "SELECT COUNT(*) AS answers, AVG(e.value) AS csat, AVG(CASE WHEN e.handover IS NOT NULL OR EXISTS (SELECT 1 FROM handovers h \
                WHERE h.conversation = e.conversation) THEN e.value END) AS person FROM events e LEFT JOIN conversations c \
                ON c.id = e.conversation WHERE e.kind = 'csat' AND e.at >= $1 AND e.at < $2 AND ($3 = '' OR c.channel = $3) \
                AND ($4 = '' OR c.segment = $4)";
    let of_messages = one(range.rows(store, messages).await?)?;
    let of_handovers = one(range.rows(store, handovers).await?)?;
    let of_resolved = one(range.rows(store, resolved.to_owned()).await?)?;
    let of_csat = one(range.rows(store, csat.to_owned()).await?)?;
    let int = |row: &AnyRow, name: &str| row.try_get::<i64, _>(name);
    let seconds = |row: &AnyRow, name: &str| row.try_get::<Option<f64>, _>(name).map(|milliseconds| milliseconds.map(|ms| ms / 1000.0));
    let total = int(&of_messages, "messages")?;
    let (out_of_scope, ambiguous) = (int(&of_messages, "out_of_scope")?, int(&of_messages, "ambiguous")?);
    let conversations = int(&of_messages, "conversations")?;
    let ended = int(&of_resolved, "resolved")?;
    Ok(Summary {
        from: range.from,
        to: range.to,
        messages: total,
        conversations,
        out_of_scope,
        ambiguous,
        not_understood_rate: share(out_of_scope + ambiguous, total),
        negative_rate: share(int(&of_messages, "negative")?, total),
        sentiment: of_messages.try_get("sentiment")?,
        handovers: int(&of_handovers, "handovers")?,
        escalation_rate: share(int(&of_handovers, "conversations")?, conversations),
        resolved: ended,
        deflection_rate: share(int(&of_resolved, "alone")?, ended),
        seconds_to_handover: seconds(&of_handovers, "waited")?,
        seconds_to_accept: seconds(&of_handovers, "accept")?,
        handling_seconds: seconds(&of_handovers, "handling")?,
        csat_answers: int(&of_csat, "answers")?,
        csat: of_csat.try_get("csat")?,
        csat_with_person: of_csat.try_get("person")?,
    })
}

fn mean(of: &str) -> String {
    format!("AVG(CAST({of} AS DOUBLE PRECISION))")
}

fn one(rows: Vec<AnyRow>) -> Result<AnyRow, StoreError> {
    rows.into_iter().next().ok_or_else(|| sqlx::Error::RowNotFound.into())
}
