//! The order of the examples: shuffled anew each epoch by the seed, so that any step can be found again after an interruption.

use rand::seq::SliceRandom as _;
use rand::{SeedableRng as _, rngs::SmallRng};

/// Indices of each step's examples in one epoch. The network reads ragged batches, so lengths may mix freely.
#[must_use]
pub fn epoch_batches(examples: usize, rows: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..examples).collect();
    order.shuffle(&mut SmallRng::seed_from_u64(seed ^ (u64::from(epoch) << 32)));
    order.chunks(rows.max(1)).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_once_and_the_same_order_again() {
        let batches = epoch_batches(100, 32, 7, 3);
        let mut all = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_eq!(batches, epoch_batches(100, 32, 7, 3));
        assert_ne!(batches, epoch_batches(100, 32, 7, 4));
    }
}
