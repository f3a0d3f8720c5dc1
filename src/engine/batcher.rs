//! The thread that owns the queue.

use super::admission::{Admission, Place};
use super::request::{EngineError, Input, Outcome};
use crate::backend::Cores;
use crate::batch::{BatchLimits, Fate, Turns, Waiting, Workers, plan};
use crate::text::Encoded;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

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
    /// When its answer is worth nothing any more.
    pub deadline: Option<Instant>,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Outcome, EngineError>>,
    /// Its place among those admitted, given back when the job is done or dropped.
    pub place: Place,
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

/// What the thread works with.
pub struct Batcher {
    /// Where jobs come in.
    pub jobs: Receiver<Job>,
    /// Where workers report themselves free.
    pub free: Receiver<Idle>,
    /// Limits of one batch.
    pub limits: BatchLimits,
    /// Workers in all.
    pub workers: usize,
    /// The gate, which learns the pace.
    pub gate: Arc<Admission>,
}

impl Batcher {
    /// Starts the thread. It ends when the engine is dropped or the last worker is gone.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(self) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("hearken-batcher".to_owned()).spawn(move || self.run())
    }

    fn run(self) {
        let mut queue = Queue::default();
        let mut idle: VecDeque<Idle> = VecDeque::new();
        let mut busy_since: Option<Instant> = None;
        loop {
            // First a worker, then the jobs: whatever arrives while all are busy joins the next batch.
            if idle.is_empty() {
                let Ok(worker) = self.free.recv() else { return };
                idle.push_back(worker);
            }
            if queue.jobs.is_empty() {
                busy_since = None;
                let Ok(job) = self.jobs.recv() else { return };
                queue.push(job);
            }
            idle.extend(self.free.try_iter());
            self.jobs.try_iter().for_each(|job| queue.push(job));
            queue.drop_abandoned();
            let workers = Workers { idle: idle.len(), all: self.workers };
            let batch = queue.next(self.limits, workers, &self.gate);
            if batch.is_empty() {
                continue;
            }
            let now = Instant::now();
            if let Some(since) = busy_since {
                self.gate.measured(batch.iter().map(|job| job.encoded.ids.len()).sum(), now - since);
            }
            // With a worker to spare, what comes next need not wait: no measure of what the engine can do.
            busy_since = (idle.len() == 1).then_some(now);
            let cores = if queue.jobs.is_empty() && idle.len() == self.workers { Cores::All } else { Cores::One };
            let Some(worker) = idle.pop_front() else { continue };
            if let Err(unsent) = worker.send(Work { batch, cores }) {
                // The worker died; its jobs wait for another.
                unsent.0.batch.into_iter().for_each(|job| queue.push(job));
            }
        }
    }
}

/// Jobs that wait, and whose turn it is.
#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    /// What the plan sees of each, in the same order.
    waiting: Vec<Waiting>,
    turns: Turns,
}

impl Queue {
    fn push(&mut self, job: Job) {
        let tokens = job.encoded.ids.len();
        let turn = self.turns.stamp(job.place.class(), tokens);
        self.waiting.push(Waiting { tokens, turn, deadline: job.deadline });
        self.jobs.push(job);
    }

    /// Lets go of messages whose client has gone.
    fn drop_abandoned(&mut self) {
        let gone: Vec<bool> = self.jobs.iter().map(|job| job.reply.is_closed()).collect();
        drop(self.take(&gone));
    }

    /// The next batch, whose places are started. Messages that are too late are refused.
    fn next(&mut self, limits: BatchLimits, workers: Workers, gate: &Admission) -> Vec<Job> {
        let fates = plan(&self.waiting, limits, workers, &gate.pace(), Instant::now());
        let leaving: Vec<bool> = fates.iter().map(|fate| *fate != Fate::Wait).collect();
        let turn = fates.iter().zip(&self.waiting).filter(|(fate, _)| **fate == Fate::Go).map(|(_, message)| message.turn).max();
        self.turns.served(turn.unwrap_or_default());
        let fates = fates.into_iter().filter(|fate| *fate != Fate::Wait);
        let (mut batch, late): (Vec<_>, Vec<_>) = self.take(&leaving).into_iter().zip(fates).partition(|(_, fate)| *fate == Fate::Go);
        for (job, _) in late {
            drop(job.reply.send(Err(EngineError::Deadline)));
        }
        for (job, _) in &mut batch {
            job.place.start();
        }
        batch.into_iter().map(|(job, _)| job).collect()
    }

    /// Takes out the marked jobs.
    fn take(&mut self, marked: &[bool]) -> Vec<Job> {
        if !marked.contains(&true) {
            return Vec::new();
        }
        let (mut of_waiting, mut of_jobs) = (marked.iter(), marked.iter());
        self.waiting.retain(|_| of_waiting.next() != Some(&true));
        self.jobs.extract_if(.., |_| of_jobs.next() == Some(&true)).collect()
    }
}
