//! Reading and erasing conversations.

use super::error::StoreError;
use super::open::Store;
use super::rows::{CONVERSATIONS, ConversationRow, MESSAGES, MessageRow};
use crate::policy::HISTORY;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection as _, FromRow as _, Row as _};

/// Turns that are looked back on: of the customer and of who answers.
pub const LOOKBACK: usize = 2 * HISTORY;

/// How often a conversation is read again because it changed meanwhile.
const ATTEMPTS: usize = 16;

/// A conversation and its last turns, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    /// The conversation.
    pub conversation: ConversationRow,
    /// Its last turns.
    pub messages: Vec<MessageRow>,
}

impl Store {
    /// A conversation with its last [`LOOKBACK`] turns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remembered(&self, id: &str) -> Result<Option<Remembered>, StoreError> {
        for _ in 0..ATTEMPTS {
            let (conversation, messages) = self.both(id).await?;
            let Some(conversation) = conversation else { return Ok(None) };
            // A change between the two readings is seen by the number of turns.
            if messages.last().map_or(0, |last| last.turn + 1) == conversation.turns {
                return Ok(Some(Remembered { conversation, messages }));
            }
        }
        Err(StoreError::Contended)
    }

    /// A conversation and its last turns: in one trip where the database takes several statements at once, else side by side.
    async fn both(&self, id: &str) -> Result<(Option<ConversationRow>, Vec<MessageRow>), StoreError> {
        if !self.dialect.takes_several() {
            return tokio::try_join!(self.conversation(id), self.messages(id, i64::MAX, LOOKBACK));
        }
        let statement = self.sql(|_| format!("{}; {}", Self::one_conversation(), Self::last_messages()));
        let most = i64::try_from(LOOKBACK).unwrap_or(i64::MAX);
        let rows = sqlx::query(statement).bind(id.to_owned()).bind(i64::MAX).bind(most).fetch_all(&self.pool).await?;
        let (of_conversation, of_messages): (Vec<&AnyRow>, Vec<&AnyRow>) =
            rows.iter().partition(|row| row.len() == CONVERSATIONS.columns.len());
        let conversation = of_conversation.first().map(|row| ConversationRow::from_row(*row)).transpose()?;
        let messages = of_messages.into_iter().rev().map(MessageRow::from_row).collect::<Result<_, _>>()?;
        Ok((conversation, messages))
    }

    fn one_conversation() -> String {
        format!("SELECT {} FROM conversations WHERE id = $1", CONVERSATIONS.names())
    }

    fn last_messages() -> String {
        format!("SELECT {} FROM messages WHERE conversation = $1 AND turn < $2 ORDER BY turn DESC LIMIT $3", MESSAGES.names())
    }

    /// A conversation without its turns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn conversation(&self, id: &str) -> Result<Option<ConversationRow>, StoreError> {
        let statement = self.sql(|_| Self::one_conversation());
        Ok(sqlx::query_as(statement).bind(id.to_owned()).fetch_optional(&self.pool).await?)
    }

    /// The `most` turns before the turn `before`, oldest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn messages(&self, conversation: &str, before: i64, most: usize) -> Result<Vec<MessageRow>, StoreError> {
        let statement = self.sql(|_| Self::last_messages());
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let query = sqlx::query_as(statement).bind(conversation.to_owned()).bind(before).bind(most);
        let mut rows: Vec<MessageRow> = query.fetch_all(&self.pool).await?;
        rows.reverse();
        Ok(rows)
    }

    /// A message by the identifier that its caller gave it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn message(&self, conversation: &str, id: &str) -> Result<Option<MessageRow>, StoreError> {
        let statement = self.sql(|_| format!("SELECT {} FROM messages WHERE conversation = $1 AND id = $2", MESSAGES.names()));
        Ok(sqlx::query_as(statement).bind(conversation.to_owned()).bind(id.to_owned()).fetch_optional(&self.pool).await?)
    }

    /// Turns of the customer that were decided about, in the order of conversations and turns, after the given one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decided(&self, after: (&str, i64), most: usize) -> Result<Vec<MessageRow>, StoreError> {
        let statement = self.sql(|_| {
            let after = "conversation > $1 OR (conversation = $1 AND turn > $2)";
            format!(
                "SELECT {} FROM messages WHERE decision IS NOT NULL AND ({after}) ORDER BY conversation, turn LIMIT $3",
                MESSAGES.names()
            )
        });
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(sqlx::query_as(statement).bind(after.0.to_owned()).bind(after.1).bind(most).fetch_all(&self.pool).await?)
    }

    /// Erases a conversation and all that came of it. Says whether it was there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase(&self, id: &str) -> Result<bool, StoreError> {
        let mut connection = self.pool.acquire().await?;
        let erased = erase(&mut connection, id).await;
        if erased.is_err() {
            connection.close_on_drop();
        }
        Ok(erased?)
    }
}

async fn erase(connection: &mut AnyConnection, id: &str) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let gone = sqlx::query("DELETE FROM conversations WHERE id = $1").bind(id.to_owned()).execute(&mut *transaction).await?;
    for statement in [
        "DELETE FROM messages WHERE conversation = $1",
        "DELETE FROM deliveries WHERE handover IN (SELECT id FROM handovers WHERE conversation = $1)",
        "DELETE FROM handovers WHERE conversation = $1",
        "DELETE FROM events WHERE conversation = $1",
    ] {
        sqlx::query(statement).bind(id.to_owned()).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(gone.rows_affected() > 0)
}
