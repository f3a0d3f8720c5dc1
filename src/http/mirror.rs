//! What would change with the model in the shadow: it is asked what the stable one was asked, off the way of the answer, and the
//! differences are counted.

use super::server::Service;
use crate::batch::Class;
use crate::desk::{Answered, Asked};
use crate::engine::{Input, Outcome, Request, Slot};
use crate::policy::Facts;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// Requests that may wait for the shadow at once; what comes beyond is not mirrored.
const ROOM: usize = 8;
/// Changes of intent that a report lists, the most frequent first.
const LISTED: usize = 20;

/// Mirrors requests to the shadow and keeps the report.
#[derive(Debug)]
pub struct Mirror {
    room: Arc<Semaphore>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// All but the changes of intent.
    report: MirrorReport,
    changes: BTreeMap<(String, String), u64>,
}

/// What changed where the shadow was asked beside the stable model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct MirrorReport {
    /// Messages that both models answered.
    pub compared: u64,
    /// Messages that the shadow had no time for.
    pub skipped: u64,
    /// Messages that the shadow failed on.
    pub failed: u64,
    /// Messages with another best intent.
    pub intent_changed: u64,
    /// Messages that are matched, ambiguous or out of scope for one model only.
    pub status_changed: u64,
    /// Messages with another sentiment label.
    pub sentiment_changed: u64,
    /// Messages with other entities.
    pub entities_changed: u64,
    /// Messages for which only one model's answer asks for a human.
    pub escalation_changed: u64,
    /// The most frequent changes of intent.
    pub changes: Vec<IntentChange>,
}

/// A change of intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct IntentChange {
    /// Intent by the stable model.
    pub stable: String,
    /// Intent by the shadow.
    pub shadow: String,
    /// Messages.
    pub messages: u64,
}

impl Default for Mirror {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM)), counts: Mutex::default() }
    }
}

impl Mirror {
    /// Asks the shadow too, where there is one, and returns at once.
    pub fn compare(service: &Arc<Service>, asked: &[Asked], answers: &[Answered]) {
        let Some(engine) = service.slots.get(Slot::Shadow) else { return };
        let Ok(permit) = Arc::clone(&service.mirror.room).try_acquire_owned() else {
            service.mirror.counts().report.skipped += asked.len() as u64;
            return;
        };
        // Messages of conversations are read beside what was said before, which the shadow is not told.
        let lone = asked.iter().zip(answers).filter(|(_, answered)| answered.place.is_none());
        let (inputs, outcomes): (Vec<Input>, Vec<Outcome>) =
            lone.map(|(one, answered)| (one.input.clone(), answered.outcome.clone())).unzip();
        if inputs.is_empty() {
            return;
        }
        let service = Arc::clone(service);
        tokio::spawn(async move {
            let answer = engine.classify(Request { inputs: inputs.clone(), class: Class::Bulk, deadline: None }).await;
            let policy = service.policy();
            let mut counts = service.mirror.counts();
            match answer {
                Ok(others) => {
                    for ((input, stable), shadow) in inputs.iter().zip(&outcomes).zip(&others) {
                        let escalates =
                            |outcome: &Outcome| policy.decide(&Facts::lone(&input.text, &outcome.prediction, engine.labels())).escalate;
                        counts.add(stable, shadow, escalates(stable) != escalates(shadow));
                    }
                }
                Err(_) => counts.report.failed += inputs.len() as u64,
            }
            drop(permit);
        });
    }

    /// Begins anew, for another model in the shadow.
    pub fn clear(&self) {
        *self.counts() = Counts::default();
    }

    /// What was counted so far.
    pub fn report(&self) -> MirrorReport {
        let counts = self.counts();
        let change = |((stable, shadow), messages): (&(String, String), &u64)| IntentChange {
            stable: stable.clone(),
            shadow: shadow.clone(),
            messages: *messages,
        };
        let mut changes: Vec<_> = counts.changes.iter().map(change).collect();
        changes.sort_by_key(|change| std::cmp::Reverse(change.messages));
        changes.truncate(LISTED);
        MirrorReport { changes, ..counts.report.clone() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, stable: &Outcome, shadow: &Outcome, escalation: bool) {
        let (a, b) = (&stable.prediction, &shadow.prediction);
        self.report.compared += 1;
        self.report.escalation_changed += u64::from(escalation);
        let best = |outcome: &Outcome| outcome.prediction.intent.as_ref().and_then(|intent| Some(intent.ranking.first()?.0.clone()));
        if let (Some(from), Some(to)) = (best(stable), best(shadow))
            && from != to
        {
            self.report.intent_changed += 1;
            *self.changes.entry((from, to)).or_default() += 1;
        }
        self.report.status_changed +=
            u64::from(a.intent.as_ref().map(|intent| intent.status) != b.intent.as_ref().map(|intent| intent.status));
        self.report.sentiment_changed +=
            u64::from(a.sentiment.map(|sentiment| sentiment.label) != b.sentiment.map(|sentiment| sentiment.label));
        let spans = |outcome: &Outcome| -> Vec<_> {
            outcome.prediction.entities.iter().flatten().map(|entity| (entity.span, entity.label.clone())).collect()
        };
        self.report.entities_changed += u64::from(spans(stable) != spans(shadow));
    }
}
