//! An engine under messages that arrive one by one, as customers send them.

use super::workload::Workload;
use crate::batch::Class;
use crate::engine::{Engine, EngineError, Input, Request};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// An engine, what it is sent, and for how long.
pub struct Load {
    pub engine: Arc<Engine>,
    pub workload: Arc<Workload>,
    pub time: Duration,
}

/// Time from a message's arrival to its answer.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Waited {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Waited {
    /// Of answers; a message without one took for ever.
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 100).map_or(f64::INFINITY, millis);
        Self { p50_ms: at(50), p99_ms: at(99) }
    }
}

/// Milliseconds with two decimals.
fn millis(time: &Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

impl Load {
    fn input(&self, number: usize) -> Vec<Input> {
        self.workload.messages.get(number % self.workload.messages.len()).map(|text| Input::now(text.clone())).into_iter().collect()
    }

    /// Time from a message's arrival to its answer; without end for one that is refused, since there is no room for it.
    async fn answer(&self, number: usize, arrived: Instant) -> Result<Duration, EngineError> {
        let request = Request { inputs: self.input(number), class: Class::Interactive, deadline: None };
        match self.engine.classify(request).await {
            Ok(_) => Ok(arrived.elapsed()),
            Err(EngineError::Overloaded { .. }) => Ok(Duration::MAX),
            Err(error) => Err(error),
        }
    }

    /// One message after the other.
    ///
    /// # Errors
    /// When the engine fails.
    pub async fn alone(&self) -> anyhow::Result<Waited> {
        let (end, mut times) = (Instant::now() + self.time, Vec::new());
        while Instant::now() < end {
            times.push(self.answer(times.len(), Instant::now()).await?);
        }
        Ok(Waited::of(times))
    }

    /// Messages a second when as many are under way as the engine takes together, twice over.
    ///
    /// # Errors
    /// When the engine fails.
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    pub async fn capacity(self: &Arc<Self>, workers: usize) -> anyhow::Result<f64> {
        // About as many messages as fill the workers' batches, and as many that wait.
        let senders = (2 * workers * self.engine.limits().tokens / 16).clamp(16, 4096);
        let (started, mut tasks) = (Instant::now(), JoinSet::new());
        for sender in 0..senders {
            let load = Arc::clone(self);
            tasks.spawn(async move {
                let mut answered = 0usize;
                while started.elapsed() < load.time {
                    load.answer(sender * 31 + answered, Instant::now()).await?;
                    answered += 1;
                }
                Ok::<_, EngineError>(answered)
            });
        }
        let answered: usize = tasks.join_all().await.into_iter().sum::<Result<_, _>>()?;
        Ok(answered as f64 / started.elapsed().as_secs_f64())
    }

    /// `rate` messages a second at times of their own (Poisson's), answered or not.
    ///
    /// # Errors
    /// When the engine or the thread that sends them fails.
    pub async fn at(self: &Arc<Self>, rate: f64) -> anyhow::Result<Waited> {
        let (load, runtime) = (Arc::clone(self), tokio::runtime::Handle::current());
        // A thread of its own, since tokio's clock has ticks of a millisecond.
        let send = move || {
            let mut random = SmallRng::seed_from_u64(7);
            let (started, mut next, mut tasks) = (Instant::now(), Duration::ZERO, JoinSet::new());
            while next < load.time {
                if let Some(wait) = next.checked_sub(started.elapsed()) {
                    std::thread::sleep(wait);
                }
                let (load, number, arrived) = (Arc::clone(&load), tasks.len(), started + next);
                tasks.spawn_on(async move { load.answer(number, arrived).await }, &runtime);
                next += Duration::from_secs_f64(-(1.0 - random.random::<f64>()).ln() / rate.max(1e-3));
            }
            tasks
        };
        let times = tokio::task::spawn_blocking(send).await?.join_all().await;
        Ok(Waited::of(times.into_iter().collect::<Result<_, _>>()?))
    }
}
