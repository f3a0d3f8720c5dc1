//! One product to test: operands of fixed random values, and how to run it.

use crate::harness::values;
use hearken_kernels::{Activations, Element, Epilogue, InputRange, Kernels, PackedMatrix, Packing, Team};

pub const ELEMENTS: [Element; 3] = [Element::Int8, Element::Bf16, Element::F32];
pub const RANGES: [InputRange; 2] = [InputRange::Symmetric, InputRange::Positive];
pub const EPILOGUES: [Epilogue; 3] = [Epilogue::Store, Epilogue::Gelu, Epilogue::Accumulate];

/// What is multiplied, and whether weights are packed with smoothing and with a shift.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    pub element: Element,
    pub range: InputRange,
    pub smoothed: bool,
    pub shifted: bool,
}

/// Every form.
pub fn forms() -> Vec<Form> {
    let mut forms = Vec::new();
    for element in ELEMENTS {
        for range in RANGES {
            for (smoothed, shifted) in [(false, false), (true, false), (false, true), (true, true)] {
                forms.push(Form { element, range, smoothed, shifted });
            }
        }
    }
    forms
}

/// Sizes of a product.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub rows: usize,
    pub depth: usize,
    pub columns: usize,
}

/// The operands of a product.
pub struct Case {
    pub shape: Shape,
    pub form: Form,
    /// `[rows, depth]`. Rows are of unit scale, small, zero and huge in turn; with [`InputRange::Positive`] none is below the shift.
    pub values: Vec<f32>,
    /// `[columns, depth]`.
    pub weights: Vec<f32>,
    /// `[columns]`.
    pub bias: Vec<f32>,
    /// `[depth]`, or empty.
    pub smoothing: Vec<f32>,
    /// `[depth]`, or empty.
    pub shift: Vec<f32>,
    pub packed: PackedMatrix,
}

impl Case {
    pub fn new(shape: Shape, form: Form) -> Self {
        let Shape { rows, depth, columns } = shape;
        let seed = (rows * 1_000_003 + depth * 1009 + columns) as u64;
        let weights = values(seed + 1, columns * depth, 0.5);
        let bias = values(seed + 2, columns, 1.0);
        let smoothing: Vec<f32> =
            if form.smoothed { values(seed + 3, depth, 2.0).iter().map(|s| s.abs() + 0.25).collect() } else { Vec::new() };
        let shift = if form.shifted { values(seed + 4, depth, 1.5) } else { Vec::new() };
        let mut plain = values(seed + 5, rows * depth, 2.0);
        for (r, row) in plain.chunks_exact_mut(depth).enumerate() {
            for (i, x) in row.iter_mut().enumerate() {
                *x *= [1.0, 1e-3, 0.0, 1e15][r % 4];
                if form.range == InputRange::Positive {
                    *x = x.abs();
                }
                *x += shift.get(i).copied().unwrap_or(0.0);
            }
        }
        let packing = Packing { element: form.element, range: form.range, smoothing: &smoothing, shift: &shift };
        let packed = PackedMatrix::pack(&weights, &bias, depth, packing);
        Self { shape, form, values: plain, weights, bias, smoothing, shift, packed }
    }

    /// Values to be overwritten or added to, `[rows, columns]`.
    pub fn before(&self) -> Vec<f32> {
        values(99, self.shape.rows * self.shape.columns, 3.0)
    }

    /// The rows in the form of the product.
    pub fn convert(&self, kernels: &Kernels) -> Activations {
        let mut input = Activations::default();
        kernels.convert(&mut Team::alone(), &self.values, &self.packed, &mut input);
        input
    }

    /// The result over what [`Case::before`] gives.
    pub fn run(&self, kernels: &Kernels, epilogue: Epilogue) -> Vec<f32> {
        let mut out = self.before();
        kernels.product(&mut Team::alone(), &self.convert(kernels), &self.packed, epilogue, &mut out);
        out
    }

    /// For a message: the tier, and the case.
    pub fn name(&self, kernels: &Kernels) -> String {
        let Self { shape, form, .. } = self;
        format!("{} {shape:?} {form:?} (seeds and scales: tests/products/case.rs)", kernels.name)
    }
}

/// The product of some rows, over zeros.
pub fn product_of(kernels: &Kernels, values: &[f32], packed: &PackedMatrix, epilogue: Epilogue) -> Vec<f32> {
    let mut input = Activations::default();
    kernels.convert(&mut Team::alone(), values, packed, &mut input);
    let mut out = vec![0.0; values.len() / packed.depth() * packed.columns()];
    kernels.product(&mut Team::alone(), &input, packed, epilogue, &mut out);
    out
}
