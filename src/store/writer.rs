//! Changes of conversations, written in groups: what comes while one group is written is the next.

use super::dialect::Dialect;
use super::disk::Log;
use super::error::StoreError;
use super::handovers::{DeliveryRow, HandoverRow};
use super::open::Store;
use super::rows::{CONVERSATIONS, ConversationRow, DELIVERIES, HANDOVERS, MESSAGES, MessageRow, Table};
use crate::telemetry;
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection as _, Row as _};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot, watch};
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
    /// It is in the store; a hand-over is on the disk.
    Done,
    /// Somebody else changed the conversation first; nothing was written.
    Conflict,
}

type Reply = oneshot::Sender<Result<Written, StoreError>>;

/// The door to the writing tasks.
#[derive(Debug, Clone)]
pub(super) struct Writer {
    inbox: mpsc::Sender<(Change, Reply)>,
    closing: watch::Sender<bool>,
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
    pub(super) fn start(pool: &AnyPool, dialect: &'static dyn Dialect, log: Option<Log>) -> Self {
        let (inbox, changes) = mpsc::channel(WAITING);
        let changes = Arc::new(tokio::sync::Mutex::new(changes));
        let statements = Arc::new(Statements::new(dialect));
        let closing = watch::Sender::new(false);
        let task = |_| {
            let source = Source { changes: Arc::clone(&changes), closing: closing.subscribe() };
            tokio::spawn(write_groups(pool.clone(), dialect, log.clone(), Arc::clone(&statements), source))
        };
        let tasks = (0..dialect.writers()).map(task).collect();
        Self { inbox, closing, tasks: Arc::new(Mutex::new(tasks)) }
    }

    /// Waits until what is there is written; what comes later is refused.
    pub(super) async fn close(&self) {
        self.closing.send_replace(true);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            let _ = task.await;
        }
    }
}

/// Where writers get their groups from.
struct Source {
    changes: Arc<tokio::sync::Mutex<mpsc::Receiver<(Change, Reply)>>>,
    closing: watch::Receiver<bool>,
}

impl Source {
    /// The next group; empty when there will be none.
    async fn next(&mut self) -> Vec<(Change, Reply)> {
        let mut group = Vec::new();
        let mut changes = self.changes.lock().await;
        tokio::select! {
            biased;
            _ = changes.recv_many(&mut group, GROUP) => {}
            _ = self.closing.wait_for(|closing| *closing) => {}
        }
        group
    }
}

/// The statements of a group: one argument for each table, an array of rows.
struct Statements {
    conversations: String,
    messages: String,
    handovers: String,
    deliveries: String,
    /// The first of these within a transaction that begins, and the rest with its end, for a database that takes several at once: a
    /// statement that goes alone costs the change of two threads.
    begin: String,
    end: String,
}

impl Statements {
    fn new(dialect: &dyn Dialect) -> Self {
        let update = CONVERSATIONS.columns.iter().filter(|(name, _)| !["id", "created"].contains(name));
        let update = update.map(|(name, _)| format!("{name} = excluded.{name}")).collect::<Vec<_>>().join(", ");
        // A conversation that was erased in the meantime does not come back by an update.
        let insert = CONVERSATIONS.insert(&dialect.each(1));
        let conversations = format!(
            "{insert} AND (CAST(element.value ->> 'version' AS BIGINT) = 1 OR EXISTS (SELECT 1 FROM conversations c WHERE c.id = \
             element.value ->> 'id')) ON CONFLICT (id) DO UPDATE SET {update} WHERE conversations.version = excluded.version - 1 RETURNING id"
        );
        let of = |table: Table, argument| table.insert(&dialect.each(argument));
        let end = format!("{}; {}; {}; COMMIT", of(MESSAGES, 1), of(HANDOVERS, 2), of(DELIVERIES, 3));
        Self {
            begin: format!("BEGIN IMMEDIATE; {conversations}"),
            end,
            conversations,
            messages: of(MESSAGES, 1),
            handovers: of(HANDOVERS, 1),
            deliveries: of(DELIVERIES, 1),
        }
    }
}

async fn write_groups(pool: AnyPool, dialect: &'static dyn Dialect, log: Option<Log>, statements: Arc<Statements>, mut source: Source) {
    let mut line = Line { connection: None };
    loop {
        let mut group = source.next().await;
        if group.is_empty() {
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
        let written = line.write(&pool, dialect, &statements, &changes).await;
        telemetry::store_group(changes.len(), begin.elapsed(), written.is_ok());
        tell(written, &changes, replies, log.as_ref());
    }
}

/// Says what came of each change: of a hand-over when it is on the disk, of the others at once.
fn tell(written: Result<HashSet<String>, sqlx::Error>, changes: &[Change], replies: Vec<Reply>, log: Option<&Log>) {
    let won = match written {
        Ok(won) => won,
        Err(error) => return fail(replies, &error.to_string()),
    };
    let mut durable = Vec::new();
    for (change, reply) in changes.iter().zip(replies) {
        if !won.contains(&change.conversation.id) {
            let _ = reply.send(Ok(Written::Conflict));
        } else if change.handovers.is_empty() || log.is_none() {
            let _ = reply.send(Ok(Written::Done));
        } else {
            durable.push(reply);
        }
    }
    let Some(log) = log.filter(|_| !durable.is_empty()).cloned() else { return };
    tokio::spawn(async move {
        match log.reach_disk().await {
            Ok(()) => {
                for reply in durable {
                    let _ = reply.send(Ok(Written::Done));
                }
            }
            Err(error) => fail(durable, &error),
        }
    });
}

fn fail(replies: Vec<Reply>, reason: &str) {
    let reason: Arc<str> = reason.into();
    for reply in replies {
        let _ = reply.send(Err(StoreError::Write(Arc::clone(&reason))));
    }
}

/// A writer's own connection, where one lasts.
struct Line {
    connection: Option<PoolConnection<Any>>,
}

impl Line {
    /// Writes a group in one transaction; gives the conversations whose change won.
    async fn write(
        &mut self,
        pool: &AnyPool,
        dialect: &dyn Dialect,
        statements: &Statements,
        changes: &[Change],
    ) -> Result<HashSet<String>, sqlx::Error> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => pool.acquire().await?,
        };
        let written = if dialect.takes_several() {
            write_at_once(&mut connection, statements, changes).await
        } else {
            write_in_turn(&mut connection, statements, changes).await
        };
        if written.is_ok() {
            // One to another machine may die unnoticed; the pool looks before it gives one out.
            self.connection = Some(connection).filter(|_| !dialect.is_remote());
        } else {
            // After a failed commit, as on a full disk, nobody knows whether a transaction is open.
            connection.close_on_drop();
        }
        written
    }
}

async fn write_at_once(
    connection: &mut AnyConnection,
    statements: &Statements,
    changes: &[Change],
) -> Result<HashSet<String>, sqlx::Error> {
    let conversations: Vec<_> = changes.iter().map(|change| &change.conversation).collect();
    let rows = sqlx::query(AssertSqlSafe(statements.begin.clone())).bind(json(&conversations)?).fetch_all(&mut *connection).await?;
    let group = Group::of(changes, &rows)?;
    let end = sqlx::query(AssertSqlSafe(statements.end.clone()));
    end.bind(json(&group.messages)?).bind(json(&group.handovers)?).bind(json(&group.deliveries)?).execute(&mut *connection).await?;
    Ok(group.won)
}

async fn write_in_turn(
    connection: &mut AnyConnection,
    statements: &Statements,
    changes: &[Change],
) -> Result<HashSet<String>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let conversations: Vec<_> = changes.iter().map(|change| &change.conversation).collect();
    let rows =
        sqlx::query(AssertSqlSafe(statements.conversations.clone())).bind(json(&conversations)?).fetch_all(&mut *transaction).await?;
    let group = Group::of(changes, &rows)?;
    let inserts = [
        (&statements.messages, json(&group.messages)?, group.messages.is_empty()),
        (&statements.handovers, json(&group.handovers)?, group.handovers.is_empty()),
        (&statements.deliveries, json(&group.deliveries)?, group.deliveries.is_empty()),
    ];
    for (statement, rows, _) in inserts.into_iter().filter(|(.., empty)| !empty) {
        sqlx::query(AssertSqlSafe(statement.clone())).bind(rows).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(group.won)
}

/// What is written beside the conversations whose change won.
struct Group<'a> {
    won: HashSet<String>,
    messages: Vec<&'a MessageRow>,
    handovers: Vec<&'a HandoverRow>,
    deliveries: Vec<&'a DeliveryRow>,
}

impl<'a> Group<'a> {
    fn of(changes: &'a [Change], won: &[AnyRow]) -> Result<Self, sqlx::Error> {
        let won = won.iter().map(|row| row.try_get("id")).collect::<Result<HashSet<String>, _>>()?;
        let of_won: Vec<&Change> = changes.iter().filter(|change| won.contains(&change.conversation.id)).collect();
        Ok(Self {
            messages: of_won.iter().flat_map(|change| &change.messages).collect(),
            handovers: of_won.iter().flat_map(|change| &change.handovers).collect(),
            deliveries: of_won.iter().flat_map(|change| &change.deliveries).collect(),
            won,
        })
    }
}

fn json(rows: &[impl Serialize]) -> Result<String, sqlx::Error> {
    serde_json::to_string(rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
