//! When a delivery is tried again: exponentially later, with jitter, up to a day apart, for three days.

use backon::{BackoffBuilder as _, ExponentialBuilder};
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_hours(6);
/// Age at which a delivery is given up.
pub const PATIENCE: Duration = Duration::from_hours(72);

/// Time until the attempt after `attempts` that failed; a target that says when it wants to be asked is not asked before.
#[must_use]
pub fn pause(attempts: u32, retry_after: Option<Duration>) -> Duration {
    // Jitter adds up to the delay itself, so that what failed together does not come again together.
    let delays = ExponentialBuilder::new().with_min_delay(FIRST).with_max_delay(LONGEST).with_factor(2.0).without_max_times().with_jitter();
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or_default().min(24);
    let delay = delays.build().nth(place).unwrap_or(LONGEST);
    retry_after.map_or(delay, |asked| asked.max(delay).min(PATIENCE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_with_jitter_and_end_at_the_longest() {
        for (attempts, least) in [(1, 1), (2, 2), (3, 4), (8, 128)] {
            let pause = pause(attempts, None);
            assert!((least..=2 * least).contains(&pause.as_secs()), "{attempts}: {pause:?}");
        }
        assert!(pause(40, None) <= 2 * LONGEST && pause(40, None) >= LONGEST);
        assert_eq!(pause(1, Some(Duration::from_mins(5))), Duration::from_mins(5));
    }
}
