//! Who may wait: a request is taken whole, or refused at once with the time after which it would be taken.

use super::request::EngineError;
use crate::batch::{Class, Pace, PerClass};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much may wait, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WaitLimits {
    /// Most messages admitted and not yet answered.
    pub messages: usize,
    /// Longest time that a message is expected to wait for a worker; `Duration::MAX` is without end.
    pub wait: PerClass<Duration>,
}

impl WaitLimits {
    /// Room for so many messages, however long they wait.
    #[must_use]
    pub const fn messages(messages: usize) -> Self {
        Self { messages, wait: PerClass { interactive: Duration::MAX, bulk: Duration::MAX } }
    }
}

/// The gate of an engine.
#[derive(Debug)]
pub struct Admission {
    limits: WaitLimits,
    workers: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    messages: usize,
    /// Tokens that wait.
    waiting: PerClass<usize>,
    running: usize,
}

impl State {
    /// Expected time until a worker takes a message that comes now. What runs is half done, on average.
    #[expect(clippy::cast_possible_truncation, reason = "a queue is short")]
    fn wait(&self, class: Class) -> Duration {
        let (own, other) = (*self.waiting.of(class), *self.waiting.of(class.other()));
        // The other class takes at most its share of what goes before.
        let share = own as u64 * class.other().weight() / class.weight();
        let ahead = own + other.min(share as usize) + self.running / 2;
        self.pace.time(ahead)
    }
}

impl Admission {
    /// An open gate.
    pub fn new(limits: WaitLimits, workers: usize, pace: Pace) -> Self {
        Self { limits, workers, state: Mutex::new(State { pace, messages: 0, waiting: PerClass::default(), running: 0 }) }
    }

    /// Takes a request of messages with these tokens, whole or not at all: a place for each.
    ///
    /// # Errors
    /// When there is no room, the wait would be too long, or the answer would come after the deadline.
    pub fn admit(self: &Arc<Self>, tokens: &[usize], class: Class, deadline: Option<Instant>) -> Result<Vec<Place>, EngineError> {
        let (n, all) = (tokens.len(), tokens.iter().sum::<usize>());
        EngineError::check_inputs(n, self.limits.messages)?;
        let mut state = self.lock();
        let wait = state.wait(class);
        // A message runs on one worker, several on all of them.
        let own = if n > 1 { state.pace.time(all) } else { state.pace.time_on_one(all, self.workers) };
        let now = Instant::now();
        let longest = *self.limits.wait.of(class);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(now));
        if left.is_some_and(|left| left < own) {
            return Err(EngineError::Deadline);
        }
        let most = left.map_or(longest, |left| longest.min(left.saturating_sub(own)));
        if state.messages + n > self.limits.messages || wait > most {
            let waiting = state.waiting.interactive + state.waiting.bulk;
            let retry_after = if wait > most { wait.saturating_sub(most) } else { state.pace.time(waiting) };
            return Err(EngineError::Overloaded { retry_after });
        }
        state.messages += n;
        *state.waiting.of_mut(class) += all;
        drop(state);
        let place = |tokens: &usize| Place { gate: Arc::clone(self), tokens: *tokens, class, running: false };
        Ok(tokens.iter().map(place).collect())
    }

    /// Messages admitted and not yet answered.
    pub fn messages(&self) -> usize {
        self.lock().messages
    }

    /// The speed as last measured.
    pub fn pace(&self) -> Pace {
        self.lock().pace
    }

    /// So many tokens went through in this time, in which work was always waiting.
    pub fn measured(&self, tokens: usize, time: Duration) {
        self.lock().pace.measured(tokens, time);
    }

    /// The limits.
    pub fn limits(&self) -> WaitLimits {
        self.limits
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Counters stay right whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A message's place among those admitted, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    gate: Arc<Admission>,
    tokens: usize,
    class: Class,
    running: bool,
}

impl Place {
    /// Class of the message.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The message goes to a worker.
    pub fn start(&mut self) {
        let mut state = self.gate.lock();
        *state.waiting.of_mut(self.class) -= self.tokens;
        state.running += self.tokens;
        self.running = true;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        state.messages -= 1;
        if self.running {
            state.running -= self.tokens;
        } else {
            *state.waiting.of_mut(self.class) -= self.tokens;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(messages: usize, interactive: u64, bulk: u64) -> Arc<Admission> {
        let wait = PerClass { interactive: Duration::from_millis(interactive), bulk: Duration::from_millis(bulk) };
        let limits = WaitLimits { messages, wait };
        // A thousand tokens a second: a token a millisecond.
        Arc::new(Admission::new(limits, 2, Pace::new(1000.0)))
    }

    fn overloaded(result: Result<Vec<Place>, EngineError>) -> Duration {
        match result {
            Err(EngineError::Overloaded { retry_after }) => retry_after,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_is_taken_whole_or_not_at_all() {
        let gate = gate(4, 10_000, 10_000);
        let first = gate.admit(&[5, 5, 5], Class::Bulk, None).unwrap();
        overloaded(gate.admit(&[1, 1], Class::Interactive, None));
        assert_eq!(gate.messages(), 3);
        drop(first);
        assert_eq!(gate.admit(&[1; 4], Class::Interactive, None).unwrap().len(), 4);
        assert!(matches!(gate.admit(&[1; 5], Class::Bulk, None), Err(EngineError::TooManyInputs { inputs: 5, limit: 4 })));
    }

    #[test]
    fn the_wait_settles_who_is_refused_and_until_when() {
        let gate = gate(100, 50, 1000);
        let mut places = gate.admit(&[200], Class::Interactive, None).unwrap();
        // 200 ms of work wait, 50 are allowed: in 150 ms it would be taken.
        assert_eq!(overloaded(gate.admit(&[1], Class::Interactive, None)), Duration::from_millis(150));
        places[0].start();
        assert_eq!(overloaded(gate.admit(&[1], Class::Interactive, None)), Duration::from_millis(50), "half of what runs is done");
        drop(places);
        gate.admit(&[1], Class::Interactive, None).unwrap();
    }

    #[test]
    fn a_backlog_of_bulk_does_not_keep_a_person_out() {
        let gate = gate(1000, 50, 5000);
        let bulk = gate.admit(&[10; 300], Class::Bulk, None).unwrap();
        let person = gate.admit(&[40], Class::Interactive, None).unwrap();
        assert_eq!(gate.admit(&[10; 300], Class::Bulk, None).unwrap().len(), 300);
        drop((bulk, person));
    }

    #[test]
    fn who_cannot_make_it_is_refused_at_once() {
        let gate = gate(100, 1000, 1000);
        let soon = Some(Instant::now() + Duration::from_millis(100));
        assert!(matches!(gate.admit(&[400], Class::Interactive, soon), Err(EngineError::Deadline)), "not even alone");
        let _ahead = gate.admit(&[200], Class::Interactive, None).unwrap();
        overloaded(gate.admit(&[10], Class::Interactive, soon));
        gate.admit(&[10], Class::Interactive, None).unwrap();
    }
}
