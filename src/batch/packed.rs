//! Messages end to end, without padding. How a backend lays them out in memory is its own matter.

use crate::text::Encoded;
use std::ops::Range;

/// A ragged batch: the tokens of every row, one row behind the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackedBatch {
    /// Token ids, `[tokens]`.
    pub ids: Vec<u32>,
    /// Segment of each token, `[tokens]`.
    pub segments: Vec<u32>,
    /// Row `r` is tokens `starts[r]..starts[r + 1]`; `[rows + 1]`, or empty when there is no row.
    starts: Vec<usize>,
}

impl PackedBatch {
    /// Packs rows in order.
    pub fn new<'a>(rows: impl IntoIterator<Item = &'a Encoded>) -> Self {
        let mut batch = Self { starts: vec![0], ..Self::default() };
        for row in rows {
            batch.ids.extend(&row.ids);
            batch.segments.extend(&row.segments);
            batch.starts.push(batch.ids.len());
        }
        batch
    }

    /// Number of messages.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Number of tokens.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Token range of each row, in order.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.starts.windows(2).filter_map(|pair| match pair {
            [start, end] => Some(*start..*end),
            _ => None,
        })
    }

    /// Some rows as a batch of their own; empty when they are not all there.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let starts = self.starts.get(rows.start..=rows.end).unwrap_or_default();
        let (first, end) = (starts.first().copied().unwrap_or(0), starts.last().copied().unwrap_or(0));
        let part = |values: &[u32]| values.get(first..end).map(<[u32]>::to_vec).unwrap_or_default();
        Self { ids: part(&self.ids), segments: part(&self.segments), starts: starts.iter().map(|start| start - first).collect() }
    }

    /// Position of each token within its row, `[tokens]`.
    pub fn positions(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges().flat_map(|range| 0..u32::try_from(range.len()).unwrap_or(u32::MAX))
    }
}
