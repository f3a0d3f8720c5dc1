//! Embeddings of word, position and segment, added and normalised.

#[cfg(feature = "cuda")]
use super::norm::launch_norm;
use super::norm::write_normed;
use super::operation::Operation;
use super::values::{floats, integers};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result, bail};
use hearken_kernels::best;

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
        let mut sum = vec![0.0f32; tokens * hidden];
        for ((indices, at), (table, shape)) in [ids, positions, segments].into_iter().zip([words, places, kinds]) {
            for (sum, index) in sum.chunks_exact_mut(hidden).zip(integers(indices, at)?) {
                if *index as usize >= shape.shape().dims2()?.0 {
                    bail!("row {index} is beyond the table");
                }
                best().add(&floats(table, &shape.narrow(0, *index as usize, 1)?)?, sum);
            }
        }
        write_normed(out, layout, &sum, [gamma, beta], self.epsilon)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout, sources: [(&CudaStorage, &Layout); 8]) -> Result<()> {
        launch_norm("embed_norm", out, layout, &sources, self.epsilon)
    }
}
