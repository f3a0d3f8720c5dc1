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

/// As [`epoch_batches`], with two messages of a class in a batch wherever there are two: pairs of one class, shuffled. An example
/// without a class is left out.
#[must_use]
pub fn paired_batches(classes: &[Option<usize>], rows: usize, seed: u64, epoch: u32) -> Vec<Vec<usize>> {
    let mut random = SmallRng::seed_from_u64(seed ^ (u64::from(epoch) << 32) ^ 0x5eed);
    let mut order: Vec<(usize, usize)> = classes.iter().enumerate().filter_map(|(i, class)| Some(((*class)?, i))).collect();
    order.shuffle(&mut random);
    order.sort_by_key(|(class, _)| *class);
    let mut pairs: Vec<Vec<usize>> =
        order.chunk_by(|a, b| a.0 == b.0).flat_map(|class| class.chunks(2).map(|pair| pair.iter().map(|(_, i)| *i).collect())).collect();
    pairs.shuffle(&mut random);
    pairs.chunks((rows / 2).max(1)).map(<[Vec<usize>]>::concat).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_share_their_class() {
        let classes: Vec<Option<usize>> = (0..60).map(|i| (i % 10 != 9).then_some(i % 10)).collect();
        let batches = paired_batches(&classes, 8, 3, 0);
        let mut all = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..60).filter(|i| i % 10 != 9).collect::<Vec<_>>());
        for pair in batches.iter().flat_map(|batch| batch.chunks(2)) {
            assert_eq!(classes[pair[0]], classes[pair[1]]);
        }
        assert_ne!(batches, paired_batches(&classes, 8, 3, 1));
    }

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
