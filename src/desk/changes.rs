//! What changes a conversation beside its customer's messages: a hand-over that is asked for, a hand-back, what others say, events.

use super::error::DeskError;
use super::take::requested;
use super::{Desk, memory};
use crate::conversation::Role;
use crate::handover::Account;
use crate::policy::{Episode, Priority};
use crate::store::{Change, EventKind, EventRow, HandoverState, MessageRow, Remembered, StoreError, Written, moment};
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

/// What an edit of a conversation came to.
enum Edit<T> {
    /// There was nothing to change.
    None(T),
    /// It is to be written.
    Made(T),
}

impl Desk {
    /// Hands a conversation to a person because the caller wants it.
    ///
    /// # Errors
    /// When there is no such conversation or the store fails.
    pub async fn ask_for_human(&self, id: &str, priority: Priority, at: Timestamp) -> Result<HandedOver, DeskError> {
        let decision = requested(&self.policy.load(), priority);
        let handed = self.change(id, |change, episode, messages| {
            let conversation = &mut change.conversation;
            if let Some(open) = &conversation.handover {
                return Ok(Edit::None(HandedOver { id: open.clone(), before: true }));
            }
            let handover = crate::handover::new_id();
            episode.hand_over(at, priority);
            conversation.handover = Some(handover.clone());
            conversation.updated = conversation.updated.max(at.as_millisecond());
            let account = Account {
                id: &handover,
                conversation,
                since: episode.since,
                turns: messages,
                decision: &decision,
                source: "request",
                at: at.as_millisecond(),
            };
            let (row, deliveries) = self.hand_over(&account);
            change.handovers.push(row);
            change.deliveries = deliveries;
            Ok(Edit::Made(HandedOver { id: handover, before: false }))
        });
        let handed = handed.await?;
        if !handed.before {
            self.outbox.wake();
        }
        Ok(handed)
    }

    /// Gives a conversation back to the bot. Says which hand-over that ended.
    ///
    /// # Errors
    /// When there is no such conversation, it is not with a person, or the store fails.
    pub async fn hand_back(&self, id: &str, at: Timestamp) -> Result<String, DeskError> {
        let ended = self.change(id, |change, episode, _| {
            let conversation = &mut change.conversation;
            let handover = conversation.handover.take().ok_or(DeskError::NotHandedOver)?;
            episode.hand_back(at, conversation.turns.unsigned_abs());
            conversation.updated = conversation.updated.max(at.as_millisecond());
            Ok(Edit::Made(handover))
        });
        let handover = ended.await?;
        self.store.advance(&handover, HandoverState::Resolved, at.as_millisecond()).await?;
        Ok(handover)
    }

    /// Remembers what a bot or a person said.
    ///
    /// # Errors
    /// When there is no such conversation or the store fails.
    pub async fn reply(&self, id: &str, reply: &Reply, at: Timestamp) -> Result<(), DeskError> {
        if let Some(reply) = &reply.id
            && self.store.message(id, reply).await?.is_some()
        {
            return Ok(());
        }
        let said = self.change(id, |change, episode, messages| {
            // By somebody else, meanwhile.
            if reply.id.is_some() && messages.iter().any(|row| row.id == reply.id) {
                return Ok(Edit::None(()));
            }
            let conversation = &mut change.conversation;
            let at = at.as_millisecond().max(messages.last().map_or(i64::MIN, |row| row.at));
            let row = memory::spoken(id, conversation.turns, reply.role, reply.text.clone(), at, reply.id.clone());
            episode.heard(moment(at));
            conversation.turns += 1;
            conversation.updated = conversation.updated.max(at);
            change.messages.push(row);
            Ok(Edit::Made(()))
        });
        said.await
    }

    /// Changes a conversation, and does so again where somebody else changed it first.
    async fn change<T>(
        &self,
        id: &str,
        mut edit: impl FnMut(&mut Change, &mut Episode, &[MessageRow]) -> Result<Edit<T>, DeskError>,
    ) -> Result<T, DeskError> {
        for _ in 0..ATTEMPTS {
            let remembered = self.store.remembered(id).await?;
            let Remembered { conversation, messages } = remembered.ok_or_else(|| DeskError::NoConversation(id.to_owned()))?;
            let mut episode: Episode = memory::read("episode", &conversation.episode)?;
            let mut change = Change { conversation, messages: Vec::new(), handovers: Vec::new(), deliveries: Vec::new() };
            let made = match edit(&mut change, &mut episode, &messages)? {
                Edit::None(answer) => return Ok(answer),
                Edit::Made(answer) => answer,
            };
            change.conversation.episode = memory::write(&episode);
            change.conversation.version += 1;
            if self.store.write(change).await? == Written::Done {
                return Ok(made);
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
        let closed = self.change(id, |change, _, _| {
            change.conversation.resolved = Some(at);
            Ok(Edit::Made(()))
        });
        closed.await
    }
}
