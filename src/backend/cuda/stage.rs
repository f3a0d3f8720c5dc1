//! Where passes run, and how a batch gets there and its answers back.

use super::bert::Bert;
use super::workspace::Workspace;
use crate::backend::contiguous::part_mut;
use candle_core::{CpuStorage, InplaceOp1, Layout, Result, Tensor, bail};

/// A place for passes. What is done to one workspace happens in the order of the calls.
pub trait Stage: Send {
    /// Sends the input that `fill` writes and runs a pass over it.
    ///
    /// # Errors
    /// When the device fails.
    fn pass(&mut self, network: &Bert, at: &Workspace, fill: &mut dyn FnMut(&mut [u32])) -> Result<()>;

    /// The values of a tensor in f32, once the pass that makes them has ended.
    ///
    /// # Errors
    /// When the device fails.
    fn fetch(&mut self, from: &Tensor) -> Result<&[f32]>;
}

/// Main memory, where the operations' twins run.
#[derive(Debug, Default)]
pub struct MainMemory {
    input: Vec<u32>,
    output: Vec<f32>,
}

impl Stage for MainMemory {
    fn pass(&mut self, network: &Bert, at: &Workspace, fill: &mut dyn FnMut(&mut [u32])) -> Result<()> {
        self.input.resize(at.input.elem_count(), 0);
        fill(&mut self.input);
        at.input.inplace_op1(&Copied(&self.input))?;
        network.forward(at)
    }

    fn fetch(&mut self, from: &Tensor) -> Result<&[f32]> {
        self.output = from.flatten_all()?.to_vec1()?;
        Ok(&self.output)
    }
}

/// Writes a tensor of whole numbers.
struct Copied<'a>(&'a [u32]);

impl InplaceOp1 for Copied<'_> {
    fn name(&self) -> &'static str {
        "hearken-copied"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        let CpuStorage::U32(into) = storage else { bail!("the input is of whole numbers") };
        let into = part_mut(into, layout)?;
        if into.len() != self.0.len() {
            bail!("the input does not fit");
        }
        into.copy_from_slice(self.0);
        Ok(())
    }
}
