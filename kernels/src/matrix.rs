//! The two sides of a product: weights packed once at load, and activations written anew for each batch.
//!
//! Every element type has one layout, in units of four bytes: four int8, two bf16 or one f32 of consecutive depth. Weights lie in
//! panels of [`PANEL`] columns, `[panel][step][column][4 bytes]`, so a step of a panel is four 512-bit registers, eight 256-bit
//! ones, or a row each of four AMX tiles; depth is padded with zeros to whole tiles of 16 steps.

use crate::memory::{LINE, Lines};

/// Columns of a panel.
pub const PANEL: usize = 64;
/// Bytes of one step of a panel.
pub(crate) const STEP: usize = PANEL * 4;
/// Rows that a tile kernel may read beyond the last one in use; see [`Block`](crate::gemm::Block).
pub(crate) const ROW_SLACK: usize = 32;

/// What a product multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Element {
    /// int8 weights with a scale for each column, uint8 activations with a scale for each row; sums are exact in i32.
    Int8,
    /// bf16 weights and activations, f32 sums.
    Bf16,
    /// f32 throughout.
    F32,
}

impl InputRange {
    /// What stands for zero.
    pub(crate) fn zero(self) -> i32 {
        match self {
            Self::Symmetric => 128,
            Self::Positive => 0,
        }
    }

    /// Steps from zero to the largest magnitude.
    pub(crate) fn steps(self) -> f32 {
        match self {
            Self::Symmetric => 127.0,
            Self::Positive => 255.0,
        }
    }
}

impl Element {
    /// Bytes of one element.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Int8 => 1,
            Self::Bf16 => 2,
            Self::F32 => 4,
        }
    }

    /// Name, as reports have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Int8 => "int8",
            Self::Bf16 => "bf16",
            Self::F32 => "f32",
        }
    }

    /// Bytes of a row of `depth` elements: whole tile rows.
    pub(crate) fn stride(self, depth: usize) -> usize {
        (depth * self.bytes()).next_multiple_of(LINE)
    }
}

/// Where the activations of an int8 product lie, once they are smoothed and shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputRange {
    /// Around zero: `scale * (q - 128)`, `q` in 1..=255.
    Symmetric,
    /// Not below zero: `scale * q`, `q` in 0..=255.
    Positive,
}

/// Just below the least value of GELU, -0.169971 at -0.751792: what GELU's results are shifted by to be positive.
pub const GELU_LOW: f32 = -0.17;

/// bf16 of an f32, rounded to nearest, ties to even. NaN becomes any bf16.
#[inline(always)]
pub(crate) fn bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// How weights are packed.
#[derive(Debug, Clone, Copy)]
pub struct Packing<'a> {
    /// The element.
    pub element: Element,
    /// Where int8 activations lie.
    pub range: InputRange,
    /// `[depth]`: activations are multiplied by these before they are quantised, weights divided by them, so that channels of
    /// unlike size share a scale (Xiao et al., 2023, "`SmoothQuant`"). Empty for none. Only int8 uses them.
    pub smoothing: &'a [f32],
    /// `[depth]`: where each channel is expected to lie. It is taken from the activations before they are quantised, and its product
    /// with the weights is added to the bias once, so a channel's constant part costs no precision (Wei et al., 2023, "Outlier
    /// Suppression+"). Empty for none. Only int8 uses it.
    pub shift: &'a [f32],
}

/// A weight matrix, `[columns, depth]` as linear layers have it, packed for products.
#[derive(Debug)]
pub struct PackedMatrix {
    pub(crate) element: Element,
    pub(crate) range: InputRange,
    pub(crate) depth: usize,
    pub(crate) columns: usize,
    pub(crate) data: Lines,
    /// `[columns]` padded to panels: weight = scale * int8.
    pub(crate) scales: Vec<f32>,
    /// `[columns]` padded to panels: what the zero point of the activations adds to every sum.
    pub(crate) offsets: Vec<i32>,
    /// `[columns]` padded to panels.
    pub(crate) bias: Vec<f32>,
    /// `[depth]`.
    pub(crate) smoothing: Vec<f32>,
    /// `[depth]`: shift times smoothing.
    pub(crate) shift: Vec<f32>,
}

impl PackedMatrix {
    /// Packs `weights`, `[columns, depth]` row-major, and `bias`, `[columns]`.
    ///
    /// # Panics
    /// When a length does not fit or there are more than 2^16 deep int8 sums, which could overflow: 2^16 * 255 * 127 < 2^31.
    #[must_use]
    pub fn pack(weights: &[f32], bias: &[f32], depth: usize, packing: Packing<'_>) -> Self {
        let columns = bias.len();
        assert!(depth > 0 && weights.len() == columns * depth, "pack: lengths differ");
        let fits = |values: &[f32]| values.is_empty() || values.len() == depth;
        assert!(fits(packing.smoothing) && fits(packing.shift), "pack: smoothing or shift has another length");
        assert!(depth <= 1 << 16, "pack: sums of {depth} products could overflow");
        let padded = columns.next_multiple_of(PANEL);
        let mut packed = Self {
            element: packing.element,
            range: packing.range,
            depth,
            columns,
            data: Lines::zeroed(padded * packing.element.stride(depth)),
            scales: vec![0.0; padded],
            offsets: vec![0; padded],
            bias: bias.iter().copied().chain(std::iter::repeat_n(0.0, padded - columns)).collect(),
            smoothing: if packing.smoothing.is_empty() { vec![1.0; depth] } else { packing.smoothing.to_vec() },
            shift: vec![0.0; depth],
        };
        for ((to, shift), smoothing) in packed.shift.iter_mut().zip(packing.shift).zip(&packed.smoothing) {
            *to = shift * smoothing;
        }
        let mut row = vec![0.0; depth];
        for (column, weights) in weights.chunks_exact(depth).enumerate() {
            match packing.element {
                Element::Int8 => {
                    for ((to, w), s) in row.iter_mut().zip(weights).zip(&packed.smoothing) {
                        *to = w / s;
                    }
                    packed.bias[column] += weights.iter().zip(packing.shift).map(|(w, s)| w * s).sum::<f32>();
                    packed.put_int8(column, &row);
                }
                Element::Bf16 => packed.put(column, weights, |w| bf16(w).to_le_bytes()),
                Element::F32 => packed.put(column, weights, f32::to_le_bytes),
            }
        }
        packed
    }

    /// No weights yet; [`PackedMatrix::reshape`] makes room for some.
    pub(crate) fn empty() -> Self {
        Self {
            element: Element::F32,
            range: InputRange::Symmetric,
            depth: 0,
            columns: 0,
            data: Lines::default(),
            scales: Vec::new(),
            offsets: Vec::new(),
            bias: Vec::new(),
            smoothing: Vec::new(),
            shift: Vec::new(),
        }
    }

    /// Makes room for other weights of bf16 or f32; what is there means nothing until every panel is written. Only growth allocates.
    pub(crate) fn reshape(&mut self, depth: usize, columns: usize, element: Element, bias: &[f32]) {
        let padded = columns.next_multiple_of(PANEL);
        self.data.reserve(padded * element.stride(depth));
        self.scales.resize(padded, 0.0);
        self.offsets.resize(padded, 0);
        self.bias.clear();
        self.bias.extend_from_slice(bias);
        self.bias.resize(padded, 0.0);
        (self.element, self.depth, self.columns) = (element, depth, columns);
    }

    fn put_int8(&mut self, column: usize, weights: &[f32]) {
        let scale = best_scale(weights);
        let inverse = 1.0 / scale;
        let quantised = |w: f32| nearest(w * inverse);
        // |sum| <= 2^16 * 127 < 2^23, so the sum and its 128-fold fit an i32.
        let sum: f32 = weights.iter().map(|&w| quantised(w)).sum();
        self.scales[column] = scale;
        self.offsets[column] = self.range.zero() * sum as i32;
        self.put(column, weights, |w| (quantised(w) as i8).to_le_bytes());
    }

    fn put<const BYTES: usize>(&mut self, column: usize, weights: &[f32], bytes: impl Fn(f32) -> [u8; BYTES]) {
        let each = 4 / BYTES;
        let steps = self.steps();
        let (panel, inside) = (column / PANEL, column % PANEL);
        let data = self.data.bytes_mut();
        let mut at = panel * steps * STEP + inside * 4;
        for group in weights.chunks(each) {
            for (i, &w) in group.iter().enumerate() {
                data[at + i * BYTES..][..BYTES].copy_from_slice(&bytes(w));
            }
            at += STEP;
        }
    }

    /// The weights as f32, `[columns, depth]`: what the product takes them for, without smoothing.
    #[must_use]
    pub fn decode(&self) -> Vec<f32> {
        let data = self.data.bytes();
        let value = |column: usize, i: usize| {
            let at = column / PANEL * self.steps() * STEP + i * self.element.bytes() / 4 * STEP + column % PANEL * 4;
            let bytes = &data[at + i * self.element.bytes() % 4..];
            match self.element {
                Element::Int8 => self.scales[column] * f32::from(bytes[0].cast_signed()) * self.smoothing[i],
                Element::Bf16 => f32::from_bits(u32::from(bytes[0]) << 16 | u32::from(bytes[1]) << 24),
                Element::F32 => f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
            }
        };
        (0..self.columns).flat_map(|column| (0..self.depth).map(move |i| value(column, i))).collect()
    }

    /// Steps of four bytes in a padded row.
    pub(crate) fn steps(&self) -> usize {
        self.element.stride(self.depth) / 4
    }

    /// Panels there are.
    pub(crate) fn panels(&self) -> usize {
        self.bias.len() / PANEL
    }

    /// Columns: width of the product's result.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Depth: width of the activations.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// What the product multiplies.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.data.len() + 4 * (self.scales.len() + self.offsets.len() + self.bias.len() + self.smoothing.len() + self.shift.len())
    }
}

/// The nearest integer in -127..=127, ties to even: adding 1.5 * 2^23 leaves no room for a fraction.
#[inline(always)]
fn nearest(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    (x.clamp(-127.0, 127.0) + ROUND) - ROUND
}

/// The scale of a column's int8 weights with the least squared error among some shares of the greatest magnitude.
fn best_scale(weights: &[f32]) -> f32 {
    const SHARES: [f32; 5] = [1.0, 0.94, 0.88, 0.82, 0.76];
    let largest = weights.iter().fold(0.0f32, |largest, w| largest.max(w.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return 1.0;
    }
    let error = |scale: f32| -> f32 {
        let inverse = 1.0 / scale;
        weights.iter().fold(0.0, |error, &w| {
            let lost = w - scale * nearest(w * inverse);
            error + lost * lost
        })
    };
    let scales = SHARES.map(|share| largest * share / 127.0);
    scales.into_iter().map(|scale| (error(scale), scale)).min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, scale)| scale)
}

/// Rows of activations in the form that a product reads.
#[derive(Debug, Default)]
pub struct Activations {
    pub(crate) data: Lines,
    /// `[rows]`; of int8 only.
    pub(crate) scales: Vec<f32>,
    pub(crate) rows: usize,
    pub(crate) depth: usize,
    pub(crate) stride: usize,
    pub(crate) form: Option<(Element, InputRange)>,
}

impl Activations {
    /// Makes room for `rows` rows of what `weights` multiplies. Only growth allocates.
    pub(crate) fn shape(&mut self, rows: usize, weights: &PackedMatrix) {
        let form = Some((weights.element, weights.range));
        let stride = weights.element.stride(weights.depth);
        if form != self.form || weights.depth != self.depth {
            // What another form or depth left in the padding may be anything, not-a-number among it.
            self.data = Lines::default();
        }
        self.data.reserve((rows + ROW_SLACK) * stride);
        if self.scales.len() < rows {
            self.scales.resize(rows, 0.0);
        }
        (self.rows, self.depth, self.stride, self.form) = (rows, weights.depth, stride, form);
    }

    /// Makes room for `rows` rows of bf16 or f32; what is there means nothing until every row is written, its padding among it.
    pub(crate) fn reshape(&mut self, rows: usize, depth: usize, element: Element) {
        let stride = element.stride(depth);
        self.data.reserve((rows + ROW_SLACK) * stride);
        (self.rows, self.depth, self.stride, self.form) = (rows, depth, stride, Some((element, InputRange::Symmetric)));
    }
}
