//! The embeddings: word, position and segment added, layer-norm, dropout; forward and backward.

use super::gradients::Rows;
use super::weights::EncoderWeights;
use super::{Machine, ROWS, drop_at};
use crate::batch::PackedBatch;
use crate::model::EncoderConfig;
use hearken_kernels::Mask;

/// What the forward pass leaves for the backward pass.
#[derive(Default)]
pub(super) struct EmbeddingMemory {
    /// Rows of the three tables that each token used, `[tokens]` each.
    used: [Vec<u32>; 3],
    /// Before the layer-norm, `[tokens, hidden]`.
    sum: Vec<f32>,
    /// Its gradient.
    dsum: Vec<f32>,
}

impl EmbeddingMemory {
    /// Vectors of the batch's tokens, `[tokens, hidden]`. A row that a table lacks counts as zero; batches come from the tokenizer
    /// whose vocabulary the model was checked against.
    pub fn forward(
        &mut self,
        machine: &mut Machine,
        weights: &EncoderWeights<'_>,
        config: &EncoderConfig,
        batch: &PackedBatch,
        mask: Option<Mask>,
    ) -> Vec<f32> {
        let hidden = config.hidden_size;
        self.used = [batch.ids.clone(), batch.positions().collect(), batch.segments.clone()];
        self.sum.resize(batch.tokens() * hidden, 0.0);
        let mut out = vec![0.0; self.sum.len()];
        let (kernels, used, norm, size) = (machine.kernels, &self.used, weights.norm.with(config), ROWS * hidden);
        machine.team.chunks2((&mut self.sum, size), (&mut out, size), &|i, sum, out| {
            sum.fill(0.0);
            for (row, sum) in sum.chunks_exact_mut(hidden).enumerate() {
                for (table, used) in weights.tables.iter().zip(used) {
                    let start = used.get(i * ROWS + row).map_or(usize::MAX, |index| *index as usize).saturating_mul(hidden);
                    if let Some(embedding) = table.get(start..start.saturating_add(hidden)) {
                        kernels.add(embedding, sum);
                    }
                }
            }
            kernels.layer_norm(sum, norm, out);
            drop_at(kernels, mask, i * size, out);
        });
        out
    }

    /// Carries `gradient`, that of the vectors, into the tables' rows and the layer-norm.
    pub fn backward(
        &mut self,
        machine: &mut Machine,
        (weights, config): (&EncoderWeights<'_>, &EncoderConfig),
        mask: Option<Mask>,
        gradient: &mut [f32],
        (tables, norm): (&mut [Rows; 3], (&mut [f32], &mut [f32])),
    ) {
        machine.drop(mask, gradient);
        self.dsum.resize(gradient.len(), 0.0);
        machine.norm_gradient(&self.sum, weights.norm.with(config), gradient, &mut self.dsum, norm);
        for (table, used) in tables.iter_mut().zip(&self.used) {
            table.gather(used, &self.dsum, config.hidden_size);
        }
    }
}
