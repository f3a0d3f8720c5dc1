//! A thread with a runner: batch in, answers out.

use super::batcher::{Idle, Job, Work};
use super::request::{EngineError, Outcome, Timings};
use crate::backend::{BatchLogits, Cores, PrepareError, Runner};
use crate::batch::PackedBatch;
use crate::heads::Heads;
use crate::model::LoadedModel;
use crate::patterns::merge;
use crate::telemetry::{self, Stage};
use crate::text::Utterance;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// Rows and runs of the warm-up, whose speed is the first estimate of the engine's.
const WARM_UP_ROWS: usize = 4;
const WARM_UP_RUNS: usize = 3;

struct Worker {
    runner: Box<dyn Runner>,
    heads: Arc<Heads>,
    /// Entity labels of the model; patterns add no others.
    labels: Vec<String>,
}

/// Warms the runner up and starts its thread, which reports itself to `idle` whenever it is free. Returns its speed, in tokens a
/// second.
///
/// # Errors
/// When the runner fails on the warm-up message or the thread cannot be started.
pub fn start(
    number: usize,
    runner: Box<dyn Runner>,
    heads: Arc<Heads>,
    model: &LoadedModel,
    idle: Sender<Idle>,
) -> Result<f64, PrepareError> {
    let labels = model.manifest.heads.entities.as_ref().map(|head| head.labels.clone()).unwrap_or_default();
    let mut worker = Worker { runner, heads, labels };
    let tokens_per_second = worker.warm_up(model)?;
    let run = move || {
        loop {
            // The batcher gets the only sender, so the worker ends when the batcher does.
            let (batches, mine) = channel();
            if idle.send(batches).is_err() {
                return;
            }
            let Ok(work) = mine.recv() else { return };
            // A panic fails its batch, whose callers see their reply dropped; the worker goes on.
            if catch_unwind(AssertUnwindSafe(|| worker.answer(work))).is_err() {
                telemetry::batch_panicked(number);
            }
        }
    };
    let thread = std::thread::Builder::new().name(format!("hearken-worker-{number}")).spawn(run);
    thread.map(|_| tokens_per_second).map_err(|error| PrepareError::Device(error.to_string()))
}

impl Worker {
    #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
    fn warm_up(&mut self, model: &LoadedModel) -> Result<f64, PrepareError> {
        let failed = |error: &dyn std::fmt::Display| PrepareError::Device(format!("the warm-up message failed: {error}"));
        let text = Utterance::new("Where is my order? It should have been here by now.").map_err(|error| failed(&error))?;
        let encoded = model.text.encode(&text, &[]).map_err(|error| failed(&error))?;
        let batch = PackedBatch::new(std::iter::repeat_n(&encoded, WARM_UP_ROWS));
        let mut fastest = Duration::MAX;
        for _ in 0..WARM_UP_RUNS {
            let started = Instant::now();
            let logits = self.runner.run(&batch, Cores::One).map_err(|error| failed(&error))?;
            fastest = fastest.min(started.elapsed());
            self.heads.decode(&logits, 0, &encoded).map(drop).map_err(|error| failed(&error))?;
        }
        Ok(batch.tokens() as f64 / fastest.as_secs_f64().max(1e-9))
    }

    fn answer(&mut self, Work { batch, cores }: Work) {
        let started = Instant::now();
        let packed = PackedBatch::new(batch.iter().map(|job| &job.encoded));
        let logits = self.runner.run(&packed, cores);
        let compute = started.elapsed();
        telemetry::batch(packed.rows(), packed.tokens(), self.runner.limits().tokens, compute);
        for (row, job) in batch.into_iter().enumerate() {
            let queue = started.saturating_duration_since(job.admitted);
            telemetry::stage(Stage::Queue, queue);
            let outcome = match &logits {
                Ok(logits) => self.outcome(logits, row, &job, queue, compute),
                Err(error) => Err(error.clone().into()),
            };
            // Its place is given back first, so that a caller with an answer finds room for its next request. A caller that has
            // gone meanwhile does not want the answer.
            drop(job.place);
            drop(job.reply.send(outcome));
        }
    }

    fn outcome(&self, logits: &BatchLogits, row: usize, job: &Job, queue: Duration, compute: Duration) -> Result<Outcome, EngineError> {
        let started = Instant::now();
        let mut prediction = self.heads.decode(logits, row, &job.encoded)?;
        prediction.entities = prediction.entities.map(|found| merge(&job.input.text, found, &self.labels, &job.input.values));
        let decode = started.elapsed();
        telemetry::stage(Stage::Decode, decode);
        let timings = Timings { encode: job.encode, queue, compute, decode };
        Ok(Outcome { prediction, tokens: job.encoded.ids.len(), truncated: job.encoded.truncated, timings })
    }
}
