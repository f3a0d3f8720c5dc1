//! How does one message get its answer among many? The one asynchronous door: admission, batching, workers, answers.
//!
//! Callers wait on tokio; a batcher thread owns the queue and asks the pure [`plan`](crate::batch::plan) for the next batch each
//! time a worker is free; worker threads own a runner each. Nothing waits for company: a lone message starts at once, and
//! batches grow only while every worker is busy.

mod batcher;
mod request;
mod worker;

pub use request::{EngineError, Input, Outcome, Timings};

use crate::backend::{Backend, Options, PrepareError};
use crate::heads::Heads;
use crate::model::LoadedModel;
use crate::telemetry::{self, Stage};
use batcher::Job;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::{Semaphore, oneshot};

/// Texts of more bytes than this are tokenised off the asynchronous threads.
const LONG_TEXT: usize = 4096;

/// Sizes of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Worker threads.
    pub workers: usize,
    /// Cores that work together on a message when nothing else runs.
    pub cores: usize,
    /// Most messages admitted and not yet answered.
    pub queue: usize,
}

/// A model at work.
pub struct Engine {
    model: Arc<LoadedModel>,
    backend: &'static str,
    inbox: mpsc::Sender<Job>,
    admission: Arc<Semaphore>,
    options: EngineOptions,
    batcher: JoinHandle<()>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("model", &self.model.id()).field("backend", &self.backend).finish_non_exhaustive()
    }
}

impl Engine {
    /// Prepares the model on the backend, releases the file's own weights, warms every worker up, and starts the threads.
    ///
    /// # Errors
    /// When the backend cannot prepare the model or fails on the warm-up message.
    pub fn start(mut model: LoadedModel, backend: &'static dyn Backend, options: EngineOptions) -> Result<Self, PrepareError> {
        let (inbox, jobs) = mpsc::channel();
        let (idle, free) = mpsc::channel();
        let heads = Arc::new(Heads::of(&model.manifest.heads));
        let first = backend.prepare(&model, Options { cores: options.cores })?;
        model.release_weights();
        let model = Arc::new(model);
        let limits = first.limits();
        let others: Vec<_> = (1..options.workers).map(|_| first.another()).collect();
        for (number, runner) in std::iter::once(first).chain(others).enumerate() {
            worker::start(number, runner, Arc::clone(&heads), &model, idle.clone())?;
        }
        drop(idle);
        let batcher = batcher::start(jobs, free, limits, options.workers).map_err(|error| PrepareError::Device(error.to_string()))?;
        let queue = options.queue.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            model,
            backend: backend.name(),
            inbox,
            admission: Arc::new(Semaphore::new(queue)),
            options: EngineOptions { queue, ..options },
            batcher,
        })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &LoadedModel {
        &self.model
    }

    /// Name of the backend.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// Classifies messages: one outcome for each, in order. A request is admitted whole or not at all.
    ///
    /// # Errors
    /// When the queue has no room, a text cannot be encoded, or the backend fails.
    pub async fn classify(&self, inputs: Vec<Input>) -> Result<Vec<Outcome>, EngineError> {
        let n = inputs.len();
        if n > self.options.queue {
            return Err(EngineError::TooManyInputs { inputs: n, limit: self.options.queue });
        }
        let count = u32::try_from(n).unwrap_or(u32::MAX);
        let mut permits = Arc::clone(&self.admission).try_acquire_many_owned(count).map_err(|_| EngineError::Overloaded)?;
        let encoded = self.encode(inputs).await?;
        let mut waiting = Vec::with_capacity(n);
        for (input, encoded, encode) in encoded {
            let (reply, answer) = oneshot::channel();
            let permit = permits.split(1).ok_or(EngineError::Stopped)?;
            let job = Job { input, encoded, encode, admitted: Instant::now(), reply, permit };
            self.inbox.send(job).map_err(|_| EngineError::Stopped)?;
            waiting.push(answer);
        }
        let mut outcomes = Vec::with_capacity(n);
        for answer in waiting {
            outcomes.push(answer.await.map_err(|_| EngineError::Stopped)??);
        }
        Ok(outcomes)
    }

    /// Messages admitted and not yet answered.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.options.queue.saturating_sub(self.admission.available_permits())
    }

    /// Whether messages can still be answered.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.batcher.is_finished()
    }

    async fn encode(&self, inputs: Vec<Input>) -> Result<Vec<(Input, crate::text::Encoded, std::time::Duration)>, EngineError> {
        let model = Arc::clone(&self.model);
        let bytes: usize =
            inputs.iter().map(|input| input.text.len() + input.context.iter().map(|turn| turn.text.len()).sum::<usize>()).sum();
        let encode = move || {
            let one = |input: Input| {
                let started = Instant::now();
                let encoded = model.text.encode(&input.text, input.context.iter().map(|turn| &turn.text))?;
                telemetry::stage(Stage::Encode, started.elapsed());
                Ok((input, encoded, started.elapsed()))
            };
            inputs.into_iter().map(one).collect::<Result<Vec<_>, crate::text::EncodeError>>()
        };
        let encoded =
            if bytes > LONG_TEXT { tokio::task::spawn_blocking(encode).await.map_err(|_| EngineError::Stopped)? } else { encode() };
        Ok(encoded?)
    }
}
