//! Operations on rows of hidden states, `[rows, hidden]`, cut by rows among a team.

use crate::matrix::{Activations, Element, PackedMatrix};
use crate::memory::Shared;
use crate::table::{Kernels, LayerNorm};
use crate::team::Team;
use std::ops::Range;

/// Rows of one item of a team: enough that claiming an item costs little, few enough that a short message feeds two cores.
const ROWS: usize = 4;

/// Embedding tables in IEEE half precision, and what to gather from them.
#[derive(Debug, Clone, Copy)]
pub struct Gather<'a> {
    /// Bits of the word embeddings, `[vocabulary, hidden]`.
    pub words: &'a [u16],
    /// Bits of the position embeddings, `[positions, hidden]`.
    pub positions: &'a [u16],
    /// Bits of the segment embeddings, `[segments, hidden]`.
    pub segments: &'a [u16],
    /// Word of each row.
    pub ids: &'a [u32],
    /// Position of each row.
    pub places: &'a [u32],
    /// Segment of each row.
    pub kinds: &'a [u32],
}

/// A checked gather with layer-norm.
#[derive(Debug)]
pub(crate) struct Embedding<'a> {
    pub gather: Gather<'a>,
    pub norm: LayerNorm<'a>,
    pub out: Shared<f32>,
}

/// A checked layer-norm in place.
#[derive(Debug)]
pub(crate) struct Normalising<'a> {
    pub norm: LayerNorm<'a>,
    pub values: Shared<f32>,
}

/// A checked conversion.
#[derive(Debug)]
pub(crate) struct Conversion<'a> {
    pub values: &'a [f32],
    pub weights: &'a PackedMatrix,
    pub data: Shared<u8>,
    pub stride: usize,
    pub scales: Shared<f32>,
}

fn by_rows(team: &mut Team, rows: usize, part: &(dyn Fn(Range<usize>) + Sync)) {
    if team.members() == 1 {
        return part(0..rows);
    }
    team.run(rows.div_ceil(ROWS), &|_, item| part(item * ROWS..(item * ROWS + ROWS).min(rows)));
}

fn check_norm(norm: LayerNorm<'_>) -> usize {
    assert!(!norm.gamma.is_empty() && norm.gamma.len() == norm.beta.len(), "layer-norm: gamma and beta differ in length");
    norm.gamma.len()
}

impl Kernels {
    /// `layer_norm(word + position + segment)` of each row, `[rows, hidden]`; error as of [`Kernels::layer_norm`]. Every value of a
    /// table must be finite.
    ///
    /// # Panics
    /// When a length does not fit or an index is beyond its table.
    pub fn embed(&self, team: &mut Team, gather: Gather<'_>, norm: LayerNorm<'_>, out: &mut [f32]) {
        let hidden = check_norm(norm);
        let Gather { words, positions, segments, ids, places, kinds } = gather;
        assert!(places.len() == ids.len() && kinds.len() == ids.len() && out.len() == ids.len() * hidden, "embed: lengths differ");
        for (table, indices) in [(words, ids), (positions, places), (segments, kinds)] {
            let rows = table.len() / hidden;
            assert!(indices.iter().all(|index| (*index as usize) < rows), "embed: an index is beyond its table of {rows} rows");
        }
        let op = Embedding { gather, norm, out: Shared(out.as_mut_ptr()) };
        // SAFETY: the processor has this tier, sizes and indices are checked, and parts have different rows.
        by_rows(team, ids.len(), &|rows| unsafe { (self.embed)(&op, rows) });
    }

    /// Layer-norm of each row in place; error as of [`Kernels::layer_norm`].
    ///
    /// # Panics
    /// When a length does not fit.
    pub fn normalise(&self, team: &mut Team, norm: LayerNorm<'_>, values: &mut [f32]) {
        let hidden = check_norm(norm);
        assert!(values.len().is_multiple_of(hidden), "normalise: lengths differ");
        let rows = values.len() / hidden;
        let op = Normalising { norm, values: Shared(values.as_mut_ptr()) };
        // SAFETY: the processor has this tier, sizes are checked, and parts have different rows.
        by_rows(team, rows, &|rows| unsafe { (self.normalise)(&op, rows) });
    }

    /// Brings rows, `[rows, depth]`, into the form that products with `weights` read. int8 has a scale for each row, so a row's
    /// form depends on that row alone; a value is off by at most half a step of `largest / 127` (symmetric)
    /// or `largest / 255` (positive), where `largest` is the row's largest magnitude after smoothing and shift, or 2^-118 if that is more.
    ///
    /// # Panics
    /// When a length does not fit.
    pub fn convert(&self, team: &mut Team, values: &[f32], weights: &PackedMatrix, to: &mut Activations) {
        assert!(values.len().is_multiple_of(weights.depth), "convert: lengths differ");
        let rows = values.len() / weights.depth;
        to.shape(rows, weights);
        let (data, scales) = (Shared(to.data.as_mut_ptr()), Shared(to.scales.as_mut_ptr()));
        let op = Conversion { values, weights, data, stride: to.stride, scales };
        // SAFETY: the processor has this tier, `shape` has made room, and parts have different rows.
        by_rows(team, rows, &|rows| unsafe { (self.convert)(&op, rows) });
    }
}

impl Activations {
    /// The rows as f32, `[rows, depth]`: what the product takes them for.
    #[must_use]
    pub fn decode(&self, weights: &PackedMatrix) -> Vec<f32> {
        let data = self.data.bytes();
        let value = |row: usize, i: usize| {
            let bytes = &data[row * self.stride + i * weights.element.bytes()..];
            match weights.element {
                Element::Int8 => {
                    let smoothed = self.scales[row] * (i32::from(bytes[0]) - weights.range.zero()) as f32 + weights.shift[i];
                    smoothed / weights.smoothing[i]
                }
                Element::Bf16 => f32::from_bits(u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 24),
                Element::F32 => f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            }
        };
        (0..self.rows).flat_map(|row| (0..weights.depth).map(move |i| value(row, i))).collect()
    }
}
