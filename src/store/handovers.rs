//! Hand-overs, and what became of them.

use super::error::StoreError;
use super::open::Store;
use super::rows::{DELIVERIES, HANDOVERS};
use serde::{Deserialize, Serialize};

/// How far a hand-over has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HandoverState {
    /// Nobody has taken it yet.
    Open,
    /// Somebody has taken it.
    Accepted,
    /// It is over.
    Resolved,
}

impl HandoverState {
    /// Name on the wire and in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Resolved => "resolved",
        }
    }
}

/// A hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct HandoverRow {
    /// Identifier, which targets see too.
    pub id: String,
    /// The conversation.
    pub conversation: String,
    /// The turn that it began at.
    pub turn: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// When the episode's first message came.
    pub began: i64,
    /// `policy`, or `request` where the caller asked for it.
    pub source: String,
    /// How pressing it is.
    pub priority: String,
    /// Where the message came in.
    pub channel: Option<String>,
    /// The customer's group.
    pub segment: Option<String>,
    /// The rules that fired, a JSON array of names.
    pub rules: String,
    /// What targets are told, as JSON.
    pub payload: String,
    /// [`HandoverState::name`].
    pub state: String,
    /// When it was taken.
    pub accepted: Option<i64>,
    /// When it was over.
    pub resolved: Option<i64>,
}

/// The delivery of a hand-over to one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct DeliveryRow {
    /// The hand-over.
    pub handover: String,
    /// The target's name.
    pub target: String,
    /// `pending`, `delivered` or `dead`.
    pub state: String,
    /// Attempts so far.
    pub attempts: i64,
    /// When the next attempt is due, in milliseconds since 1970.
    pub due: i64,
    /// Until when somebody is at it.
    pub lease: i64,
    /// HTTP status of the last attempt.
    pub status: Option<i64>,
    /// What went wrong last.
    pub error: Option<String>,
    /// When it was delivered or given up.
    pub finished: Option<i64>,
}

impl DeliveryRow {
    /// A delivery that is due at once.
    #[must_use]
    pub fn new(handover: &str, target: &str, at: i64) -> Self {
        Self {
            handover: handover.to_owned(),
            target: target.to_owned(),
            state: "pending".to_owned(),
            attempts: 0,
            due: at,
            lease: 0,
            status: None,
            error: None,
            finished: None,
        }
    }
}

impl Store {
    /// A hand-over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn handover(&self, id: &str) -> Result<Option<HandoverRow>, StoreError> {
        let statement = self.sql(|_| format!("SELECT {} FROM handovers WHERE id = $1", HANDOVERS.names()));
        Ok(sqlx::query_as(statement).bind(id.to_owned()).fetch_optional(&self.pool).await?)
    }

    /// Hand-overs, the latest first: of a state and a delivery state where given, that began before the one `before`. Their
    /// identifiers are in the order of time, so that no page leaves one out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn handovers(
        &self,
        state: Option<&str>,
        delivery: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Vec<HandoverRow>, StoreError> {
        let statement = self.sql(|_| {
            format!(
                "SELECT {} FROM handovers WHERE ($1 = '' OR state = $1) AND ($2 = '' OR id IN (SELECT handover FROM deliveries WHERE \
                 state = $2)) AND ($3 = '' OR id < $3) ORDER BY id DESC LIMIT $4",
                HANDOVERS.names()
            )
        });
        let query = sqlx::query_as(statement).bind(state.unwrap_or_default().to_owned()).bind(delivery.unwrap_or_default().to_owned());
        Ok(query.bind(before.unwrap_or_default().to_owned()).bind(i64::try_from(most).unwrap_or(i64::MAX)).fetch_all(&self.pool).await?)
    }

    /// The deliveries of a hand-over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn deliveries(&self, handover: &str) -> Result<Vec<DeliveryRow>, StoreError> {
        let statement = self.sql(|_| format!("SELECT {} FROM deliveries WHERE handover = $1 ORDER BY target", DELIVERIES.names()));
        Ok(sqlx::query_as(statement).bind(handover.to_owned()).fetch_all(&self.pool).await?)
    }

    /// Notes how far a hand-over has come; what it has been already stays. Says whether anything changed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn advance(&self, handover: &str, state: HandoverState, at: i64) -> Result<bool, StoreError> {
        let statement = match state {
            HandoverState::Open => return Ok(false),
            HandoverState::Accepted => "UPDATE handovers SET state = 'accepted', accepted = $2 WHERE id = $1 AND state = 'open'",
            HandoverState::Resolved => "UPDATE handovers SET state = 'resolved', resolved = $2 WHERE id = $1 AND state <> 'resolved'",
        };
        let done = sqlx::query(statement).bind(handover.to_owned()).bind(at).execute(&self.pool).await?;
        Ok(done.rows_affected() > 0)
    }
}
