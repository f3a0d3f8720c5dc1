//! What the heads read.

use super::operation::Operation;
use super::values::{floats, integers, write};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result, bail};
use hearken_kernels::best;

/// Every token's vector, and behind them every row's, its mean or its first token's: `[tokens + rows, hidden]` in f32, so that one product
/// serves all heads. A row without tokens has zeros.
///
/// Sources: the tokens' vectors `[tokens, hidden]`, and starts `[rows + 1]`: row `r` is tokens `starts[r]..starts[r + 1]`.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// Whether a row's vector is its first token's.
    pub first_only: bool,
}

impl Operation<2> for Pool {
    fn name(&self) -> &'static str {
        "hearken-pool"
    }

    fn cpu_fwd(&self, out: &mut CpuStorage, layout: &Layout, [x, starts]: [(&CpuStorage, &Layout); 2]) -> Result<()> {
        let hidden = layout.shape().dims2()?.1;
        let mut vectors = floats(x.0, x.1)?;
        let tokens = vectors.len();
        for bounds in integers(starts.0, starts.1)?.windows(2) {
            let [start, end] = *bounds else { continue };
            let end = if self.first_only { end.min(start + 1) } else { end };
            let mut sum = vec![0.0f32; hidden];
            let Some(row) = vectors.get(start as usize * hidden..(end as usize * hidden).min(tokens)) else {
                bail!("row {start} to {end} is beyond the tokens");
            };
            #[expect(clippy::cast_precision_loss, reason = "a row has at most some thousand tokens")]
            let share = if end > start { 1.0 / (end - start) as f32 } else { 0.0 };
            row.chunks_exact(hidden).for_each(|token| best().add(token, &mut sum));
            vectors.extend(sum.into_iter().map(|sum| sum * share));
        }
        write(out, layout, &vectors)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout, [x, starts]: [(&CudaStorage, &Layout); 2]) -> Result<()> {
        use super::launch::{Argument, by_rows, count, launch, place};
        let ((vectors, hidden), tokens) = (layout.shape().dims2()?, x.1.shape().dims2()?.0);
        let sizes = [count(tokens)?, count(vectors - tokens)?, count(hidden)?, Argument::Count(self.first_only.into())];
        let mut arguments = vec![place(x.0, x.1)?, place(starts.0, starts.1)?, place(out, layout)?];
        arguments.extend(sizes);
        launch(x.0, "pool", by_rows(vectors)?, &arguments)
    }
}
