//! What an operator does with a store: forget what is old, make a copy, see that it is whole.

use super::error::StoreError;
use super::open::{Address, Store};
use serde::Serialize;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Row as _};
use std::path::Path;

/// What was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Purged {
    /// Messages whose text was forgotten.
    pub texts: u64,
    /// Conversations that were erased.
    pub conversations: u64,
}

/// What is in a store that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verified {
    /// Rows of each table.
    pub rows: Vec<(&'static str, i64)>,
    /// What is wrong.
    pub problems: Vec<String>,
}

const TABLES: [&str; 6] = ["conversations", "messages", "handovers", "deliveries", "events", "documents"];

/// Conversations that are forgotten: neither with a person nor on their way to one.
const OLD: &str = "updated < $1 AND handover IS NULL AND id NOT IN (SELECT h.conversation FROM handovers h JOIN deliveries d \
                   ON d.handover = h.id WHERE d.state = 'pending')";

/// What must not be found, each with the number of rows that it is found in.
const CHECKS: [(&str, &str); 5] = [
    ("messages without their conversation", "SELECT COUNT(*) AS n FROM messages WHERE conversation NOT IN (SELECT id FROM conversations)"),
    (
        "conversations with another number of turns than they say",
        "SELECT COUNT(*) AS n FROM conversations c WHERE turns <> (SELECT COUNT(*) FROM messages m WHERE m.conversation = c.id)",
    ),
    (
        "hand-overs without their conversation",
        "SELECT COUNT(*) AS n FROM handovers WHERE conversation NOT IN (SELECT id FROM conversations)",
    ),
    ("deliveries without their hand-over", "SELECT COUNT(*) AS n FROM deliveries WHERE handover NOT IN (SELECT id FROM handovers)"),
    (
        "open hand-overs that are not there",
        "SELECT COUNT(*) AS n FROM conversations WHERE handover IS NOT NULL AND handover NOT IN (SELECT id FROM handovers)",
    ),
];

impl Store {
    /// Forgets texts written before one time and conversations last changed before another, in milliseconds since 1970. What a person
    /// has, or what is still to be delivered, stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn purge(&self, texts_before: i64, conversations_before: i64) -> Result<Purged, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let purged = purge(&mut connection, texts_before, conversations_before).await;
        if purged.is_err() {
            connection.close_on_drop();
        }
        Ok(purged?)
    }

    /// Counts what is there and looks for what must not be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify(&self) -> Result<Verified, StoreError> {
        let mut verified = Verified::default();
        if matches!(*self.address, Address::Sqlite(_)) {
            let rows = sqlx::query("PRAGMA integrity_check").fetch_all(&self.pool).await?;
            let said = rows.iter().map(|row| row.try_get::<String, _>(0)).collect::<Result<Vec<_>, _>>()?;
            verified.problems.extend(said.into_iter().filter(|said| said != "ok"));
        }
        for table in TABLES {
            let statement = AssertSqlSafe(format!("SELECT COUNT(*) AS n FROM {table}"));
            verified.rows.push((table, sqlx::query(statement).fetch_one(&self.pool).await?.try_get("n")?));
        }
        for (what, statement) in CHECKS {
            let found: i64 = sqlx::query(statement).fetch_one(&self.pool).await?.try_get("n")?;
            if found > 0 {
                verified.problems.push(format!("{found} {what}"));
            }
        }
        Ok(verified)
    }

    /// Writes a copy of a SQLite store to a file that is not there yet, while the server goes on.
    ///
    /// # Errors
    /// When the database fails, or is PostgreSQL, which has tools of its own.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if matches!(*self.address, Address::Postgres(_)) {
            return Err(StoreError::Unsupported("PostgreSQL is copied with its own pg_dump"));
        }
        sqlx::query("VACUUM INTO $1").bind(to.display().to_string()).execute(&self.pool).await?;
        Ok(())
    }
}

async fn purge(connection: &mut AnyConnection, texts_before: i64, conversations_before: i64) -> Result<Purged, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let statement = "UPDATE messages SET text = NULL, entities = NULL WHERE at < $1 AND text IS NOT NULL";
    let texts = sqlx::query(statement).bind(texts_before).execute(&mut *transaction).await?.rows_affected();
    // The payload of a hand-over has the texts too.
    let statement = "UPDATE handovers SET payload = '{}' WHERE at < $1 AND payload <> '{}' AND id NOT IN (SELECT handover FROM deliveries \
                     WHERE state = 'pending')";
    sqlx::query(statement).bind(texts_before).execute(&mut *transaction).await?;
    let old = format!("SELECT id FROM conversations WHERE {OLD}");
    for statement in [
        format!("DELETE FROM deliveries WHERE handover IN (SELECT id FROM handovers WHERE conversation IN ({old}))"),
        format!("DELETE FROM handovers WHERE conversation IN ({old})"),
        format!("DELETE FROM events WHERE conversation IN ({old})"),
        format!("DELETE FROM messages WHERE conversation IN ({old})"),
    ] {
        sqlx::query(AssertSqlSafe(statement)).bind(conversations_before).execute(&mut *transaction).await?;
    }
    let statement = AssertSqlSafe(format!("DELETE FROM conversations WHERE {OLD}"));
    let conversations = sqlx::query(statement).bind(conversations_before).execute(&mut *transaction).await?.rows_affected();
    transaction.commit().await?;
    Ok(Purged { texts, conversations })
}
