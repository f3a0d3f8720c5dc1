//! How the twins read and write tensors in main memory.

use crate::backend::contiguous::{part, part_mut};
use candle_core::{CpuStorage, DType, Layout, Result, bail};
use half::slice::HalfFloatSliceExt as _;

/// A tensor's values in f32, whichever element it has.
pub fn floats(storage: &CpuStorage, layout: &Layout) -> Result<Vec<f32>> {
    Ok(match storage {
        CpuStorage::F32(values) => part(values, layout)?.to_vec(),
        CpuStorage::F16(values) => part(values, layout)?.to_f32_vec(),
        CpuStorage::BF16(values) => part(values, layout)?.to_f32_vec(),
        other => bail!("the operation works on f32, f16 and bf16, not on {:?}", dtype(other)),
    })
}

/// A tensor of whole numbers.
pub fn integers<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [u32]> {
    part(storage.as_slice::<u32>()?, layout)
}

/// Writes a tensor's values, rounded to its element.
pub fn write(storage: &mut CpuStorage, layout: &Layout, values: &[f32]) -> Result<()> {
    if layout.shape().elem_count() != values.len() {
        bail!("the operation gave {} values for a tensor of {:?}", values.len(), layout.shape());
    }
    match storage {
        CpuStorage::F32(into) => part_mut(into, layout)?.copy_from_slice(values),
        CpuStorage::F16(into) => part_mut(into, layout)?.convert_from_f32_slice(values),
        CpuStorage::BF16(into) => part_mut(into, layout)?.convert_from_f32_slice(values),
        other => bail!("the operation works on f32, f16 and bf16, not on {:?}", dtype(other)),
    }
    Ok(())
}

fn dtype(storage: &CpuStorage) -> DType {
    candle_core::backend::BackendStorage::dtype(storage)
}
