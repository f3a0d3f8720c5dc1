//! The shapes that forward passes come in: a batch is worked on as the next larger of a few, so that each is recorded once.

use super::ops::{TILE, Tile};
use crate::batch::PackedBatch;

/// Tokens of a bucket: from each to the next is at most a third more, and for small ones one tile of attention.
const TOKENS: [usize; 25] =
    [16, 32, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 640, 768, 1024, 1280, 1536, 2048, 2560, 3072, 4096, 5120, 6144, 8192];

/// Room for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// Tokens, at least those of the batch; the others are in no row.
    pub tokens: usize,
}

/// Where the parts of a bucket's input lie, in whole numbers from its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// Of positions, behind the ids.
    pub positions: usize,
    /// Of segments.
    pub segments: usize,
    /// Of the tiles of attention, four each.
    pub tiles: usize,
    /// Of the rows' first tokens.
    pub starts: usize,
    /// Of the end.
    pub end: usize,
}

impl Bucket {
    /// The largest.
    pub const LARGEST: Self = Self { tokens: 8192 };

    /// Every bucket, rising.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        TOKENS.into_iter().map(|tokens| Self { tokens })
    }

    /// The smallest that a batch fits into.
    pub fn of(batch: &PackedBatch) -> Option<Self> {
        Self::all().find(|bucket| bucket.takes(batch.tokens(), batch.rows()))
    }

    /// Whether so many fit.
    pub fn takes(self, tokens: usize, rows: usize) -> bool {
        tokens <= self.tokens && rows <= self.rows()
    }

    /// Rows: enough for messages of eight tokens, and for some very short ones.
    pub const fn rows(self) -> usize {
        self.tokens / 8 + 8
    }

    /// Tiles of attention: each row and the tokens behind the last may end in one that is not full.
    pub const fn tiles(self) -> usize {
        self.tokens / TILE + self.rows() + 1
    }

    /// Where the parts of the input lie.
    pub const fn places(self) -> Places {
        let tiles = 3 * self.tokens;
        let starts = tiles + 4 * self.tiles();
        Places { positions: self.tokens, segments: 2 * self.tokens, tiles, starts, end: starts + self.rows() + 1 }
    }

    /// Writes a batch that fits as the input, `into` of `places().end` values.
    pub fn fill(self, batch: &PackedBatch, into: &mut [u32]) {
        let places = self.places();
        into.fill(0);
        let mut put = |at: usize, values: &mut dyn Iterator<Item = u32>| {
            for (into, value) in into.iter_mut().skip(at).zip(values) {
                *into = value;
            }
        };
        put(0, &mut batch.ids.iter().copied());
        put(places.positions, &mut batch.positions());
        put(places.segments, &mut batch.segments.iter().copied());
        put(places.tiles, &mut self.cut(batch).flat_map(Tile::words));
        let end = whole(batch.tokens());
        let starts = batch.ranges().map(|range| whole(range.start));
        // Rows that are not there are empty.
        put(places.starts, &mut starts.chain(std::iter::repeat(end)).take(self.rows() + 1));
    }

    /// The tiles of a batch's rows, and of the tokens behind them.
    fn cut(self, batch: &PackedBatch) -> impl Iterator<Item = Tile> {
        let rows = batch.ranges().map(|range| (range.clone(), range.len()));
        rows.chain([(batch.tokens()..self.tokens, 0)]).flat_map(|(range, keys)| {
            let tile = move |first| Tile {
                row: whole(range.start),
                keys: whole(keys),
                query: whole(first),
                queries: whole((range.end - first).min(TILE)),
            };
            range.clone().step_by(TILE).map(tile)
        })
    }
}

fn whole(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Encoded;
    use proptest::prelude::*;

    fn batch(lengths: &[usize]) -> PackedBatch {
        let row = |length: &usize| Encoded { ids: vec![7; *length], segments: vec![0; *length], words: Vec::new(), truncated: false };
        PackedBatch::new(&lengths.iter().map(row).collect::<Vec<_>>())
    }

    proptest! {
        #[test]
        fn tiles_cover_every_token_once_and_everything_has_room(lengths in prop::collection::vec(1usize..300, 1..40)) {
            let batch = batch(&lengths);
            let Some(bucket) = Bucket::of(&batch) else { return Ok(()) };
            let tiles: Vec<Tile> = bucket.cut(&batch).collect();
            prop_assert!(tiles.len() <= bucket.tiles() && batch.rows() <= bucket.rows());
            let covered: Vec<u32> = tiles.iter().flat_map(|tile| tile.query..tile.query + tile.queries).collect();
            prop_assert_eq!(covered, (0..u32::try_from(bucket.tokens).unwrap()).collect::<Vec<_>>());
            for tile in &tiles {
                let row = batch.ranges().find(|range| range.contains(&(tile.query as usize)));
                let wanted = row.map_or((whole(batch.tokens()), 0), |range| (whole(range.start), whole(range.len())));
                prop_assert_eq!((tile.row, tile.keys), wanted);
                prop_assert!((1..=TILE).contains(&(tile.queries as usize)));
            }
            let mut input = vec![9; bucket.places().end];
            bucket.fill(&batch, &mut input);
            let starts = &input[bucket.places().starts..];
            prop_assert_eq!(starts.len(), bucket.rows() + 1);
            prop_assert!(starts.is_sorted() && starts[bucket.rows()] as usize == batch.tokens());
        }
    }

    #[test]
    fn the_next_larger_is_taken_and_what_is_too_large_has_none() {
        assert_eq!(Bucket::of(&batch(&[16])), Some(Bucket { tokens: 16 }));
        assert_eq!(Bucket::of(&batch(&[17])), Some(Bucket { tokens: 32 }));
        assert_eq!(Bucket::of(&batch(&[1; 11])), Some(Bucket { tokens: 32 }), "for its rows");
        assert_eq!(Bucket::of(&batch(&[512; 16])), Some(Bucket::LARGEST));
        assert_eq!(Bucket::of(&batch(&[512; 17])), None);
    }
}
