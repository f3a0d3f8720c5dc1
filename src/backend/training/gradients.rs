//! Gradients of the encoder's parameters: dense ones in one block, those of embedding tables only where a row was used.

use super::weights::TABLES;
use crate::model::EncoderConfig;
use rayon::prelude::*;
use std::ops::Range;

/// Rows of a table that have a gradient.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Which, rising.
    pub indices: Vec<u32>,
    /// `[indices, hidden]`.
    pub values: Vec<f32>,
}

impl Rows {
    /// Sums `gradient`, `[tokens, hidden]`, by the row that each token used.
    pub(super) fn gather(&mut self, used: &[u32], gradient: &[f32], hidden: usize) {
        self.indices.clear();
        self.indices.extend_from_slice(used);
        self.indices.sort_unstable();
        self.indices.dedup();
        self.values.clear();
        self.values.resize(self.indices.len() * hidden, 0.0);
        for (index, from) in used.iter().zip(gradient.chunks_exact(hidden)) {
            let row = self.indices.binary_search(index).unwrap_or_default();
            let to = self.values.get_mut(row * hidden..(row + 1) * hidden).unwrap_or_default();
            to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
        }
    }
}

/// The gradient of one parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gradient<'a> {
    /// Of every value.
    Dense(&'a [f32]),
    /// Of some rows; the others' is zero.
    Rows(&'a Rows),
}

/// Gradients of every parameter of the encoder.
#[derive(Debug)]
pub struct EncoderGradients {
    dense: Vec<f32>,
    names: Vec<(String, Range<usize>)>,
    tables: [Rows; 3],
    hidden: usize,
    inner: usize,
}

/// Where one layer's gradients go.
pub(super) struct LayerGradients<'a> {
    /// `[3 * hidden, hidden]`.
    pub qkv: &'a mut [f32],
    pub qkv_bias: &'a mut [f32],
    pub attended: &'a mut [f32],
    pub attended_bias: &'a mut [f32],
    pub attended_norm: (&'a mut [f32], &'a mut [f32]),
    pub up: &'a mut [f32],
    pub up_bias: &'a mut [f32],
    pub down: &'a mut [f32],
    pub down_bias: &'a mut [f32],
    pub down_norm: (&'a mut [f32], &'a mut [f32]),
}

/// Sum of squares in sixteen partial sums, which a compiler makes vectors of.
fn squares(values: &[f32]) -> f64 {
    let (chunks, tail) = values.as_chunks::<16>();
    let mut sums = [0.0f32; 16];
    for chunk in chunks {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += x * x);
    }
    sums.iter().copied().chain(tail.iter().map(|x| x * x)).map(f64::from).sum()
}

/// Values that are given out from the first to the last.
struct Rest<'a>(&'a mut [f32]);

impl<'a> Rest<'a> {
    fn take(&mut self, size: usize) -> &'a mut [f32] {
        let (first, others) = std::mem::take(&mut self.0).split_at_mut(size);
        self.0 = others;
        first
    }
}

impl EncoderGradients {
    /// Room for the gradients of an encoder.
    #[must_use]
    pub fn new(config: &EncoderConfig) -> Self {
        let (hidden, inner) = (config.hidden_size, config.intermediate_size);
        let (mut names, mut end) = (Vec::new(), 0);
        let mut place = |name: String, size: usize| {
            names.push((name, end..end + size));
            end += size;
        };
        place("embeddings.LayerNorm.weight".to_owned(), hidden);
        place("embeddings.LayerNorm.bias".to_owned(), hidden);
        // In the order of `layers`.
        for layer in 0..config.num_hidden_layers {
            let parts = [
                ("attention.self.query.weight", hidden * hidden),
                ("attention.self.key.weight", hidden * hidden),
                ("attention.self.value.weight", hidden * hidden),
                ("attention.self.query.bias", hidden),
                ("attention.self.key.bias", hidden),
                ("attention.self.value.bias", hidden),
                ("attention.output.dense.weight", hidden * hidden),
                ("attention.output.dense.bias", hidden),
                ("attention.output.LayerNorm.weight", hidden),
                ("attention.output.LayerNorm.bias", hidden),
                ("intermediate.dense.weight", inner * hidden),
                ("intermediate.dense.bias", inner),
                ("output.dense.weight", hidden * inner),
                ("output.dense.bias", hidden),
                ("output.LayerNorm.weight", hidden),
                ("output.LayerNorm.bias", hidden),
            ];
            for (part, size) in parts {
                place(format!("encoder.layer.{layer}.{part}"), size);
            }
        }
        Self { dense: vec![0.0; end], names, tables: Default::default(), hidden, inner }
    }

    /// Every parameter's gradient with its Hugging Face name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Gradient<'_>)> {
        let dense = self.names.iter().map(|(name, range)| {
            let values = self.dense.get(range.clone()).unwrap_or_default();
            (name.as_str(), Gradient::Dense(values))
        });
        dense.chain(TABLES.into_iter().zip(self.tables.iter().map(Gradient::Rows)))
    }

    /// Sets every gradient to zero.
    pub(super) fn clear(&mut self) {
        self.dense.fill(0.0);
        self.tables = Default::default();
    }

    /// Sets one dense gradient; one that is not the encoder's is left out.
    pub(super) fn set(&mut self, name: &str, values: &[f32]) {
        let range = self.names.iter().find(|(other, _)| other == name).map(|(_, range)| range.clone());
        if let Some(into) = range.and_then(|range| self.dense.get_mut(range)).filter(|into| into.len() == values.len()) {
            into.copy_from_slice(values);
        }
    }

    /// Sets the tables' gradients from that of the sum of the embeddings, `[tokens, hidden]`, and the rows that each token used.
    pub(super) fn scatter(&mut self, used: &[Vec<u32>; 3], gradient: &[f32]) {
        for (table, used) in self.tables.iter_mut().zip(used) {
            table.gather(used, gradient, self.hidden);
        }
    }

    /// Sum of the squares of every value.
    #[must_use]
    pub fn squares(&self) -> f64 {
        let part = |values: &[f32]| values.chunks(4096).map(squares).sum::<f64>();
        // Parts are added in order, so that the sum does not depend on the threads.
        let parts: Vec<f64> = self.dense.par_chunks(1 << 18).map(part).collect();
        parts.into_iter().sum::<f64>() + self.tables.iter().map(|rows| part(&rows.values)).sum::<f64>()
    }

    /// The embedding tables' gradients and those of their layer-norm.
    pub(super) fn embeddings(&mut self) -> (&mut [Rows; 3], (&mut [f32], &mut [f32])) {
        let mut rest = Rest(self.dense.as_mut_slice());
        (&mut self.tables, (rest.take(self.hidden), rest.take(self.hidden)))
    }

    /// Each layer's.
    pub(super) fn layers(&mut self) -> impl DoubleEndedIterator<Item = LayerGradients<'_>> + ExactSizeIterator {
        let (hidden, inner) = (self.hidden, self.inner);
        let size = 4 * hidden * hidden + 2 * hidden * inner + 9 * hidden + inner;
        let layers = self.dense.get_mut(2 * hidden..).unwrap_or_default();
        layers.chunks_exact_mut(size).map(move |layer| {
            let mut rest = Rest(layer);
            LayerGradients {
                qkv: rest.take(3 * hidden * hidden),
                qkv_bias: rest.take(3 * hidden),
                attended: rest.take(hidden * hidden),
                attended_bias: rest.take(hidden),
                attended_norm: (rest.take(hidden), rest.take(hidden)),
                up: rest.take(inner * hidden),
                up_bias: rest.take(inner),
                down: rest.take(hidden * inner),
                down_bias: rest.take(hidden),
                down_norm: (rest.take(hidden), rest.take(hidden)),
            }
        })
    }
}
