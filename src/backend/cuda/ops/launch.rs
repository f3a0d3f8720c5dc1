//! Launching a kernel of `kernels/cuda/` on a card.

use crate::backend::contiguous::{outside, range};
use candle_core::cuda_backend::WrapErr as _;
use candle_core::cuda_backend::cudarc::driver::{DevicePtr as _, LaunchConfig, PushKernelArg as _};
use candle_core::cuda_backend::{CudaStorage, CudaStorageSlice};
use candle_core::{Layout, Result, bail};
use hearken_kernels::cuda::{PTX, WARPS};

/// An argument of a kernel.
#[derive(Debug, Clone, Copy)]
pub enum Argument {
    /// A tensor's place on the card.
    Place(u64),
    /// A whole number.
    Count(i32),
    /// A number.
    Number(f32),
}

/// A count as kernels take it.
pub fn count(value: usize) -> Result<Argument> {
    match i32::try_from(value) {
        Ok(value) => Ok(Argument::Count(value)),
        Err(_) => bail!("a tensor of {value} values is too large for one launch"),
    }
}

/// Where a contiguous tensor begins on its card.
pub fn place(storage: &CudaStorage, layout: &Layout) -> Result<Argument> {
    let range = range(layout)?;
    let stream = storage.device.cuda_stream();
    // No event is recorded: one stream works on these tensors.
    macro_rules! address {
        ($($element:ident),*) => {
            match &storage.slice {
                $(CudaStorageSlice::$element(slice) => {
                    Ok(Argument::Place(slice.try_slice(range).ok_or_else(outside)?.device_ptr(&stream).0))
                })*
                _ => bail!("the kernels have no element of this kind"),
            }
        };
    }
    address!(U32, F32, F16, BF16)
}

/// Suffix of the kernels for this tensor's element.
fn element(storage: &CudaStorage) -> Result<&'static str> {
    match storage.slice {
        CudaStorageSlice::F16(_) => Ok("f16"),
        CudaStorageSlice::BF16(_) => Ok("bf16"),
        _ => bail!("the kernels work on f16 and bf16"),
    }
}

/// Blocks of kernels that give a warp to each of `rows`.
pub fn by_rows(rows: usize) -> Result<LaunchConfig> {
    grid(rows.div_ceil(WARPS as usize), 1, WARPS * 32)
}

/// Blocks of kernels that give eight values to a thread.
pub fn by_values(values: usize) -> Result<LaunchConfig> {
    grid(values.div_ceil(8 * WARPS as usize * 32), 1, WARPS * 32)
}

/// Blocks of attention: a tile each, and as many heads as a block has warps.
pub fn by_tiles(tiles: usize, heads: usize) -> Result<LaunchConfig> {
    grid(tiles, heads.div_ceil(WARPS as usize), WARPS * 32)
}

fn grid(x: usize, y: usize, threads: u32) -> Result<LaunchConfig> {
    match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) if x > 0 && y > 0 => Ok(LaunchConfig { grid_dim: (x, y, 1), block_dim: (threads, 1, 1), shared_mem_bytes: 0 }),
        _ => bail!("a launch of {x} by {y} blocks is not possible"),
    }
}

/// Launches `name` for the element of `half`, on the stream of its card.
pub fn launch(half: &CudaStorage, name: &str, config: LaunchConfig, arguments: &[Argument]) -> Result<()> {
    let function = half.device.get_or_load_custom_func(&format!("{name}_{}", element(half)?), "hearken", PTX)?;
    let mut builder = function.builder();
    for argument in arguments {
        match argument {
            Argument::Place(value) => builder.arg(value),
            Argument::Count(value) => builder.arg(value),
            Argument::Number(value) => builder.arg(value),
        };
    }
    #[expect(unsafe_code, reason = "each operation gives its kernel the arguments that kernels.cu declares, of tensors it has checked")]
    // SAFETY: see above; the tensors outlive the launch, since their memory is freed in the order of the same stream.
    unsafe { builder.launch(config) }.w()?;
    Ok(())
}
