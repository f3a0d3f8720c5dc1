//! The same encoder as a graph of candle's on any device, for cards: weights in half precision there, the master weights in f32 stay with
//! the optimiser.
//!
//! Embeddings are added on the processor, so that tables of millions of rows need not travel and a step changes the rows in use alone,
//! as on the kernels. Rows are padded to the longest one here, which is what makes few launches of many.

use super::{Dropping, EncoderGradients, Incoming, LearningEncoder, Lookup, TABLES, Vectors};
use crate::backend::candle::{Dropout, Padded, Trunk, pool};
use crate::batch::PackedBatch;
use crate::model::{EncoderConfig, Pooling};
use candle_core::{DType, Device, Result, Tensor, Var, bail};
use std::collections::BTreeMap;
use std::ops::Range;

/// The encoder, and what its last forward pass left.
pub struct GraphEncoder {
    config: EncoderConfig,
    pooling: Pooling,
    device: Device,
    dtype: DType,
    passed: Option<Pass>,
}

/// A forward pass.
struct Pass {
    /// Parameters on the device, by name.
    parameters: BTreeMap<String, Var>,
    /// Rows of the three tables that each token used.
    used: [Vec<u32>; 3],
    /// Their sum, `[tokens, hidden]`.
    embedded: Var,
    tokens: Tensor,
    pooled: Tensor,
}

impl GraphEncoder {
    /// An encoder of this shape that computes in `dtype` on `device`.
    #[must_use]
    pub fn new(config: &EncoderConfig, pooling: Pooling, device: Device, dtype: DType) -> Self {
        Self { config: config.clone(), pooling, device, dtype, passed: None }
    }

    /// The sum of the embeddings, `[tokens, hidden]`.
    fn embed(&self, get: Lookup<'_, '_>, used: &[Vec<u32>; 3]) -> Result<Tensor> {
        let hidden = self.config.hidden_size;
        let mut sum = vec![0.0f32; used[0].len() * hidden];
        for (name, used) in TABLES.into_iter().zip(used) {
            let table = get(name)?;
            for (sum, index) in sum.chunks_exact_mut(hidden).zip(used) {
                let Some(row) = table.get(*index as usize * hidden..(*index as usize + 1) * hidden) else {
                    bail!("row {index} is beyond `{name}`")
                };
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        }
        Tensor::from_vec(sum, (used[0].len(), hidden), &Device::Cpu)
    }

    fn there(&self, tensor: &Tensor) -> Result<Tensor> {
        tensor.to_dtype(self.dtype)?.to_device(&self.device)
    }
}

/// The values of a tensor in main memory, in f32.
fn back(tensor: &Tensor) -> Result<Vec<f32>> {
    tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

impl LearningEncoder for GraphEncoder {
    fn forward(&mut self, get: Lookup<'_, '_>, batch: &PackedBatch, dropping: Dropping) -> Result<Vectors> {
        let mut parameters = BTreeMap::new();
        let trunk = Trunk::load(&self.config, &mut |name, size| {
            let var = Var::from_tensor(&self.there(&Tensor::from_slice(get(name)?, size, &Device::Cpu)?)?)?;
            let tensor = var.as_tensor().clone();
            parameters.insert(name.to_owned(), var);
            Ok(tensor)
        })?;
        let used = [batch.ids.clone(), batch.positions().collect(), batch.segments.clone()];
        let embedded = Var::from_tensor(&self.there(&self.embed(get, &used)?)?)?;
        let rows: Vec<Range<usize>> = batch.ranges().collect();
        let mut dropout = Dropout::new(dropping.probability, dropping.seed);
        let padded = Padded::new(&rows, &self.device)?;
        let tokens = trunk.forward(embedded.as_tensor(), &rows, &padded, &mut dropout)?.to_dtype(DType::F32)?;
        let pooled = dropout.apply(&pool(&tokens, &rows, self.pooling)?)?;
        let vectors = Vectors { tokens: back(&tokens)?, pooled: back(&pooled)? };
        self.passed = Some(Pass { parameters, used, embedded, tokens, pooled });
        Ok(vectors)
    }

    fn backward(&mut self, _get: Lookup<'_, '_>, incoming: Incoming<'_>, gradients: &mut EncoderGradients) -> Result<()> {
        let Some(pass) = self.passed.take() else { bail!("a backward pass needs a forward pass before it") };
        // The gradient of this sum is that of the loss, carried back.
        let parts = [(&pass.tokens, incoming.tokens), (&pass.pooled, incoming.pooled)];
        let weighted = parts.into_iter().filter(|(_, gradient)| !gradient.is_empty()).map(|(vectors, gradient)| {
            let gradient = Tensor::from_slice(gradient, vectors.shape(), &self.device)?;
            (vectors * gradient)?.sum_all()
        });
        let sum = weighted.reduce(|a, b| a? + b?);
        gradients.clear();
        let Some(sum) = sum.transpose()? else { return Ok(()) };
        let graph = sum.backward()?;
        for (name, var) in &pass.parameters {
            if let Some(gradient) = graph.get(var.as_tensor()) {
                gradients.set(name, &back(gradient)?);
            }
        }
        if let Some(gradient) = graph.get(pass.embedded.as_tensor()) {
            gradients.scatter(&pass.used, &back(gradient)?);
        }
        Ok(())
    }
}
