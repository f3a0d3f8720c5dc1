//! What the operations that end with a layer-norm have in common.

use super::values::{floats, write};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result};
use hearken_kernels::{LayerNorm, best};

/// The twins' end: `out = layer_norm(sum)`, by gamma and beta `[hidden]`.
pub fn write_normed(
    out: &mut CpuStorage,
    layout: &Layout,
    sum: &[f32],
    [gamma, beta]: [(&CpuStorage, &Layout); 2],
    epsilon: f32,
) -> Result<()> {
    let (gamma, beta) = (floats(gamma.0, gamma.1)?, floats(beta.0, beta.1)?);
    let mut normed = vec![0.0; sum.len()];
    best().layer_norm(sum, LayerNorm { gamma: &gamma, beta: &beta, epsilon }, &mut normed);
    write(out, layout, &normed)
}

/// Launches a kernel that takes its sources, its result, tokens, hidden size and epsilon, and gives a warp to each token.
#[cfg(feature = "cuda")]
pub fn launch_norm(name: &str, out: &CudaStorage, layout: &Layout, sources: &[(&CudaStorage, &Layout)], epsilon: f32) -> Result<()> {
    use super::launch::{Argument, by_rows, count, launch, place};
    let (tokens, hidden) = layout.shape().dims2()?;
    let mut arguments = sources.iter().map(|(storage, layout)| place(storage, layout)).collect::<Result<Vec<_>>>()?;
    arguments.extend([place(out, layout)?, count(tokens)?, count(hidden)?, Argument::Number(epsilon)]);
    launch(out, name, by_rows(tokens)?, &arguments)
}
