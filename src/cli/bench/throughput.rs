//! Messages a second when there is always work: one runner on each thread, batches taken from a common list.

use super::workload::Workload;
use crate::backend::{Cores, Runner};
use crate::batch::PackedBatch;
use crate::heads::Heads;
use crate::model::LoadedModel;
use crate::patterns::{ValueContext, merge};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is done with each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Token ids to the message's vector.
    Encoder,
    /// Text to prediction: tokenising, encoder, heads, decoding, patterns.
    TextToPrediction,
}

/// Everything a thread needs to know of the model.
pub struct Bench<'a> {
    pub model: &'a LoadedModel,
    pub workload: &'a Workload,
    pub heads: Heads,
    pub labels: Vec<String>,
    pub values: ValueContext,
}

impl<'a> Bench<'a> {
    pub fn new(model: &'a LoadedModel, workload: &'a Workload) -> Self {
        let labels = model.manifest.heads.entities.as_ref().map(|head| head.labels.clone()).unwrap_or_default();
        let values = ValueContext { now: Some(jiff::Zoned::now()), region: None };
        Self { model, workload, heads: Heads::of(&model.manifest.heads), labels, values }
    }

    /// Time of one pass over all batches by all runners together.
    pub fn pass(&self, runners: &mut [Box<dyn Runner>], batches: &[Range<usize>], work: Work) -> anyhow::Result<Duration> {
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<anyhow::Error>> = Mutex::new(None);
        let started = Instant::now();
        let take = |runner: &mut Box<dyn Runner>| {
            while let Some(batch) = batches.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = self.one(runner.as_mut(), batch.clone(), work) {
                    failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    return;
                }
            }
        };
        std::thread::scope(|scope| {
            let (take, mut runners) = (&take, runners.iter_mut());
            let mine = runners.next();
            for runner in runners {
                scope.spawn(move || take(runner));
            }
            mine.map(take);
        });
        let elapsed = started.elapsed();
        failure.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(elapsed), Err)
    }

    fn one(&self, runner: &mut dyn Runner, batch: Range<usize>, work: Work) -> anyhow::Result<()> {
        let (Some(messages), Some(encoded)) = (self.workload.messages.get(batch.clone()), self.workload.encoded.get(batch)) else {
            return Ok(());
        };
        if work == Work::Encoder {
            runner.encode(&PackedBatch::new(encoded), Cores::One)?;
            return Ok(());
        }
        let encoded = messages.iter().map(|message| self.model.text.encode(message, &[])).collect::<Result<Vec<_>, _>>()?;
        let logits = runner.run(&PackedBatch::new(&encoded), Cores::One)?;
        for (row, (message, encoded)) in messages.iter().zip(&encoded).enumerate() {
            let mut prediction = self.heads.decode(&logits, row, encoded)?;
            prediction.entities = prediction.entities.map(|found| merge(message, found, &self.labels, &self.values));
            std::hint::black_box(prediction);
        }
        Ok(())
    }
}
