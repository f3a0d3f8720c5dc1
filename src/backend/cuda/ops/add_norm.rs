//! What follows a product that closes a block: bias, residual and layer-norm.

use super::operation::Operation;
use super::values::{floats, write};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result, bail};
use hearken_kernels::{LayerNorm, best};

/// `out = layer_norm(product + bias + residual)` for every token.
///
/// Sources: product `[tokens, hidden]`, bias `[hidden]` in f32, residual `[tokens, hidden]`, gamma and beta `[hidden]` in f32.
#[derive(Debug, Clone, Copy)]
pub struct AddNorm {
    /// Epsilon of the layer-norm.
    pub epsilon: f32,
}

impl Operation<5> for AddNorm {
    fn name(&self) -> &'static str {
        "hearken-add-norm"
    }

    fn cpu_fwd(&self, out: &mut CpuStorage, layout: &Layout, sources: [(&CpuStorage, &Layout); 5]) -> Result<()> {
        let [product, bias, residual, gamma, beta] = sources;
        let (mut sum, bias) = (floats(product.0, product.1)?, floats(bias.0, bias.1)?);
        let (residual, gamma, beta) = (floats(residual.0, residual.1)?, floats(gamma.0, gamma.1)?, floats(beta.0, beta.1)?);
        if sum.len() != residual.len() || bias.len() != gamma.len() {
            bail!("product and residual differ in size");
        }
        for (row, residual) in sum.chunks_exact_mut(bias.len()).zip(residual.chunks_exact(bias.len())) {
            row.iter_mut().zip(&bias).zip(residual).for_each(|((sum, bias), residual)| *sum += bias + residual);
        }
        let mut normed = vec![0.0; sum.len()];
        best().layer_norm(&sum, LayerNorm { gamma: &gamma, beta: &beta, epsilon: self.epsilon }, &mut normed);
        write(out, layout, &normed)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout, sources: [(&CudaStorage, &Layout); 5]) -> Result<()> {
        use super::launch::{Argument, by_rows, count, launch, place};
        let (tokens, hidden) = layout.shape().dims2()?;
        let mut arguments = sources.into_iter().map(|(storage, layout)| place(storage, layout)).collect::<Result<Vec<_>>>()?;
        arguments.extend([place(out, layout)?, count(tokens)?, count(hidden)?, Argument::Number(self.epsilon)]);
        launch(out, "add_norm", by_rows(tokens)?, &arguments)
    }
}
