//! How does a conversation go on? A message of a conversation is read beside what was said before, decided about, and remembered; where a
//! person should take over, the hand-over is on disk before the answer leaves.

mod asked;
mod changes;
mod error;
mod memory;
mod redact;
mod rehearse;
mod replay;
mod take;

pub use asked::{Answered, Asked, Place};
pub use changes::{HandedOver, Reply};
pub use error::DeskError;
pub use redact::PERSONAL;
pub use rehearse::{rehearse, remembered};
pub use replay::{Documents, Replayed};
pub use take::Terms;

use crate::handover::{Links, Outbox};
use crate::policy::Policy;
use crate::store::{DocumentKind, Store, StoreError};
use arc_swap::ArcSwap;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// What a desk does beside deciding.
#[derive(Debug, Clone, Default)]
pub struct DeskOptions {
    /// Labels of entities that are masked in what is stored.
    pub masked: Vec<String>,
    /// Where people find conversations.
    pub links: Links,
}

/// Where conversations go on. Several replicas may have one store; each has its own desk.
#[derive(Debug)]
pub struct Desk {
    store: Store,
    policy: Arc<ArcSwap<Policy>>,
    outbox: Outbox,
    options: DeskOptions,
    kept: Mutex<HashSet<String>>,
}

impl Desk {
    /// A desk on a store, with the policy in force and the door to the targets of hand-overs.
    #[must_use]
    pub fn new(store: Store, policy: Arc<ArcSwap<Policy>>, outbox: Outbox, options: DeskOptions) -> Self {
        Self { store, policy, outbox, options, kept: Mutex::default() }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Keeps what decisions are made with, once for each process.
    async fn keep(&self, kind: DocumentKind, hash: &str, content: &(impl serde::Serialize + Sync)) -> Result<(), StoreError> {
        if self.kept().contains(hash) {
            return Ok(());
        }
        self.store.keep(kind, hash, content).await?;
        self.kept().insert(hash.to_owned());
        Ok(())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
