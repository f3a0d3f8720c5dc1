//! The two sides of a product of training in the form that tile kernels read, from f32 stored either way.
//!
//! A group is four bytes: two bf16 of consecutive depth, or one f32. The left side has lines of groups, the right side panels of
//! [`PANEL`] lines side by side, `[panel][step][line]`.

use crate::matmul::Side;
use crate::matrix::{Element, PANEL, bf16};
use std::ops::Range;

/// Lines, or steps, that are turned at once.
const BLOCK: usize = 16;

/// The group of `EACH` values.
#[inline(always)]
fn group<const EACH: usize>(values: [f32; EACH]) -> u32 {
    if EACH == 2 { u32::from(bf16(values[0])) | u32::from(bf16(values[1])) << 16 } else { values[0].to_bits() }
}

/// Writes lines of the left side.
///
/// # Safety
/// The parts of one operation have different lines, and the side's memory has room for them.
#[inline(always)]
pub unsafe fn pack_rows(side: &Side<'_>, lines: Range<usize>) {
    // SAFETY: the caller's promise.
    unsafe {
        match side.element {
            Element::Bf16 => rows::<2>(side, lines),
            Element::F32 | Element::Int8 => rows::<1>(side, lines),
        }
    }
}

/// Writes lines of the right side; the range lies in one panel and begins with it.
///
/// # Safety
/// As [`pack_rows`].
#[inline(always)]
pub unsafe fn pack_panels(side: &Side<'_>, lines: Range<usize>) {
    // SAFETY: the caller's promise.
    unsafe {
        match side.element {
            Element::Bf16 => panel::<2>(side, lines),
            Element::F32 | Element::Int8 => panel::<1>(side, lines),
        }
    }
}

/// One line that is stored as such: `to[step]`.
#[inline(always)]
fn line<const EACH: usize>(from: &[f32], to: &mut [u32]) {
    let (groups, tail) = from.as_chunks::<EACH>();
    for (to, values) in to.iter_mut().zip(groups) {
        *to = group(*values);
    }
    let mut last = [0.0; EACH];
    last[..tail.len()].copy_from_slice(tail);
    for (i, to) in to[groups.len()..].iter_mut().enumerate() {
        *to = if i == 0 && !tail.is_empty() { group(last) } else { 0 };
    }
}

/// The groups of one step of up to `N` neighbouring lines that are stored across: `to[line]`.
#[inline(always)]
fn across<const EACH: usize, const N: usize>(side: &Side<'_>, step: usize, first: usize, to: &mut [u32; N]) {
    let count = N.min(side.lines - first);
    let mut values = [[0.0f32; N]; EACH];
    for (i, values) in values.iter_mut().enumerate() {
        if step * EACH + i < side.depth {
            let row = &side.row(step * EACH + i)[first..];
            match row.first_chunk::<N>() {
                Some(whole) => *values = *whole,
                None => values[..count].copy_from_slice(&row[..count]),
            }
        }
    }
    for (lane, to) in to.iter_mut().enumerate() {
        *to = group::<EACH>(std::array::from_fn(|i| values[i][lane]));
    }
}

/// # Safety
/// As [`pack_rows`].
#[inline(always)]
unsafe fn rows<const EACH: usize>(side: &Side<'_>, lines: Range<usize>) {
    let all: *mut u32 = side.data.0.cast();
    // SAFETY: line `l` is `steps` groups from `l * steps` on, and no other part has it.
    let to = |l: usize| unsafe { std::slice::from_raw_parts_mut(all.add(l * side.steps), side.steps) };
    if side.by_line {
        lines.for_each(|l| line::<EACH>(side.row(l), to(l)));
        return;
    }
    for first in lines.clone().step_by(BLOCK) {
        let last = (first + BLOCK).min(lines.end);
        for step in (0..side.steps).step_by(BLOCK) {
            // `steps` is a multiple of 16.
            let mut block = [[0u32; BLOCK]; BLOCK];
            for (s, block) in block.iter_mut().enumerate() {
                across::<EACH, BLOCK>(side, step + s, first, block);
            }
            for l in first..last {
                let turned: [u32; BLOCK] = std::array::from_fn(|s| block[s][l - first]);
                if let Some(to) = to(l)[step..].first_chunk_mut() {
                    *to = turned;
                }
            }
        }
    }
}

/// # Safety
/// As [`pack_panels`].
#[inline(always)]
unsafe fn panel<const EACH: usize>(side: &Side<'_>, lines: Range<usize>) {
    // SAFETY: a panel is `steps` rows of `PANEL` groups, and no other part has it.
    let to = unsafe {
        let start = side.data.0.cast::<u32>().add(lines.start * side.steps);
        std::slice::from_raw_parts_mut(start, side.steps * PANEL)
    };
    let to = to.as_chunks_mut::<PANEL>().0;
    if !side.by_line {
        for (step, to) in to.iter_mut().enumerate() {
            across::<EACH, PANEL>(side, step, lines.start, to);
        }
        return;
    }
    let mut groups = [0u32; BLOCK];
    for (column, l) in lines.enumerate() {
        let row = side.row(l);
        for (block, to) in to.chunks_mut(BLOCK).enumerate() {
            let from = (block * BLOCK * EACH).min(row.len());
            line::<EACH>(&row[from..(from + BLOCK * EACH).min(row.len())], &mut groups);
            for (to, group) in to.iter_mut().zip(groups) {
                to[column] = group;
            }
        }
    }
}
