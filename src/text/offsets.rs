//! Places in a text, and the units in which they are told.

use serde::{Deserialize, Serialize};

/// A half-open range of bytes on character boundaries of some text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// What an offset counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OffsetUnit {
    /// Unicode code points, as Python counts.
    #[default]
    Codepoint,
    /// Bytes of UTF-8, as Rust and Go count.
    Byte,
    /// UTF-16 code units, as JavaScript, Java and C# count.
    Utf16,
}

/// Why two offsets are not a span of a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OffsetError {
    /// Nothing between them, or the wrong way round.
    #[error("span {start}..{end} is empty or reversed")]
    Empty {
        /// As given.
        start: usize,
        /// As given.
        end: usize,
    },
    /// Behind the end of the text.
    #[error("offset {offset} is beyond the text's end at {length}")]
    Beyond {
        /// As given.
        offset: usize,
        /// Length of the text in the same unit.
        length: usize,
    },
    /// Inside a character.
    #[error("offset {offset} falls inside a character")]
    Inside {
        /// As given.
        offset: usize,
    },
}

impl OffsetUnit {
    fn width(self, c: char) -> usize {
        match self {
            Self::Codepoint => 1,
            Self::Byte => c.len_utf8(),
            Self::Utf16 => c.len_utf16(),
        }
    }

    fn length(self, text: &str) -> usize {
        match self {
            Self::Byte => text.len(),
            Self::Codepoint | Self::Utf16 => text.chars().map(|c| self.width(c)).sum(),
        }
    }

    /// Byte position of an offset told in this unit.
    fn byte(self, text: &str, offset: usize) -> Result<usize, OffsetError> {
        let mut here = 0;
        for (byte, c) in text.char_indices() {
            if here == offset {
                return Ok(byte);
            }
            if here > offset {
                return Err(OffsetError::Inside { offset });
            }
            here += self.width(c);
        }
        match here.cmp(&offset) {
            std::cmp::Ordering::Equal => Ok(text.len()),
            std::cmp::Ordering::Greater => Err(OffsetError::Inside { offset }),
            std::cmp::Ordering::Less => Err(OffsetError::Beyond { offset, length: here }),
        }
    }
}

impl Span {
    /// The span between two offsets told in `unit`.
    ///
    /// # Errors
    /// When the offsets are not two rising character boundaries of `text`.
    pub fn from_offsets(text: &str, start: usize, end: usize, unit: OffsetUnit) -> Result<Self, OffsetError> {
        if start >= end {
            return Err(OffsetError::Empty { start, end });
        }
        Ok(Self { start: unit.byte(text, start)?, end: unit.byte(text, end)? })
    }

    /// The span's offsets in `unit`. A span that does not fit `text` gives its byte offsets.
    ///
    /// ```
    /// use hearken::text::{OffsetUnit, Span};
    /// let text = "\u{1f600} kettle";
    /// let span = Span { start: 5, end: 11 };
    /// assert_eq!(span.offsets(text, OffsetUnit::Codepoint), (2, 8));
    /// assert_eq!(span.offsets(text, OffsetUnit::Utf16), (3, 9));
    /// ```
    #[must_use]
    pub fn offsets(self, text: &str, unit: OffsetUnit) -> (usize, usize) {
        match (text.get(..self.start), text.get(self.start..self.end)) {
            (Some(before), Some(inside)) => {
                let start = unit.length(before);
                (start, start + unit.length(inside))
            }
            _ => (self.start, self.end),
        }
    }

    /// The exact slice; empty when the span does not fit `text`.
    #[must_use]
    pub fn slice(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether two spans share a byte.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Bytes covered.
    #[must_use]
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether nothing is covered.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const UNITS: [OffsetUnit; 3] = [OffsetUnit::Codepoint, OffsetUnit::Byte, OffsetUnit::Utf16];

    proptest! {
        #[test]
        fn every_unit_returns_to_the_same_bytes(text in "[a-z \u{e9}\u{301}\u{5d0}\u{5d1}\u{1f600}\u{1f468}\u{200d}]{1,24}", a in 0usize..24, b in 0usize..24) {
            let boundaries: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let (a, b) = (boundaries[a % boundaries.len()], boundaries[b % boundaries.len()]);
            prop_assume!(a != b);
            let span = Span { start: a.min(b), end: a.max(b) };
            for unit in UNITS {
                let (start, end) = span.offsets(&text, unit);
                prop_assert_eq!(Span::from_offsets(&text, start, end, unit), Ok(span));
            }
        }
    }

    #[test]
    fn wrong_offsets_are_named() {
        assert_eq!(Span::from_offsets("ab", 1, 1, OffsetUnit::Byte), Err(OffsetError::Empty { start: 1, end: 1 }));
        assert_eq!(Span::from_offsets("ab", 0, 9, OffsetUnit::Codepoint), Err(OffsetError::Beyond { offset: 9, length: 2 }));
        assert_eq!(Span::from_offsets("\u{1f600}", 0, 1, OffsetUnit::Utf16), Err(OffsetError::Inside { offset: 1 }));
    }
}
