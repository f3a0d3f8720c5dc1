//! Noise on a training batch: words that the encoder must do without, as it must where customers mistype them.

use crate::batch::PackedBatch;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

/// Replaces tokens of the messages, but for the first and last of each row, by `mask` with `probability`, deterministically by `seed`.
pub fn mask_words(batch: &mut PackedBatch, mask: u32, probability: f64, seed: u64) {
    if probability <= 0.0 {
        return;
    }
    let mut random = SmallRng::seed_from_u64(seed ^ 0x006e_6f69_7365);
    let rows: Vec<_> = batch.ranges().collect();
    for row in rows {
        for token in row.start + 1..row.end.saturating_sub(1) {
            let message = batch.segments.get(token) == Some(&0);
            if let Some(id) = batch.ids.get_mut(token).filter(|_| message && random.random_bool(probability.min(1.0))) {
                *id = mask;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Encoded;

    fn batch() -> PackedBatch {
        let row = |n: u32| Encoded {
            ids: (1..=n).collect(),
            segments: (1..=n).map(|i| u32::from(i > 200)).collect(),
            words: Vec::new(),
            truncated: false,
        };
        PackedBatch::new([&row(300), &row(1), &row(2)])
    }

    #[test]
    fn words_are_hidden_by_seed_and_the_frame_stays() {
        let masked = |probability, seed| {
            let mut batch = batch();
            mask_words(&mut batch, 999, probability, seed);
            batch.ids
        };
        assert_eq!(masked(0.0, 1), batch().ids);
        let (once, again, other) = (masked(0.25, 1), masked(0.25, 1), masked(0.25, 2));
        assert_eq!(once, again);
        assert_ne!(once, other);
        let hidden = once.iter().filter(|id| **id == 999).count();
        assert!((30..70).contains(&hidden), "{hidden} of 199 words are hidden");
        let all = masked(1.0, 1);
        assert!(all[1..200].iter().all(|id| *id == 999), "every word of the message");
        assert_eq!([all[0], all[200], all[299], all[300], all[301], all[302]], [1, 201, 300, 1, 1, 2], "frame and context stay");
    }
}
