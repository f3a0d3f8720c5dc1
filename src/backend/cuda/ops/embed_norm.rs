//! Embeddings of word, position and segment, added and normalised.

use super::operation::Operation;
use super::values::{floats, integers, write};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result, bail};
use hearken_kernels::{LayerNorm, best};

/// `out = layer_norm(words[id] + positions[position] + segments[segment])` for every token.
///
/// Sources: ids, positions and segments `[tokens]`, their three tables `[.., hidden]`, gamma and beta `[hidden]` in f32.
#[derive(Debug, Clone, Copy)]
pub struct EmbedNorm {
    /// Epsilon of the layer-norm.
    pub epsilon: f32,
}

impl Operation<8> for EmbedNorm {
    fn name(&self) -> &'static str {
        "hearken-embed-norm"
    }

    fn cpu_fwd(&self, out: &mut CpuStorage, layout: &Layout, sources: [(&CpuStorage, &Layout); 8]) -> Result<()> {
        let (tokens, hidden) = layout.shape().dims2()?;
        let [ids, positions, segments, words, places, kinds, gamma, beta] = sources;
        let (gamma, beta) = (floats(gamma.0, gamma.1)?, floats(beta.0, beta.1)?);
        let mut sum = vec![0.0f32; tokens * hidden];
        for ((indices, at), (table, shape)) in [ids, positions, segments].into_iter().zip([words, places, kinds]) {
            for (sum, index) in sum.chunks_exact_mut(hidden).zip(integers(indices, at)?) {
                if *index as usize >= shape.shape().dims2()?.0 {
                    bail!("row {index} is beyond the table");
                }
                let row = floats(table, &shape.narrow(0, *index as usize, 1)?)?;
                sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
        }
        let mut normed = vec![0.0; sum.len()];
        best().layer_norm(&sum, LayerNorm { gamma: &gamma, beta: &beta, epsilon: self.epsilon }, &mut normed);
        write(out, layout, &normed)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout, sources: [(&CudaStorage, &Layout); 8]) -> Result<()> {
        use super::launch::{Argument, by_rows, count, launch, place};
        let (tokens, hidden) = layout.shape().dims2()?;
        let mut arguments = sources.into_iter().map(|(storage, layout)| place(storage, layout)).collect::<Result<Vec<_>>>()?;
        arguments.extend([place(out, layout)?, count(tokens)?, count(hidden)?, Argument::Number(self.epsilon)]);
        launch(out, "embed_norm", by_rows(tokens)?, &arguments)
    }
}
