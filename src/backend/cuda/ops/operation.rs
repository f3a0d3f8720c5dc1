//! An operation with any number of sources; candle's own in-place operations take two.

#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Storage, Tensor, bail};

/// Writes a tensor from others that do not share its memory.
pub trait Operation<const N: usize> {
    /// For messages about failures.
    fn name(&self) -> &'static str;

    /// The twin: what the operation computes, in main memory.
    ///
    /// # Errors
    /// When shapes or elements do not fit.
    fn cpu_fwd(&self, out: &mut CpuStorage, layout: &Layout, sources: [(&CpuStorage, &Layout); N]) -> Result<()>;

    /// The launch on a card.
    ///
    /// # Errors
    /// When shapes or elements do not fit or the card refuses.
    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout, sources: [(&CudaStorage, &Layout); N]) -> Result<()>;
}

/// Applies an operation.
///
/// # Errors
/// As the operation's, and when the tensors are on different devices.
pub fn apply<const N: usize>(out: &Tensor, sources: [&Tensor; N], operation: &impl Operation<N>) -> Result<()> {
    let held = sources.map(Tensor::storage_and_layout);
    out.inplace_op1(&Applied { operation, sources: held.each_ref().map(|(storage, layout)| (&**storage, *layout)) })
}

struct Applied<'a, O, const N: usize> {
    operation: &'a O,
    sources: [(&'a Storage, &'a Layout); N],
}

impl<'a, O: Operation<N>, const N: usize> Applied<'a, O, N> {
    /// The sources as what `of` makes of their storages.
    fn on<S>(&self, of: impl Fn(&'a Storage) -> Option<&'a S>) -> Result<[(&'a S, &'a Layout); N]> {
        let there = self.sources.iter().filter_map(|(storage, layout)| Some((of(storage)?, *layout))).collect::<Vec<_>>();
        there.try_into().or_else(|_| bail!("{}: a source is on another device", self.operation.name()))
    }
}

impl<O: Operation<N>, const N: usize> InplaceOp1 for Applied<'_, O, N> {
    fn name(&self) -> &'static str {
        self.operation.name()
    }

    fn cpu_fwd(&self, out: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let sources = self.on(|storage| if let Storage::Cpu(storage) = storage { Some(storage) } else { None })?;
        self.operation.cpu_fwd(out, layout, sources)
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout) -> Result<()> {
        let sources = self.on(|storage| if let Storage::Cuda(storage) = storage { Some(storage) } else { None })?;
        self.operation.cuda_fwd(out, layout, sources)
    }
}
