//! What changes a conversation beside its customer's messages: a hand-over that is asked for, a hand-back, what others say, events.

use super::error::DeskError;
use super::take::requested;
use super::{Desk, memory};
use crate::conversation::Role;
use crate::handover::Account;
use crate::policy::{Episode, Priority};
use crate::store::{Change, EventKind, EventRow, HandoverState, Remembered, StoreError, Written, moment};
use jiff::Timestamp;

/// How often a change is made again because somebody else changed the conversation.
const ATTEMPTS: usize = 8;

/// What a bot or a person said.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Who.
    pub role: Role,
    /// What.
    pub text: String,
    /// The caller's identifier; a reply that comes again under it is one.
    pub id: Option<String>,
}

/// A hand-over that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// Its identifier.
    pub id: String,
    /// Whether a person had the conversation already.
    pub before: bool,
}

impl Desk {
    /// Hands a conversation to a person because the caller wants it.
    ///
    /// # Errors
    /// When there is no such conversation or the store fails.
    pub async fn ask_for_human(&self, id: &str, priority: Priority, at: Timestamp) -> Result<HandedOver, DeskError> {
        let at = at.as_millisecond();
        for _ in 0..ATTEMPTS {
            let Remembered { mut conversation, messages } = self.open(id).await?;
            if let Some(open) = conversation.handover {
                return Ok(HandedOver { id: open, before: true });
            }
            let mut episode: Episode = memory::read("episode", &conversation.episode)?;
            episode.hand_over(moment(at), priority);
            let handover = crate::handover::new_id();
            conversation.episode = memory::write(&episode);
            conversation.handover = Some(handover.clone());
            conversation.version += 1;
            conversation.updated = conversation.updated.max(at);
            let decision = requested(&self.policy.load(), priority);
            let account = Account {
                id: &handover,
                conversation: &conversation,
                since: episode.since,
                turns: &messages,
                decision: &decision,
                source: "request",
                at,
            };
            let (row, deliveries) = self.hand_over(&account);
            let change = Change { conversation: conversation.clone(), messages: Vec::new(), handovers: vec![row], deliveries };
            if self.store.write(change).await? == Written::Done {
                self.outbox.wake();
                return Ok(HandedOver { id: handover, before: false });
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Gives a conversation back to the bot. Says which hand-over that ended.
    ///
    /// # Errors
    /// When there is no such conversation, it is not with a person, or the store fails.
    pub async fn hand_back(&self, id: &str, at: Timestamp) -> Result<String, DeskError> {
        let at = at.as_millisecond();
        for _ in 0..ATTEMPTS {
            let Remembered { mut conversation, .. } = self.open(id).await?;
            let mut episode: Episode = memory::read("episode", &conversation.episode)?;
            let Some(handover) = conversation.handover.take() else { return Err(DeskError::NotHandedOver) };
            episode.hand_back(moment(at), conversation.turns.unsigned_abs());
            conversation.episode = memory::write(&episode);
            conversation.version += 1;
            conversation.updated = conversation.updated.max(at);
            let change = Change { conversation, messages: Vec::new(), handovers: Vec::new(), deliveries: Vec::new() };
            if self.store.write(change).await? == Written::Done {
                self.store.advance(&handover, HandoverState::Resolved, at).await?;
                return Ok(handover);
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Remembers what a bot or a person said.
    ///
    /// # Errors
    /// When there is no such conversation or the store fails.
    pub async fn reply(&self, id: &str, reply: &Reply, at: Timestamp) -> Result<(), DeskError> {
        for _ in 0..ATTEMPTS {
            let Remembered { mut conversation, messages } = self.open(id).await?;
            if let Some(reply) = &reply.id
                && self.store.message(id, reply).await?.is_some()
            {
                return Ok(());
            }
            let at = at.as_millisecond().max(messages.last().map_or(i64::MIN, |row| row.at));
            let row = memory::spoken(id, conversation.turns, reply.role, reply.text.clone(), at, reply.id.clone());
            let mut episode: Episode = memory::read("episode", &conversation.episode)?;
            episode.heard(moment(at));
            conversation.episode = memory::write(&episode);
            conversation.version += 1;
            conversation.turns += 1;
            conversation.updated = conversation.updated.max(at);
            let change = Change { conversation, messages: vec![row], handovers: Vec::new(), deliveries: Vec::new() };
            if self.store.write(change).await? == Written::Done {
                return Ok(());
            }
        }
        Err(StoreError::Contended.into())
    }

    /// Tries the deliveries of a hand-over that were given up, or wait, again at once. Says how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retry(&self, handover: &str, now: Timestamp) -> Result<u64, DeskError> {
        let tried = self.store.retry(handover, now.as_millisecond()).await?;
        self.outbox.wake();
        Ok(tried)
    }

    /// Records an event and does what follows from it. Says whether it is new.
    ///
    /// # Errors
    /// When the conversation or hand-over that it is about is not there, or the store fails.
    pub async fn event(&self, kind: EventKind, event: &EventRow) -> Result<bool, DeskError> {
        let at = moment(event.at);
        let handover = event.handover.as_deref();
        match kind {
            EventKind::HandoverAccepted => {
                if let Some(handover) = handover {
                    self.store.advance(handover, HandoverState::Accepted, event.at).await?;
                }
            }
            EventKind::HandoverResolved => self.resolved(handover, at).await?,
            EventKind::ConversationResolved => {
                if let Some(conversation) = event.conversation.as_deref() {
                    self.close(conversation, event.at).await?;
                }
            }
            EventKind::Csat | EventKind::Correction | EventKind::Reply | EventKind::Anomaly => {}
        }
        Ok(self.store.record(event).await?)
    }

    /// A person is done: the conversation goes back, unless it did or is with somebody else by now.
    async fn resolved(&self, handover: Option<&str>, at: Timestamp) -> Result<(), DeskError> {
        let Some(handover) = handover else { return Ok(()) };
        let Some(row) = self.store.handover(handover).await? else { return Ok(()) };
        let open = self.store.conversation(&row.conversation).await?.and_then(|conversation| conversation.handover);
        if open.as_deref() == Some(handover) {
            match self.hand_back(&row.conversation, at).await {
                Ok(_) | Err(DeskError::NotHandedOver | DeskError::NoConversation(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.store.advance(handover, HandoverState::Resolved, at.as_millisecond()).await?;
        Ok(())
    }

    /// A conversation is over; a person who has it is done with it.
    async fn close(&self, id: &str, at: i64) -> Result<(), DeskError> {
        match self.hand_back(id, moment(at)).await {
            Ok(_) | Err(DeskError::NotHandedOver) => {}
            Err(error) => return Err(error),
        }
        for _ in 0..ATTEMPTS {
            let Remembered { mut conversation, .. } = self.open(id).await?;
            conversation.resolved = Some(at);
            conversation.version += 1;
            let change = Change { conversation, messages: Vec::new(), handovers: Vec::new(), deliveries: Vec::new() };
            if self.store.write(change).await? == Written::Done {
                return Ok(());
            }
        }
        Err(StoreError::Contended.into())
    }

    async fn open(&self, id: &str) -> Result<Remembered, DeskError> {
        self.store.remembered(id).await?.ok_or_else(|| DeskError::NoConversation(id.to_owned()))
    }
}
