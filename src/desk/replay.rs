//! Why did a message escalate? The decision is made again from what is stored, with the policy and the labels of then, and compared.

use super::memory;
use crate::heads::Labels;
use crate::policy::{Decision, Episode, Message, Policy, PolicyFile};
use crate::store::{DocumentKind, LOOKBACK, MessageRow, Store, StoreError, moment};
use std::collections::HashMap;

/// A decision made again.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The message.
    pub row: MessageRow,
    /// What was decided.
    pub stored: Decision,
    /// What is decided from the same facts; none where the text has expired or the policy of then is not kept.
    pub again: Option<Decision>,
    /// The customer's messages that counted before it.
    pub past: Vec<MessageRow>,
}

impl Replayed {
    /// Whether both are the same to the last bit of every number; none where it could not be made again.
    #[must_use]
    pub fn same(&self) -> Option<bool> {
        self.again.as_ref().map(|again| memory::write(again) == memory::write(&self.stored))
    }
}

/// Policies and labels that were read already.
#[derive(Debug, Default)]
pub struct Documents {
    policies: HashMap<String, Option<Policy>>,
    labels: HashMap<String, Option<Labels>>,
}

impl Replayed {
    /// Makes the decision about a stored message again. None where nothing was decided about it.
    ///
    /// # Errors
    /// When the store fails or holds what cannot be read.
    pub async fn of(store: &Store, documents: &mut Documents, row: MessageRow) -> Result<Option<Self>, StoreError> {
        let (Some(decision), Some(episode), Some(policy_id)) = (&row.decision, &row.episode, &row.policy) else { return Ok(None) };
        let stored: Decision = memory::read("decision", decision)?;
        let episode: Episode = memory::read("episode", episode)?;
        let rows = store.messages(&row.conversation, row.turn, LOOKBACK).await?;
        if !documents.policies.contains_key(policy_id) {
            let (name, hash) = policy_id.split_once("@sha256:").unwrap_or((policy_id, ""));
            let file = store.document(DocumentKind::Policy, hash).await?;
            documents.policies.insert(policy_id.clone(), file.map(|file: PolicyFile| Policy::new(name, file)));
        }
        let labels_hash = row.labels.clone().unwrap_or_default();
        if !documents.labels.contains_key(&labels_hash) {
            let labels = store.document(DocumentKind::Labels, &labels_hash).await?;
            documents.labels.insert(labels_hash.clone(), labels);
        }
        let policy = documents.policies.get(policy_id).and_then(Option::as_ref);
        let labels = documents.labels.get(&labels_hash).and_then(Option::as_ref);
        let again = match (policy, labels, &row.text) {
            (Some(policy), Some(labels), Some(text)) => {
                let prediction = memory::prediction(&row)?;
                let message = Message {
                    turn: row.turn.unsigned_abs(),
                    at: moment(row.at),
                    text,
                    prediction: &prediction,
                    labels,
                    channel: row.channel.as_deref(),
                    segment: row.segment.as_deref(),
                    language: row.language.as_deref(),
                };
                Some(policy.go_on(&memory::course(&rows, episode)?, message).0)
            }
            _ => None,
        };
        let since = i64::try_from(episode.since).unwrap_or_default();
        let past = rows.into_iter().filter(|row| row.turn >= since && row.decision.is_some()).collect();
        Ok(Some(Self { row, stored, again, past }))
    }
}
