//! How does one message get its answer among many? The one asynchronous door: admission, batching, workers, answers.
//!
//! Callers wait on tokio; a batcher thread owns the queue and asks the pure [`plan`](crate::batch::plan) for the next batch each
//! time a worker is free; worker threads own a runner each. Nothing waits for company: a lone message starts at once, and
//! batches grow only while every worker is busy.

mod admission;
mod batcher;
mod explain;
mod request;
mod slots;
mod worker;

pub use admission::WaitLimits;
pub use explain::Attribution;
pub use request::{EngineError, Input, Outcome, Request, Timings};
pub use slots::{Slot, SlotError, Slots};

use crate::backend::{Backend, Options, PrepareError, crew};
use crate::batch::{BatchLimits, Pace};
use crate::heads::{Heads, Labels};
use crate::model::LoadedModel;
use crate::telemetry::{self, Stage};
use crate::text::{EncodeError, Encoded};
use admission::Admission;
use batcher::{Batcher, Job};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Texts of more bytes than this are tokenised off the asynchronous threads.
const LONG_TEXT: usize = 4096;

/// Sizes of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Worker threads.
    pub workers: usize,
    /// Cores that work together on a message when nothing else runs.
    pub cores: usize,
    /// How much may wait, and how long.
    pub waiting: WaitLimits,
}

/// A model at work.
pub struct Engine {
    model: Arc<LoadedModel>,
    id: String,
    labels: Labels,
    labels_hash: String,
    backend: &'static str,
    inbox: mpsc::Sender<Job>,
    limits: BatchLimits,
    gate: Arc<Admission>,
    batcher: JoinHandle<()>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("model", &self.id).field("backend", &self.backend).finish_non_exhaustive()
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
        let mut tokens_per_second = 0.0;
        for (number, runner) in crew(first, options.workers)?.into_iter().enumerate() {
            tokens_per_second += worker::start(number, runner, Arc::clone(&heads), &model, idle.clone())?;
        }
        drop(idle);
        let gate = Arc::new(Admission::new(options.waiting, options.workers, Pace::new(tokens_per_second)));
        let labels = Labels::of(&model.manifest.heads);
        let batcher = Batcher { jobs, free, limits, workers: options.workers, gate: Arc::clone(&gate) };
        let batcher = batcher.start().map_err(|error| PrepareError::Device(error.to_string()))?;
        Ok(Self { id: model.id(), labels_hash: labels.hash(), labels, model, backend: backend.name(), inbox, limits, gate, batcher })
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &LoadedModel {
        &self.model
    }

    /// `name@version` of the model.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the model can say at all.
    #[must_use]
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Hash of the labels.
    #[must_use]
    pub fn labels_hash(&self) -> &str {
        &self.labels_hash
    }

    /// Name of the backend.
    #[must_use]
    pub fn backend(&self) -> &'static str {
        self.backend
    }

    /// Limits of one batch.
    #[must_use]
    pub fn limits(&self) -> BatchLimits {
        self.limits
    }

    /// Classifies messages: one outcome for each, in order. A request is admitted whole or not at all.
    ///
    /// # Errors
    /// When there is no room, the deadline cannot be met, a text cannot be encoded, or the backend fails.
    pub async fn classify(&self, request: impl Into<Request>) -> Result<Vec<Outcome>, EngineError> {
        let Request { inputs, class, deadline } = request.into();
        // Before the work of encoding.
        EngineError::check_inputs(inputs.len(), self.gate.limits().messages)?;
        let encoded = self.encode(inputs).await?;
        let tokens: Vec<usize> = encoded.iter().map(|(_, encoded, _)| encoded.ids.len()).collect();
        let places = self.gate.admit(&tokens, class, deadline)?;
        let mut waiting = Vec::with_capacity(places.len());
        for ((input, encoded, encode), place) in encoded.into_iter().zip(places) {
            let (reply, answer) = oneshot::channel();
            let job = Job { input, encoded, encode, admitted: Instant::now(), deadline, reply, place };
            self.inbox.send(job).map_err(|_| EngineError::Stopped)?;
            waiting.push(answer);
        }
        let mut outcomes = Vec::with_capacity(waiting.len());
        for answer in waiting {
            outcomes.push(answer.await.map_err(|_| EngineError::Stopped)??);
        }
        Ok(outcomes)
    }

    /// Messages admitted and not yet answered.
    #[must_use]
    pub fn queue_depth(&self) -> usize {
        self.gate.messages()
    }

    /// Whether messages can still be answered.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.batcher.is_finished()
    }

    async fn encode(&self, inputs: Vec<Input>) -> Result<Vec<(Input, Encoded, Duration)>, EngineError> {
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
            inputs.into_iter().map(one).collect::<Result<Vec<_>, EncodeError>>()
        };
        let encoded =
            if bytes > LONG_TEXT { tokio::task::spawn_blocking(encode).await.map_err(|_| EngineError::Stopped)? } else { encode() };
        Ok(encoded?)
    }
}
