//! Where the values of a contiguous tensor lie in its storage.

use candle_core::{Error, Layout, Result};
use std::ops::Range;

/// The range of a tensor's values in its storage.
///
/// # Errors
/// When the tensor is not contiguous.
pub fn range(layout: &Layout) -> Result<Range<usize>> {
    let offsets = layout.contiguous_offsets().ok_or_else(|| Error::Msg("the operation needs contiguous tensors".to_owned()))?;
    Ok(offsets.0..offsets.1)
}

/// A tensor's part of its storage.
///
/// # Errors
/// When the tensor is not contiguous, or its layout points outside the storage.
pub fn part<'a, T>(values: &'a [T], layout: &Layout) -> Result<&'a [T]> {
    values.get(range(layout)?).ok_or_else(outside)
}

/// As [`part`], to be written.
///
/// # Errors
/// As [`part`].
pub fn part_mut<'a, T>(values: &'a mut [T], layout: &Layout) -> Result<&'a mut [T]> {
    values.get_mut(range(layout)?).ok_or_else(outside)
}

/// What is said of a layout that its storage does not have.
pub fn outside() -> Error {
    Error::Msg("a layout points outside its storage".to_owned())
}
