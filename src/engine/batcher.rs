//! The thread that owns the queue.

use super::request::{EngineError, Input, Outcome};
use crate::backend::Cores;
use crate::batch::{BatchLimits, plan};
use crate::text::Encoded;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// A message on its way.
pub struct Job {
    /// The message.
    pub input: Input,
    /// Its tokens.
    pub encoded: Encoded,
    /// How long encoding took.
    pub encode: Duration,
    /// When it was put into the queue.
    pub admitted: Instant,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Outcome, EngineError>>,
    /// Its place in the queue, given back when the job is done or dropped.
    pub permit: OwnedSemaphorePermit,
}

/// A worker that is free: where to send its next batch.
pub type Idle = Sender<Work>;

/// A batch and the cores that may work on it.
pub struct Work {
    /// The messages.
    pub batch: Vec<Job>,
    /// All cores when nothing else runs or waits, for the least latency; else one, for the most throughput.
    pub cores: Cores,
}

/// Starts the batcher. It ends when the engine is dropped or the last worker is gone.
///
/// # Errors
/// When the thread cannot be started.
pub fn start(jobs: Receiver<Job>, free: Receiver<Idle>, limits: BatchLimits, workers: usize) -> std::io::Result<JoinHandle<()>> {
    let run = move || {
        let mut queue: VecDeque<Job> = VecDeque::new();
        let mut idle: VecDeque<Idle> = VecDeque::new();
        loop {
            // First a worker, then the jobs: whatever arrives while all are busy joins the next batch.
            if idle.is_empty() {
                let Ok(worker) = free.recv() else { return };
                idle.push_back(worker);
            }
            if queue.is_empty() {
                let Ok(job) = jobs.recv() else { return };
                queue.push_back(job);
            }
            idle.extend(free.try_iter());
            queue.extend(jobs.try_iter());
            queue.retain(|job| !job.reply.is_closed());
            let n = plan(queue.iter().map(|job| job.encoded.ids.len()), limits.shared(queue.len(), idle.len()));
            let batch: Vec<Job> = queue.drain(..n).collect();
            if batch.is_empty() {
                continue;
            }
            let cores = if queue.is_empty() && idle.len() == workers { Cores::All } else { Cores::One };
            let Some(worker) = idle.pop_front() else { continue };
            if let Err(unsent) = worker.send(Work { batch, cores }) {
                // The worker died; its jobs wait for another, in their old order.
                for job in unsent.0.batch.into_iter().rev() {
                    queue.push_front(job);
                }
            }
        }
    };
    std::thread::Builder::new().name("hearken-batcher".to_owned()).spawn(run)
}
