//! Changes of conversations, written in groups: what comes while one group is written is the next.

use super::dialect::Dialect;
use super::error::StoreError;
use super::handovers::{DeliveryRow, HandoverRow};
use super::open::Store;
use super::rows::{CONVERSATIONS, ConversationRow, DELIVERIES, HANDOVERS, MESSAGES, MessageRow};
use crate::telemetry;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection as _, Executor as _, Row as _};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Most changes of one group.
const GROUP: usize = 256;
/// Changes that may wait.
const WAITING: usize = 4096;

/// A change of one conversation, made from the version before `conversation.version`.
#[derive(Debug, Clone)]
pub struct Change {
    /// The conversation as it is to be; its version is one more than it was.
    pub conversation: ConversationRow,
    /// New turns.
    pub messages: Vec<MessageRow>,
    /// New hand-overs.
    pub handovers: Vec<HandoverRow>,
    /// Their deliveries.
    pub deliveries: Vec<DeliveryRow>,
}

/// What came of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is in the store; a hand-over is on disk.
    Done,
    /// Somebody else changed the conversation first; nothing was written.
    Conflict,
}

type Reply = oneshot::Sender<Result<Written, StoreError>>;

/// The door to the writing tasks.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    inbox: mpsc::Sender<(Change, Reply)>,
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

impl Store {
    /// Writes a change, whole or not at all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write(&self, change: Change) -> Result<Written, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.writer.inbox.send((change, reply)).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Writer {
    pub(super) fn start(pool: &AnyPool, dialect: &'static dyn Dialect) -> Self {
        let (inbox, changes) = mpsc::channel(WAITING);
        let changes = Arc::new(tokio::sync::Mutex::new(changes));
        let statements = Arc::new(Statements::new(dialect));
        let task = |_| tokio::spawn(write_groups(pool.clone(), dialect, Arc::clone(&statements), Arc::clone(&changes)));
        Self { inbox, tasks: Arc::new(Mutex::new((0..dialect.writers()).map(task).collect())) }
    }

    /// Waits until what is under way is written. Changes that come later are refused once every door is gone.
    pub(super) async fn close(&self) {
        while self.inbox.capacity() < self.inbox.max_capacity() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            task.abort();
            let _ = task.await;
        }
    }
}

/// The statements of a group.
struct Statements {
    conversations: String,
    messages: String,
    handovers: String,
    deliveries: String,
}

impl Statements {
    fn new(dialect: &dyn Dialect) -> Self {
        let each = dialect.each();
        let update = CONVERSATIONS.columns.iter().filter(|(name, _)| !["id", "created"].contains(name));
        let update = update.map(|(name, _)| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
        // A conversation that was erased in the meantime does not come back by an update.
        let insert = CONVERSATIONS.insert(each);
        Self {
            conversations: format!(
                "{insert} AND (CAST(element.value ->> 'version' AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM conversations c WHERE c.id = element.value ->> 'id')) \
                 ON CONFLICT (id) DO UPDATE SET {update} WHERE conversations.version = excluded.version - 1 RETURNING id"
            ),
            messages: MESSAGES.insert(each),
            handovers: HANDOVERS.insert(each),
            deliveries: DELIVERIES.insert(each),
        }
    }
}

async fn write_groups(
    pool: AnyPool,
    dialect: &'static dyn Dialect,
    statements: Arc<Statements>,
    changes: Arc<tokio::sync::Mutex<mpsc::Receiver<(Change, Reply)>>>,
) {
    loop {
        let mut group = Vec::new();
        if changes.lock().await.recv_many(&mut group, GROUP).await == 0 {
            return;
        }
        let begin = Instant::now();
        // A conversation that comes twice can only win once. In the order of their names, two writers never wait for each other.
        group.sort_by(|(a, _), (b, _)| a.conversation.id.cmp(&b.conversation.id));
        let mut seen = HashSet::new();
        let (group, late): (Vec<_>, Vec<_>) = group.into_iter().partition(|(change, _)| seen.insert(change.conversation.id.clone()));
        for (_, reply) in late {
            let _ = reply.send(Ok(Written::Conflict));
        }
        let (changes, replies): (Vec<_>, Vec<_>) = group.into_iter().unzip();
        let written = match pool.acquire().await {
            Ok(mut connection) => {
                let written = write(&mut connection, dialect, &statements, &changes).await;
                // After a failed commit, as on a full disk, nobody knows whether a transaction is open.
                if written.is_err() {
                    connection.close_on_drop();
                }
                written
            }
            Err(error) => Err(error),
        };
        telemetry::store_group(changes.len(), begin.elapsed(), written.is_ok());
        match written {
            Ok(won) => {
                for (change, reply) in changes.iter().zip(replies) {
                    let done = won.contains(&change.conversation.id);
                    let _ = reply.send(Ok(if done { Written::Done } else { Written::Conflict }));
                }
            }
            Err(error) => {
                let reason: Arc<str> = error.to_string().into();
                for reply in replies {
                    let _ = reply.send(Err(StoreError::Write(Arc::clone(&reason))));
                }
            }
        }
    }
}

/// Writes a group in one transaction; gives the conversations whose change won.
async fn write(
    connection: &mut AnyConnection,
    dialect: &dyn Dialect,
    statements: &Statements,
    changes: &[Change],
) -> Result<HashSet<String>, sqlx::Error> {
    let durable = changes.iter().any(|change| !change.handovers.is_empty());
    connection.execute(dialect.before_group(durable)).await?;
    let mut transaction = connection.begin().await?;
    let conversations: Vec<_> = changes.iter().map(|change| &change.conversation).collect();
    let rows = insert(&mut transaction, &statements.conversations, &conversations).await?;
    let won = rows.iter().map(|row| row.try_get("id")).collect::<Result<HashSet<String>, _>>()?;
    let of_won = || changes.iter().filter(|change| won.contains(&change.conversation.id));
    insert(&mut transaction, &statements.messages, &of_won().flat_map(|change| &change.messages).collect::<Vec<_>>()).await?;
    insert(&mut transaction, &statements.handovers, &of_won().flat_map(|change| &change.handovers).collect::<Vec<_>>()).await?;
    insert(&mut transaction, &statements.deliveries, &of_won().flat_map(|change| &change.deliveries).collect::<Vec<_>>()).await?;
    transaction.commit().await?;
    Ok(won)
}

async fn insert<T: Serialize>(connection: &mut AnyConnection, statement: &str, rows: &[T]) -> Result<Vec<AnyRow>, sqlx::Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let rows = serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    sqlx::query(AssertSqlSafe(statement.to_owned())).bind(rows).fetch_all(connection).await
}
