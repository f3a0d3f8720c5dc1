//! How fast the engine works: tokens a second, measured while there was more to do than it could.

use std::time::Duration;

/// Seconds of full work after which a measurement counts for 1/e of what it did.
const MEMORY: f64 = 0.5;

/// Measured speed of all workers together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    tokens: f64,
    seconds: f64,
}

impl Pace {
    /// A first estimate; counts as much as a long measurement until real ones come.
    #[must_use]
    pub fn new(tokens_per_second: f64) -> Self {
        Self { tokens: tokens_per_second.max(1.0) * MEMORY, seconds: MEMORY }
    }

    /// So many tokens went through in this time, in which work was always waiting.
    #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
    pub fn measured(&mut self, tokens: usize, time: Duration) {
        let time = time.as_secs_f64();
        let kept = (-time / MEMORY).exp();
        self.tokens = self.tokens * kept + tokens as f64;
        self.seconds = self.seconds * kept + time;
    }

    /// Tokens a second.
    #[must_use]
    pub fn tokens_per_second(&self) -> f64 {
        (self.tokens / self.seconds.max(1e-6)).max(1.0)
    }

    /// Time for so many tokens on all workers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a queue is short")]
    pub fn time(&self, tokens: usize) -> Duration {
        Duration::try_from_secs_f64(tokens as f64 / self.tokens_per_second()).unwrap_or(Duration::MAX)
    }

    /// Time for so many tokens on one of so many workers, which has its share of the machine.
    #[must_use]
    pub fn time_on_one(&self, tokens: usize, workers: usize) -> Duration {
        self.time(tokens.saturating_mul(workers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_what_is_measured() {
        let mut pace = Pace::new(1000.0);
        assert_eq!(pace.time(500), Duration::from_millis(500));
        for _ in 0..500 {
            pace.measured(200, Duration::from_millis(10));
        }
        assert!((pace.tokens_per_second() - 20_000.0).abs() < 50.0, "{pace:?}");
        pace.measured(0, Duration::ZERO);
        assert!(pace.tokens_per_second().is_finite());
    }
}
