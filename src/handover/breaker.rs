//! A target that fails again and again is left alone for a while, so that it can recover and nobody waits for it.

use std::time::{Duration, Instant};

/// Failures in a row after which a target is left alone.
const FAILURES: u32 = 5;
const FIRST_REST: Duration = Duration::from_secs(5);
const LONGEST_REST: Duration = Duration::from_mins(5);

/// Whether a target is asked.
#[derive(Debug, Default)]
pub struct Breaker {
    failures: u32,
    rest: Duration,
    until: Option<Instant>,
}

impl Breaker {
    /// Time for which the target is still left alone.
    #[must_use]
    pub fn resting(&self, now: Instant) -> Option<Duration> {
        self.until.and_then(|until| until.checked_duration_since(now)).filter(|rest| !rest.is_zero())
    }

    /// After a rest a single attempt shows whether the target is back.
    #[must_use]
    pub fn is_probing(&self) -> bool {
        self.until.is_some()
    }

    /// The target answered.
    pub fn answered(&mut self) {
        *self = Self::default();
    }

    /// The target failed.
    pub fn failed(&mut self, now: Instant) {
        self.failures += 1;
        if self.failures >= FAILURES {
            self.rest = if self.rest.is_zero() { FIRST_REST } else { (2 * self.rest).min(LONGEST_REST) };
            self.until = Some(now + self.rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_fails_rests_longer_each_time_until_it_answers() {
        let mut breaker = Breaker::default();
        let now = Instant::now();
        for _ in 0..FAILURES - 1 {
            breaker.failed(now);
        }
        assert_eq!(breaker.resting(now), None);
        breaker.failed(now);
        assert_eq!(breaker.resting(now), Some(FIRST_REST));
        let later = now + FIRST_REST;
        assert!(breaker.resting(later).is_none() && breaker.is_probing());
        breaker.failed(later);
        assert_eq!(breaker.resting(later), Some(2 * FIRST_REST));
        breaker.answered();
        assert!(breaker.resting(later).is_none() && !breaker.is_probing());
    }
}
