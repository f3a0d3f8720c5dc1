//! Which model answers: the stable one, with a second that can be tried beside it. Changing them takes one swap of a pointer;
//! requests under way end on the engine that they began with.

use super::Engine;
use std::sync::{Arc, PoisonError, RwLock};

/// A place for a model at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Slot {
    /// Answers the requests.
    Stable,
    /// Is asked beside it, and answers who asks for it by name.
    Shadow,
}

impl Slot {
    /// Both slots.
    pub const ALL: [Self; 2] = [Self::Stable, Self::Shadow];

    /// Name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Shadow => "shadow",
        }
    }

    /// The slot of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|slot| slot.name() == name)
    }
}

/// The engines in their slots. Each was warmed up before it came here.
#[derive(Debug)]
pub struct Slots {
    engines: RwLock<Engines>,
}

#[derive(Debug)]
struct Engines {
    stable: Arc<Engine>,
    shadow: Option<Arc<Engine>>,
    /// What was stable before, kept warm for a rollback.
    previous: Option<Arc<Engine>>,
}

impl Engines {
    /// Puts an engine in the place of the stable one, which is kept for a rollback. Returns what was kept before.
    fn make_stable(&mut self, engine: Arc<Engine>) -> Option<Arc<Engine>> {
        let before = std::mem::replace(&mut self.stable, engine);
        self.previous.replace(before)
    }
}

/// A change of slots that is not possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// There is nothing to promote.
    #[error("the slot `shadow` is empty; load a model into it first")]
    NoShadow,
    /// There is nothing to go back to.
    #[error("no model was replaced since the start; there is nothing to go back to")]
    NoPrevious,
}

impl Slots {
    /// One engine, which is stable.
    #[must_use]
    pub fn new(stable: Engine) -> Self {
        Self { engines: RwLock::new(Engines { stable: Arc::new(stable), shadow: None, previous: None }) }
    }

    /// The engine that answers.
    #[must_use]
    pub fn stable(&self) -> Arc<Engine> {
        Arc::clone(&self.read().stable)
    }

    /// The engine of a slot.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<Arc<Engine>> {
        match slot {
            Slot::Stable => Some(self.stable()),
            Slot::Shadow => self.read().shadow.clone(),
        }
    }

    /// The engine that a rollback would bring back.
    #[must_use]
    pub fn previous(&self) -> Option<Arc<Engine>> {
        self.read().previous.clone()
    }

    /// Puts an engine into a slot. What was stable is kept for a rollback.
    pub fn put(&self, slot: Slot, engine: Engine) {
        let engine = Arc::new(engine);
        let mut engines = self.write();
        // The engine that goes is dropped after the lock: its threads may take a moment to end.
        let gone = match slot {
            Slot::Stable => engines.make_stable(engine),
            Slot::Shadow => engines.shadow.replace(engine),
        };
        drop(engines);
        drop(gone);
    }

    /// Takes the model out of the shadow.
    ///
    /// # Errors
    /// When there is none.
    pub fn clear_shadow(&self) -> Result<(), SlotError> {
        let gone = self.write().shadow.take();
        gone.map(drop).ok_or(SlotError::NoShadow)
    }

    /// The shadow becomes stable.
    ///
    /// # Errors
    /// When there is none.
    pub fn promote(&self) -> Result<(), SlotError> {
        let mut engines = self.write();
        let shadow = engines.shadow.take().ok_or(SlotError::NoShadow)?;
        let gone = engines.make_stable(shadow);
        drop(engines);
        drop(gone);
        Ok(())
    }

    /// What was stable before is so again; done twice, nothing has changed.
    ///
    /// # Errors
    /// When nothing was replaced.
    pub fn roll_back(&self) -> Result<(), SlotError> {
        let mut engines = self.write();
        let previous = engines.previous.take().ok_or(SlotError::NoPrevious)?;
        engines.make_stable(previous);
        Ok(())
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Engines> {
        self.engines.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Engines> {
        self.engines.write().unwrap_or_else(PoisonError::into_inner)
    }
}
