//! A courier takes what is due to its target, a few at a time, and notes how each attempt ended. What it had when the process ended comes
//! again once its lease is over.

use super::breaker::Breaker;
use super::schedule::{PATIENCE, pause};
use super::target::{Letter, Outcome, Target, TargetConfig};
use crate::store::{Due, Finished, Store, StoreError};
use crate::telemetry;
use futures_util::StreamExt as _;
use reqwest::Client;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long one attempt keeps a delivery for itself, in milliseconds: more than the longest exchange.
const LEASE: i64 = 90_000;
/// How often it is looked for what another replica left.
const PATROL: Duration = Duration::from_secs(5);
/// Pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Brings hand-overs to one target.
pub struct Courier {
    store: Store,
    config: TargetConfig,
    target: Box<dyn Target>,
    http: Client,
    bell: Arc<Notify>,
    breaker: Mutex<Breaker>,
}

impl Courier {
    pub fn new(store: Store, config: TargetConfig, target: Box<dyn Target>, http: Client, bell: Arc<Notify>) -> Self {
        Self { store, config, target, http, bell, breaker: Mutex::default() }
    }

    /// Works until it is dropped.
    pub async fn run(self) {
        loop {
            // Whoever rings while the round is made is heard.
            let bell = self.bell.notified();
            tokio::pin!(bell);
            bell.as_mut().enable();
            let wait = match self.round().await {
                Ok(wait) => wait,
                Err(error) => {
                    telemetry::courier_failed(&self.config.name, &error.to_string());
                    STORE_PAUSE
                }
            };
            if !wait.is_zero() {
                let _ = tokio::time::timeout(wait, bell).await;
            }
        }
    }

    /// Delivers what is due; says how long to wait for more.
    async fn round(&self) -> Result<Duration, StoreError> {
        let rest = self.breaker().resting(Instant::now());
        if let Some(rest) = rest {
            tokio::time::sleep(rest).await;
        }
        let most = if self.breaker().is_probing() { 1 } else { self.config.concurrency };
        let due = self.store.take_due(&self.config.name, now(), LEASE, most).await?;
        if due.is_empty() {
            let next = self.store.next_due(&self.config.name).await?;
            let wait = next.map_or(PATROL, |next| Duration::from_millis(u64::try_from(next - now()).unwrap_or_default()));
            return Ok(wait.clamp(Duration::from_millis(20), PATROL));
        }
        let mut attempts = futures_util::stream::iter(due).map(|due| self.attempt(due)).buffer_unordered(self.config.concurrency);
        // One that cannot be noted ends none of the others.
        let mut noted = Ok(Duration::ZERO);
        while let Some(done) = attempts.next().await {
            noted = noted.and_then(|wait| done.map(|()| wait));
        }
        noted
    }

    async fn attempt(&self, due: Due) -> Result<(), StoreError> {
        let Due { delivery, payload } = due;
        let begin = Instant::now();
        let outcome = match letter(&delivery.handover, &payload) {
            Some(letter) => self.target.tell(&self.http, &letter).await,
            None => Outcome::Refused { status: None, error: "the text has expired".to_owned() },
        };
        let (finished, status, error) = match outcome {
            Outcome::Delivered(status) => {
                self.breaker().answered();
                (Finished::Delivered, status, None)
            }
            Outcome::Refused { status, error } => (Finished::Dead, status, Some(error)),
            Outcome::Failed { status, error, retry_after } => {
                self.breaker().failed(Instant::now());
                let attempts = u32::try_from(delivery.attempts).unwrap_or(u32::MAX);
                let next = now().saturating_add(i64::try_from(pause(attempts, retry_after).as_millis()).unwrap_or(i64::MAX));
                // The hand-over's identifier tells when it was made, but its delivery may have been asked for again since.
                let age = Duration::from_millis(u64::try_from(next - first_due(&delivery)).unwrap_or_default());
                (if age > PATIENCE { Finished::Dead } else { Finished::Later(next) }, status, Some(error))
            }
        };
        let result = match finished {
            Finished::Delivered => "delivered",
            Finished::Later(_) => "failed",
            Finished::Dead => "dead",
        };
        telemetry::delivery(&self.config.name, result, begin.elapsed(), &delivery.handover, error.as_deref());
        // Whatever came of the attempt, the note of it must not be lost to a moment's trouble of the store.
        for pause in [20, 200, 1000] {
            match self.store.finish(&delivery, &finished, status, error.as_deref(), now()).await {
                Ok(()) => return Ok(()),
                Err(_) => tokio::time::sleep(Duration::from_millis(pause)).await,
            }
        }
        self.store.finish(&delivery, &finished, status, error.as_deref(), now()).await
    }

    fn breaker(&self) -> std::sync::MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the first attempt was due: the pauses that were made since are not known one by one, so the identifier's own time counts.
fn first_due(delivery: &crate::store::DeliveryRow) -> i64 {
    let id = delivery.handover.strip_prefix("ho_").and_then(|id| uuid::Uuid::try_parse(id).ok());
    let made = id.and_then(|id| id.get_timestamp()).map(|time| time.to_unix());
    made.map_or(delivery.due, |(seconds, _)| i64::try_from(seconds).unwrap_or_default().saturating_mul(1000))
}

fn letter(id: &str, payload: &str) -> Option<Letter> {
    let value: Value = serde_json::from_str(payload).ok()?;
    let data = value.get("data")?.as_object()?.clone();
    Some(Letter { id: id.to_owned(), body: payload.to_owned(), data })
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
