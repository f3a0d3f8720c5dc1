//! An engine under messages that arrive one by one, as customers send them.

use super::workload::Workload;
use crate::batch::Class;
use crate::engine::{Engine, Input, Request};
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

    async fn answer(engine: &Engine, inputs: Vec<Input>, arrived: Instant) -> Duration {
        let request = Request { inputs, class: Class::Interactive, deadline: None };
        engine.classify(request).await.map_or(Duration::MAX, |_| arrived.elapsed())
    }

    /// One message after the other.
    pub async fn alone(&self) -> Waited {
        let (end, mut times) = (Instant::now() + self.time, Vec::new());
        while Instant::now() < end {
            times.push(Self::answer(&self.engine, self.input(times.len()), Instant::now()).await);
        }
        Waited::of(times)
    }

    /// Messages a second when as many are under way as the engine takes together, twice over.
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    pub async fn capacity(self: &Arc<Self>, workers: usize) -> f64 {
        // About as many messages as fill the workers' batches, and as many that wait.
        let senders = (2 * workers * self.engine.limits().tokens / 16).clamp(16, 4096);
        let (started, mut tasks) = (Instant::now(), JoinSet::new());
        for sender in 0..senders {
            let load = Arc::clone(self);
            tasks.spawn(async move {
                let mut answered = 0;
                while started.elapsed() < load.time {
                    Self::answer(&load.engine, load.input(sender * 31 + answered), Instant::now()).await;
                    answered += 1;
                }
                answered
            });
        }
        let answered: usize = tasks.join_all().await.into_iter().sum();
        answered as f64 / started.elapsed().as_secs_f64()
    }

    /// `rate` messages a second at times of their own (Poisson's), answered or not.
    ///
    /// # Errors
    /// When the thread that sends them fails.
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
                tasks.spawn_on(async move { Self::answer(&load.engine, load.input(number), arrived).await }, &runtime);
                next += Duration::from_secs_f64(-(1.0 - random.random::<f64>()).ln() / rate.max(1e-3));
            }
            tasks
        };
        Ok(Waited::of(tokio::task::spawn_blocking(send).await?.join_all().await))
    }
}
