//! Whose turn it is: each class gets its share of the tokens while both wait, and all of them while it waits alone.
//!
//! Self-clocked fair queueing (Golestani, INFOCOM 1994): a message is stamped with the virtual time at which its class, served at
//! its weight, would have finished it. Within a class that is the order of arrival; between classes nobody starves.

use super::{Class, PerClass};

/// Stamps messages as they arrive.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    now: u64,
    last: PerClass<u64>,
}

impl Turns {
    /// The turn of a message that arrives now.
    pub fn stamp(&mut self, class: Class, tokens: usize) -> u64 {
        // In units of a token at the weight of the favoured class, so that all is whole numbers.
        let cost = tokens.max(1) as u64 * Class::Interactive.weight() / class.weight();
        let last = self.last.of_mut(class);
        *last = self.now.max(*last) + cost;
        *last
    }

    /// A message of this turn goes to a worker: who arrives from now on comes after it.
    pub fn served(&mut self, turn: u64) {
        self.now = self.now.max(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves the least turn again and again; a new message of its class takes its place at once.
    fn shares(classes: &[Class], rounds: usize) -> [usize; 2] {
        let mut turns = Turns::default();
        let mut waiting: Vec<(u64, Class)> = classes.iter().map(|class| (turns.stamp(*class, 10), *class)).collect();
        let mut served = [0, 0];
        for _ in 0..rounds {
            let (place, _) = waiting.iter().enumerate().min_by_key(|(_, (turn, _))| *turn).unwrap();
            let (turn, class) = waiting.swap_remove(place);
            turns.served(turn);
            served[usize::from(class == Class::Bulk)] += 1;
            waiting.push((turns.stamp(class, 10), class));
        }
        served
    }

    #[test]
    fn each_class_gets_its_share_and_all_when_it_is_alone() {
        assert_eq!(shares(&[Class::Interactive, Class::Bulk], 900), [800, 100]);
        assert_eq!(shares(&[Class::Bulk], 50), [0, 50]);
    }

    #[test]
    fn a_new_interactive_message_goes_before_a_backlog_of_bulk_messages() {
        let mut turns = Turns::default();
        let bulk: Vec<u64> = (0..256).map(|_| turns.stamp(Class::Bulk, 14)).collect();
        turns.served(bulk[0]);
        assert!(turns.stamp(Class::Interactive, 14) < bulk[1]);
    }

    #[test]
    fn a_class_that_was_away_is_not_owed_for_it() {
        let mut turns = Turns::default();
        for _ in 0..100 {
            let turn = turns.stamp(Class::Interactive, 10);
            turns.served(turn);
        }
        let bulk = turns.stamp(Class::Bulk, 10);
        assert!(turns.stamp(Class::Interactive, 10) < bulk);
    }
}
