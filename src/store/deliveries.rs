//! The outbox: which deliveries are due, who is at them, and how they ended.

use super::error::StoreError;
use super::handovers::DeliveryRow;
use super::open::Store;
use super::rows::DELIVERIES;
use sqlx::Row as _;

/// A delivery that is due, and what is to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The delivery.
    pub delivery: DeliveryRow,
    /// What the target is told.
    pub payload: String,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// It arrived.
    Delivered,
    /// It is tried again at this time, in milliseconds since 1970.
    Later(i64),
    /// It is given up.
    Dead,
}

impl Store {
    /// Takes deliveries to a target that are due, for `lease` milliseconds; nobody else gets them meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_due(&self, target: &str, now: i64, lease: i64, most: usize) -> Result<Vec<Due>, StoreError> {
        let statement = self.sql(|dialect| {
            format!(
                "UPDATE deliveries SET lease = $3, attempts = attempts + 1 WHERE target = $1 AND handover IN (SELECT handover FROM \
                 deliveries WHERE target = $1 AND state = 'pending' AND due <= $2 AND lease <= $2 ORDER BY due LIMIT $4 {}) RETURNING {}",
                dialect.skip_locked(),
                DELIVERIES.names()
            )
        });
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let query = sqlx::query_as(statement).bind(target.to_owned()).bind(now).bind(now + lease).bind(most);
        let taken: Vec<DeliveryRow> = query.fetch_all(&self.pool).await?;
        let mut due = Vec::with_capacity(taken.len());
        for delivery in taken {
            let query = sqlx::query("SELECT payload FROM handovers WHERE id = $1").bind(delivery.handover.clone());
            // Erased in the meantime: there is nothing to tell any more.
            let Some(row) = query.fetch_optional(&self.pool).await? else { continue };
            due.push(Due { payload: row.try_get("payload")?, delivery });
        }
        Ok(due)
    }

    /// Notes how an attempt ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(
        &self,
        delivery: &DeliveryRow,
        finished: &Finished,
        status: Option<u16>,
        error: Option<&str>,
        now: i64,
    ) -> Result<(), StoreError> {
        let (state, due, end) = match finished {
            Finished::Delivered => ("delivered", now, Some(now)),
            Finished::Later(due) => ("pending", *due, None),
            Finished::Dead => ("dead", now, Some(now)),
        };
        let statement = "UPDATE deliveries SET state = $3, due = $4, lease = 0, status = $5, error = $6, finished = $7 \
                         WHERE handover = $1 AND target = $2";
        let query = sqlx::query(statement).bind(delivery.handover.clone()).bind(delivery.target.clone()).bind(state).bind(due);
        let query = query.bind(status.map(i64::from)).bind(error.map(str::to_owned)).bind(end);
        query.execute(&self.pool).await?;
        Ok(())
    }

    /// Tries the deliveries of a hand-over that were given up, or wait, again at once. Says how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retry(&self, handover: &str, now: i64) -> Result<u64, StoreError> {
        let statement =
            "UPDATE deliveries SET state = 'pending', due = $2, lease = 0, finished = NULL WHERE handover = $1 AND state <> 'delivered'";
        Ok(sqlx::query(statement).bind(handover.to_owned()).bind(now).execute(&self.pool).await?.rows_affected())
    }

    /// When the next delivery to a target is due, in milliseconds since 1970.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_due(&self, target: &str) -> Result<Option<i64>, StoreError> {
        let statement =
            "SELECT MIN(CASE WHEN lease > due THEN lease ELSE due END) AS next FROM deliveries WHERE target = $1 AND state = 'pending'";
        Ok(sqlx::query(statement).bind(target.to_owned()).fetch_one(&self.pool).await?.try_get("next")?)
    }
}
