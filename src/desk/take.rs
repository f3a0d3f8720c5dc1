//! Messages are taken: remembered, classified, decided about, written. Whoever changes a conversation at the same time is noticed when it
//! is written, and the message is read again beside what was said meanwhile.

use super::asked::{Answered, Asked, Place};
use super::error::DeskError;
use super::{Desk, memory};
use crate::batch::Class;
use crate::conversation::{Role, Turn};
use crate::desk::redact::masked;
use crate::engine::{Engine, EngineError, Input, Outcome, Request};
use crate::handover::{Account, Written as Payload};
use crate::policy::{Action, Decision, Episode, Message, Policy};
use crate::store::{
    Change, ConversationRow, DeliveryRow, DocumentKind, HandoverRow, HandoverState, MessageRow, Remembered, StoreError, Written, moment,
};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// How often a message is read again because somebody else changed its conversation.
const ATTEMPTS: usize = 8;

/// On which terms messages are taken.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Who waits.
    pub class: Class,
    /// When the answer is worth nothing any more.
    pub deadline: Option<Instant>,
    /// Whether messages longer than the model reads are refused.
    pub whole: bool,
}

/// The messages of a request that belong to one conversation, and the conversation.
struct Thread {
    id: String,
    /// Places of its messages in the request.
    members: Vec<usize>,
    conversation: ConversationRow,
    /// Its last turns, and those that the request adds.
    rows: Vec<MessageRow>,
    /// How many of `rows` are in the store.
    stored: usize,
    /// What each member is.
    takes: Vec<Take>,
}

/// What a message of a conversation is.
enum Take {
    /// It was answered before.
    Repeated(Box<MessageRow>),
    /// It is the same as an earlier message of this request.
    Again(usize),
    /// It is new, at this place in `rows`.
    New(usize),
}

impl Desk {
    /// Takes messages; one answer for each, in order.
    ///
    /// # Errors
    /// When the engine or the store fails, or a message cannot be taken.
    pub async fn take(&self, engine: &Engine, asked: &[Asked], terms: Terms) -> Result<Vec<Answered>, DeskError> {
        let policy = self.policy.load_full();
        let mut answers: Vec<Option<Answered>> = asked.iter().map(|_| None).collect();
        let mut lone: Vec<usize> =
            (0..asked.len()).filter(|place| asked.get(*place).is_some_and(|one| one.conversation.is_none())).collect();
        let mut open: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, one) in asked.iter().enumerate() {
            if let Some(conversation) = &one.conversation {
                open.entry(conversation).or_default().push(place);
            }
        }
        for _ in 0..ATTEMPTS {
            let threads = try_join_all(open.iter().map(|(id, members)| self.recall(id, members, asked))).await?;
            let inputs = Self::inputs(asked, &lone, &threads, &policy);
            let mut outcomes = classify(engine, inputs, terms).await?.into_iter();
            for place in lone.drain(..) {
                let (Some(one), Some(outcome), Some(answer)) = (asked.get(place), outcomes.next(), answers.get_mut(place)) else {
                    continue;
                };
                let decision = policy.decide(&one.facts(&outcome, engine));
                *answer = Some(Answered { outcome, decision, place: None });
            }
            let mut settled = Vec::with_capacity(threads.len());
            for thread in threads {
                let new = thread.takes.iter().filter(|take| matches!(take, Take::New(_))).count();
                settled.push((outcomes.by_ref().take(new).collect::<Vec<_>>(), thread));
            }
            let written = settled.into_iter().map(|(outcomes, thread)| self.settle(engine, &policy, asked, thread, outcomes));
            for settled in try_join_all(written).await? {
                let Some((id, found)) = settled else { continue };
                open.remove(id.as_str());
                for (place, answered) in found {
                    if let Some(answer) = answers.get_mut(place) {
                        *answer = Some(answered);
                    }
                }
            }
            if open.is_empty() {
                return answers.into_iter().collect::<Option<_>>().ok_or_else(|| EngineError::Stopped.into());
            }
        }
        Err(StoreError::Contended.into())
    }

    /// What is known of a conversation, with the turns that the request brings.
    async fn recall(&self, id: &str, members: &[usize], asked: &[Asked]) -> Result<Thread, DeskError> {
        let now = Timestamp::now().as_millisecond();
        let remembered =
            self.store.remembered(id).await?.unwrap_or_else(|| Remembered { conversation: begin(id, now), messages: Vec::new() });
        let Remembered { conversation, messages } = remembered;
        let all = conversation.turns <= i64::try_from(messages.len()).unwrap_or(i64::MAX);
        let stored = messages.len();
        let mut thread = Thread { id: id.to_owned(), members: members.to_vec(), conversation, rows: messages, stored, takes: Vec::new() };
        for place in members {
            let Some(one) = asked.get(*place) else { continue };
            let known = one.id.as_ref().and_then(|id| thread.rows.iter().position(|row| row.id.as_ref() == Some(id)));
            let older = match &one.id {
                Some(message) if known.is_none() && !all => self.store.message(id, message).await?,
                _ => None,
            };
            let reused = |row: &MessageRow| row.digest.as_ref().is_some_and(|digest| *digest != memory::digest(&one.input.text));
            if older.as_ref().is_some_and(reused) || known.and_then(|index| thread.rows.get(index)).is_some_and(reused) {
                return Err(DeskError::IdReused { input: *place });
            }
            let take = match (older, known) {
                (Some(row), _) => Take::Repeated(Box::new(row)),
                (None, Some(index)) if index < stored => Take::Repeated(Box::new(thread.rows.get(index).cloned().unwrap_or_default())),
                (None, Some(index)) => Take::Again(index),
                (None, None) => thread.add(one, now),
            };
            thread.takes.push(take);
        }
        Ok(thread)
    }

    /// What the engine is to read: the lone messages, then the new ones of each conversation with what was said before.
    /// Each with its place in the request.
    fn inputs(asked: &[Asked], lone: &[usize], threads: &[Thread], policy: &Policy) -> Vec<(usize, Input)> {
        let mut inputs: Vec<_> = lone.iter().filter_map(|place| Some((*place, asked.get(*place)?.input.clone()))).collect();
        for thread in threads {
            for (place, take) in thread.members.iter().zip(&thread.takes) {
                let (Take::New(index), Some(one)) = (take, asked.get(*place)) else { continue };
                let before = thread.rows.get(..*index).unwrap_or_default();
                let at = thread.rows.get(*index).map_or(0, |row| row.at);
                inputs.push((*place, Input { context: memory::context(before, at, policy.idle()), ..one.input.clone() }));
            }
        }
        inputs
    }

    /// Decides about the new messages of a conversation and writes them. None where somebody else changed it first.
    async fn settle(
        &self,
        engine: &Engine,
        policy: &Arc<Policy>,
        asked: &[Asked],
        mut thread: Thread,
        outcomes: Vec<Outcome>,
    ) -> Result<Option<(String, Vec<(usize, Answered)>)>, DeskError> {
        let mut answers = Vec::with_capacity(thread.takes.len());
        let mut change =
            Change { conversation: thread.conversation.clone(), messages: Vec::new(), handovers: Vec::new(), deliveries: Vec::new() };
        if !outcomes.is_empty() {
            self.keep(DocumentKind::Policy, policy.hash(), policy.file()).await?;
            self.keep(DocumentKind::Labels, engine.labels_hash(), engine.labels()).await?;
        }
        let mut outcomes = outcomes.into_iter();
        for (place, take) in thread.members.clone().into_iter().zip(std::mem::take(&mut thread.takes)) {
            let Some(one) = asked.get(place) else { continue };
            let answered = match take {
                Take::Repeated(row) => memory::answer(&row)?,
                Take::Again(index) => memory::answer(&thread.rows.get(index).cloned().unwrap_or_default())?,
                Take::New(index) => {
                    let outcome = outcomes.next().ok_or(EngineError::Stopped)?;
                    self.decide(engine, policy, one, &mut thread, index, outcome, &mut change)?
                }
            };
            answers.push((place, answered));
        }
        change.messages = thread.rows.split_off(thread.stored);
        if change.messages.is_empty() {
            return Ok(Some((thread.id, answers)));
        }
        change.conversation.version += 1;
        change.conversation.turns += i64::try_from(change.messages.len()).unwrap_or_default();
        let handed_over = !change.handovers.is_empty();
        if self.store.write(change).await? == Written::Conflict {
            return Ok(None);
        }
        if handed_over {
            self.outbox.wake();
        }
        Ok(Some((thread.id, answers)))
    }

    /// Decides about one message, and notes what comes of it in the change.
    #[expect(clippy::too_many_arguments, reason = "one message among those of its thread")]
    fn decide(
        &self,
        engine: &Engine,
        policy: &Policy,
        asked: &Asked,
        thread: &mut Thread,
        index: usize,
        outcome: Outcome,
        change: &mut Change,
    ) -> Result<Answered, DeskError> {
        let before = thread.rows.get(..index).unwrap_or_default();
        let (turn, at) = thread.rows.get(index).map(|row| (row.turn, row.at)).unwrap_or_default();
        let (text, kept) = masked(&asked.input.text, outcome.prediction.clone().kept(), &self.options.masked);
        let episode: Episode = memory::read("episode", &change.conversation.episode)?;
        let course = memory::course(before, episode)?;
        let conversation = &mut change.conversation;
        conversation.channel = asked.channel.clone().or_else(|| conversation.channel.take());
        conversation.segment = asked.segment.clone().or_else(|| conversation.segment.take());
        conversation.customer = asked.customer.clone().or_else(|| conversation.customer.take());
        conversation.metadata = asked.metadata.clone().or_else(|| conversation.metadata.take());
        let message = Message {
            turn: turn.unsigned_abs(),
            at: moment(at),
            text: &text,
            prediction: &kept,
            labels: engine.labels(),
            channel: conversation.channel.as_deref(),
            segment: conversation.segment.as_deref(),
            language: asked.language.as_deref(),
        };
        let (decision, after) = policy.go_on(&course, message);
        let mut row = memory::heard(asked, turn, at, text.clone(), &outcome, &kept, engine.id());
        row.decision = Some(memory::write(&decision));
        row.escalated = i64::from(decision.escalate);
        row.episode = Some(conversation.episode.clone());
        row.channel.clone_from(&conversation.channel);
        row.segment.clone_from(&conversation.segment);
        row.policy = Some(policy.id().to_owned());
        row.labels = Some(engine.labels_hash().to_owned());
        // A hand-over that a long silence ended is over.
        if after.open.is_none() {
            conversation.handover = None;
        }
        if conversation.version == 0 {
            conversation.created = thread.rows.first().map_or(at, |row| row.at);
        }
        conversation.updated = conversation.updated.max(at);
        conversation.episode = memory::write(&after);
        conversation.resolved = None;
        let began = (decision.action == Action::HandOver).then(crate::handover::new_id);
        if began.is_some() {
            conversation.handover.clone_from(&began);
        }
        row.handover.clone_from(&conversation.handover);
        if let Some(slot) = thread.rows.get_mut(index) {
            *slot = row;
        }
        if let Some(id) = began {
            let turns = thread.rows.get(..=index).unwrap_or_default();
            let account = Account { id: &id, conversation, since: after.since, turns, decision: &decision, source: "policy", at };
            let (handover, deliveries) = self.hand_over(&account);
            change.handovers.push(handover);
            change.deliveries.extend(deliveries);
        }
        let handover = change.conversation.handover.clone();
        let place = Place { conversation: thread.id.clone(), turn: turn.unsigned_abs(), repeated: false, handover };
        Ok(Answered { outcome, decision, place: Some(place) })
    }

    /// A hand-over and its deliveries, to be written.
    pub(super) fn hand_over(&self, account: &Account<'_>) -> (HandoverRow, Vec<DeliveryRow>) {
        let Payload { payload, began } = crate::handover::payload(account, &self.options.links);
        let rules: Vec<&str> = account.decision.reasons.iter().map(|reason| reason.rule.as_ref()).collect();
        let row = HandoverRow {
            id: account.id.to_owned(),
            conversation: account.conversation.id.clone(),
            turn: account.turns.last().map_or(0, |row| row.turn),
            at: account.at,
            began,
            source: account.source.to_owned(),
            priority: account.decision.priority.map_or("normal", crate::policy::Priority::name).to_owned(),
            channel: account.conversation.channel.clone(),
            segment: account.conversation.segment.clone(),
            rules: memory::write(&rules),
            payload,
            state: HandoverState::Open.name().to_owned(),
            accepted: None,
            resolved: None,
        };
        let deliveries = self.outbox.targets().iter().map(|target| DeliveryRow::new(account.id, target, account.at)).collect();
        (row, deliveries)
    }
}

impl Thread {
    /// Adds a new message with the turns before it that nobody has told yet.
    fn add(&mut self, asked: &Asked, now: i64) -> Take {
        let last = self.rows.last().map_or(i64::MIN, |row| row.at);
        // Turns keep their order, whatever the callers' clocks say.
        let at = asked.at.map_or(now, Timestamp::as_millisecond).max(last);
        for turn in self.untold(&asked.input.context) {
            let row = memory::spoken(&self.id, self.next(), turn.role, turn.text.as_str().to_owned(), at, None);
            self.rows.push(row);
        }
        let row = memory::spoken(&self.id, self.next(), Role::Customer, asked.input.text.as_str().to_owned(), at, asked.id.clone());
        self.rows.push(row);
        Take::New(self.rows.len() - 1)
    }

    fn next(&self) -> i64 {
        self.rows.last().map_or(self.conversation.turns, |row| row.turn + 1)
    }

    /// The turns of a caller's context that are not remembered: all of a conversation that is new here, else what others said after the
    /// customer's last message.
    fn untold(&self, context: &[Turn]) -> Vec<Turn> {
        if self.rows.is_empty() {
            return context.to_vec();
        }
        let since = context.iter().rposition(|turn| turn.role == Role::Customer).map_or(0, |last| last + 1);
        let answered = self.rows.iter().rev().take_while(|row| memory::role(row) != Role::Customer);
        let known: Vec<&str> = answered.filter_map(|row| row.text.as_deref()).collect();
        let new = context.get(since..).unwrap_or_default().iter().filter(|turn| !known.contains(&turn.text.as_str()));
        new.cloned().collect()
    }
}

/// A conversation that begins.
pub(super) fn begin(id: &str, now: i64) -> ConversationRow {
    ConversationRow {
        id: id.to_owned(),
        version: 0,
        created: now,
        updated: now,
        turns: 0,
        channel: None,
        segment: None,
        customer: None,
        metadata: None,
        episode: memory::write(&Episode::NEW),
        handover: None,
        resolved: None,
    }
}

async fn classify(engine: &Engine, inputs: Vec<(usize, Input)>, terms: Terms) -> Result<Vec<Outcome>, DeskError> {
    if inputs.is_empty() {
        return Ok(Vec::new());
    }
    let (places, inputs): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
    let request = Request { inputs, class: terms.class, deadline: terms.deadline };
    let outcomes = engine.classify(request).await?;
    match places.iter().zip(&outcomes).find(|(_, outcome)| terms.whole && outcome.truncated) {
        Some((input, outcome)) => Err(DeskError::Truncated { input: *input, tokens: outcome.tokens }),
        None => Ok(outcomes),
    }
}

/// The decision of a hand-over that somebody asked for.
pub(super) fn requested(policy: &Policy, priority: crate::policy::Priority) -> Decision {
    Decision {
        escalate: true,
        action: Action::HandOver,
        priority: Some(priority),
        reasons: Vec::new(),
        errors: Vec::new(),
        policy: policy.id().to_owned(),
        acknowledgement: None,
        quick_replies: Vec::new(),
    }
}
