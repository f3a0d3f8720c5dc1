//! What follows a product that closes a block: bias, residual and layer-norm.

#[cfg(feature = "cuda")]
use super::norm::launch_norm;
use super::norm::write_normed;
use super::operation::Operation;
use super::values::floats;
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result, bail};
use hearken_kernels::best;

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
        let (mut sum, bias, residual) = (floats(product.0, product.1)?, floats(bias.0, bias.1)?, floats(residual.0, residual.1)?);
        if sum.len() != residual.len() || sum.len() % bias.len().max(1) != 0 {
            bail!("product, bias and residual differ in size");
        }
        best().add(&residual, &mut sum);
        sum.chunks_exact_mut(bias.len()).for_each(|row| best().add(&bias, row));
        write_normed(out, layout, &sum, [gamma, beta], self.epsilon)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout, sources: [(&CudaStorage, &Layout); 5]) -> Result<()> {
        launch_norm("add_norm", out, layout, &sources, self.epsilon)
    }
}
