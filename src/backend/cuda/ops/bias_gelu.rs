//! What follows the product that opens the feed-forward: bias and GELU.

use super::operation::Operation;
use super::values::{floats, write};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result};
use hearken_kernels::best;

/// `x = gelu(x + bias)`, the exact GELU, of `[tokens, width]`. Source: bias `[width]` in f32.
#[derive(Debug, Clone, Copy)]
pub struct BiasGelu;

impl Operation<1> for BiasGelu {
    fn name(&self) -> &'static str {
        "hearken-bias-gelu"
    }

    fn cpu_fwd(&self, x: &mut CpuStorage, layout: &Layout, [bias]: [(&CpuStorage, &Layout); 1]) -> Result<()> {
        let (mut sum, bias) = (floats(x, layout)?, floats(bias.0, bias.1)?);
        sum.chunks_exact_mut(bias.len()).for_each(|row| best().add(&bias, row));
        let mut activated = vec![0.0; sum.len()];
        best().gelu(&sum, &mut activated);
        write(x, layout, &activated)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, x: &mut CudaStorage, layout: &Layout, [bias]: [(&CudaStorage, &Layout); 1]) -> Result<()> {
        use super::launch::{by_values, count, launch, place};
        let (tokens, width) = layout.shape().dims2()?;
        let arguments = [place(x, layout)?, place(bias.0, bias.1)?, count(tokens * width)?, count(width)?];
        launch(x, "bias_gelu", by_values(tokens * width)?, &arguments)
    }
}
