//! Which of the waiting messages go next: a pure function of the queue, the limits and the time.

use super::{BatchLimits, Pace, Waiting};
use std::time::Instant;

/// What becomes of a waiting message now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It goes on waiting.
    Wait,
    /// It goes with the next batch.
    Go,
    /// Its answer would come after its deadline: it is refused before it costs anything.
    Late,
}

/// Plans the next batch for one of the idle workers: the fate of each message, in the order of the queue.
///
/// The message whose turn it is always goes, whatever its length, so that nothing waits for ever; behind it go those that still fit
/// into the token budget, in the order of their turns, so that a long one does not hold up the short ones behind it. With several
/// idle workers each gets its share of the messages. `pace` is the speed of all workers together.
#[must_use]
pub fn plan(queue: &[Waiting], limits: BatchLimits, workers: Workers, pace: &Pace, now: Instant) -> Vec<Fate> {
    let late = |message: &Waiting| message.deadline.is_some_and(|deadline| deadline < now + pace.time_on_one(message.tokens, workers.all));
    let mut fates: Vec<Fate> = queue.iter().map(|message| if late(message) { Fate::Late } else { Fate::Wait }).collect();
    let mut order: Vec<_> = fates.iter_mut().zip(queue).filter(|(fate, _)| **fate == Fate::Wait).collect();
    order.sort_unstable_by_key(|(_, message)| message.turn);
    let limits = limits.shared(order.len(), workers.idle);
    let (mut rows, mut tokens) = (0, 0);
    for (fate, message) in order {
        if rows == 0 || rows < limits.rows && tokens + message.tokens <= limits.tokens {
            *fate = Fate::Go;
            rows += 1;
            tokens += message.tokens;
        }
    }
    fates
}

/// Workers of an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    /// Those that wait for work.
    pub idle: usize,
    /// All of them.
    pub all: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{Class, Turns};
    use proptest::prelude::*;
    use std::time::Duration;

    const ONE: Workers = Workers { idle: 1, all: 1 };

    fn queue(messages: &[(usize, bool)]) -> Vec<Waiting> {
        let mut turns = Turns::default();
        let class = |bulk| if bulk { Class::Bulk } else { Class::Interactive };
        messages
            .iter()
            .map(|(tokens, bulk)| Waiting { tokens: *tokens, turn: turns.stamp(class(*bulk), *tokens), deadline: None })
            .collect()
    }

    proptest! {
        #[test]
        fn a_batch_keeps_the_limits_and_nothing_is_lost_or_doubled(
            messages in prop::collection::vec((1usize..200, any::<bool>()), 0..60), rows in 1usize..16, tokens in 1usize..400, idle in 1usize..4,
            deadlines in prop::collection::vec(prop::option::of(0u64..100), 60),
        ) {
            let now = Instant::now();
            let mut queue = queue(&messages);
            for (message, deadline) in queue.iter_mut().zip(deadlines) {
                message.deadline = deadline.map(|ms| now + Duration::from_millis(ms));
            }
            let (limits, pace) = (BatchLimits { rows, tokens }, Pace::new(2000.0));
            let workers = Workers { idle, all: 4 };
            let fates = plan(&queue, limits, workers, &pace, now);
            let of = |fate| (0..queue.len()).filter(|place| fates[*place] == fate).collect::<Vec<_>>();
            let (batch, late) = (of(Fate::Go), of(Fate::Late));
            let makes_it = |message: &Waiting| message.deadline.is_none_or(|deadline| deadline >= now + pace.time(message.tokens * 4));
            prop_assert!(late.iter().all(|place| !makes_it(&queue[*place])) && batch.iter().all(|place| makes_it(&queue[*place])));
            let able: Vec<usize> = (0..queue.len()).filter(|place| makes_it(&queue[*place])).collect();
            prop_assert_eq!(late.len() + able.len(), queue.len());
            prop_assert_eq!(batch.is_empty(), able.is_empty());
            prop_assert!(batch.len() <= rows);
            let first = able.iter().copied().min_by_key(|place| queue[*place].turn);
            prop_assert!(first.is_none_or(|first| batch.contains(&first)), "whose turn it is goes");
            let total: usize = batch.iter().map(|place| queue[*place].tokens).sum();
            prop_assert!(batch.len() <= 1 || total <= tokens);
            if batch.len() < able.len() && batch.len() < limits.shared(able.len(), idle).rows {
                let mut left = able.iter().filter(|place| !batch.contains(place));
                prop_assert!(left.all(|place| total + queue[*place].tokens > tokens), "one more would have fitted");
            }
        }

        #[test]
        fn everything_is_served_within_its_share(messages in prop::collection::vec((1usize..64, any::<bool>()), 1..80)) {
            let mut waiting = queue(&messages);
            let mut batches = 0;
            while !waiting.is_empty() {
                let fates = plan(&waiting, BatchLimits { rows: 4, tokens: 64 }, ONE, &Pace::new(1e4), Instant::now());
                let mut fate = fates.iter();
                waiting.retain(|_| fate.next() == Some(&Fate::Wait));
                batches += 1;
                prop_assert!(batches <= messages.len());
            }
        }
    }

    #[test]
    fn a_long_message_goes_when_it_is_its_turn_and_short_ones_pass_it_until_then() {
        let limits = BatchLimits { rows: 8, tokens: 100 };
        let turn = |n, tokens| Waiting { tokens, turn: n, deadline: None };
        let fates = |queue: &[Waiting]| plan(queue, limits, ONE, &Pace::new(1e4), Instant::now());
        assert_eq!(fates(&[turn(1, 30), turn(2, 500), turn(3, 60)]), [Fate::Go, Fate::Wait, Fate::Go]);
        assert_eq!(fates(&[turn(2, 500), turn(3, 60)]), [Fate::Go, Fate::Wait]);
    }

    #[test]
    fn idle_workers_share_what_waits() {
        let queue = queue(&[(10, false); 8]);
        let workers = Workers { idle: 4, all: 4 };
        let fates = plan(&queue, BatchLimits { rows: 64, tokens: 1000 }, workers, &Pace::new(1e4), Instant::now());
        assert_eq!(fates.iter().filter(|fate| **fate == Fate::Go).count(), 2);
    }
}
