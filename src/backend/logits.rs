//! Raw scores of the heads, as a backend gives them and before anybody reads a meaning into them.

use super::ComputeError;
use ndarray::{Array2, ArrayView2, Axis, s};
use std::ops::Range;

/// The kinds of heads a model may have. To add one: a variant, its name and level here, and its decoder in `heads`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HeadKind {
    /// What the customer wants.
    Intent,
    /// Which things are named.
    Entities,
    /// How the customer feels.
    Sentiment,
    /// Which emotions show.
    Emotions,
}

/// Whether a head reads the pooled vector or every token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// One row of logits for each message.
    Message,
    /// One row of logits for each token.
    Token,
}

impl HeadKind {
    /// Every kind, in the order of the wire.
    pub const ALL: [Self; 4] = [Self::Intent, Self::Entities, Self::Sentiment, Self::Emotions];

    /// Name on the wire, in the manifest and of the tensors.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Entities => "entities",
            Self::Sentiment => "sentiment",
            Self::Emotions => "emotions",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What the head reads.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::Entities => Level::Token,
            Self::Intent | Self::Sentiment | Self::Emotions => Level::Message,
        }
    }
}

/// Logits of one head: `[rows, classes]` or `[tokens, classes]`, by the head's level.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadLogits {
    /// The head.
    pub kind: HeadKind,
    /// The scores.
    pub values: Array2<f32>,
}

/// Logits of every head for a ragged batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchLogits {
    /// One element for each head of the model.
    pub heads: Vec<HeadLogits>,
    /// Token range of each row.
    pub ranges: Vec<Range<usize>>,
}

impl BatchLogits {
    /// The logits of batches, one below the other.
    ///
    /// # Errors
    /// When they are not of the same heads.
    pub fn stacked(mut parts: Vec<Self>) -> Result<Self, ComputeError> {
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let kinds: Vec<HeadKind> = parts.first().map(|part| part.heads.iter().map(|head| head.kind).collect()).unwrap_or_default();
        let stack = |kind| {
            let of_kind = parts.iter().flat_map(|part| &part.heads).filter(|head| head.kind == kind);
            let values = ndarray::concatenate(Axis(0), &of_kind.map(|head| head.values.view()).collect::<Vec<_>>());
            Ok(HeadLogits { kind, values: values.map_err(|error| ComputeError(error.to_string()))? })
        };
        let heads = kinds.into_iter().map(stack).collect::<Result<_, ComputeError>>()?;
        let lengths = parts.iter().flat_map(|part| &part.ranges).map(Range::len);
        let place = |end: &mut usize, length| {
            *end += length;
            Some(*end - length..*end)
        };
        Ok(Self { heads, ranges: lengths.scan(0, place).collect() })
    }

    /// One head's logits of one row: `[1, classes]`, or `[tokens of the row, classes]`.
    #[must_use]
    pub fn row(&self, kind: HeadKind, row: usize) -> Option<ArrayView2<'_, f32>> {
        let head = self.heads.iter().find(|head| head.kind == kind)?;
        let range = match kind.level() {
            Level::Message => row..row + 1,
            Level::Token => self.ranges.get(row)?.clone(),
        };
        (range.end <= head.values.nrows()).then(|| head.values.slice(s![range, ..]))
    }
}
