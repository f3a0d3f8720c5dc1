//! The matrix product, cuBLAS's on a card.

use super::operation::Operation;
use super::values::{floats, write};
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, Layout, Result, bail};
use ndarray::ArrayView2;

/// `out = x * weight^T`, summed in f32, for x `[rows, depth]` and weight `[columns, depth]` of the same element as out.
#[derive(Debug, Clone, Copy)]
pub struct Product;

impl Operation<2> for Product {
    fn name(&self) -> &'static str {
        "hearken-product"
    }

    fn cpu_fwd(&self, out: &mut CpuStorage, layout: &Layout, [x, weight]: [(&CpuStorage, &Layout); 2]) -> Result<()> {
        let (a, b) = (floats(x.0, x.1)?, floats(weight.0, weight.1)?);
        let a = ArrayView2::from_shape(x.1.shape().dims2()?, &a).map_err(candle_core::Error::wrap)?;
        let b = ArrayView2::from_shape(weight.1.shape().dims2()?, &b).map_err(candle_core::Error::wrap)?;
        if a.ncols() != b.ncols() {
            bail!("a product of {:?} and the transpose of {:?} is not possible", a.dim(), b.dim());
        }
        let product = a.dot(&b.t());
        write(out, layout, product.as_standard_layout().as_slice().unwrap_or_default())
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(&self, out: &mut CudaStorage, layout: &Layout, [x, weight]: [(&CudaStorage, &Layout); 2]) -> Result<()> {
        use candle_core::DType;
        use candle_core::backend::BackendStorage as _;
        use half::{bf16, f16};
        let sizes = sizes(layout, x.1, weight.1)?;
        match out.dtype() {
            DType::F16 => multiply(out, layout, x, weight, sizes, [f16::ONE, f16::ZERO]),
            DType::BF16 => multiply(out, layout, x, weight, sizes, [bf16::ONE, bf16::ZERO]),
            DType::F32 => multiply(out, layout, x, weight, sizes, [1.0f32, 0.0]),
            other => bail!("no product of {other:?}"),
        }
    }
}

/// Rows, columns and depth, as cuBLAS takes them.
#[cfg(feature = "cuda")]
fn sizes(out: &Layout, x: &Layout, weight: &Layout) -> Result<[i32; 3]> {
    let ((rows, columns), (height, depth)) = (out.shape().dims2()?, x.shape().dims2()?);
    if weight.shape().dims2()? != (columns, depth) || height != rows {
        bail!("a product of {:?} and the transpose of {:?} does not fit into {:?}", x.shape(), weight.shape(), out.shape());
    }
    match [rows, columns, depth].map(i32::try_from) {
        [Ok(rows), Ok(columns), Ok(depth)] => Ok([rows, columns, depth]),
        _ => bail!("a product of {rows} x {depth} by {columns} is too large"),
    }
}

/// cuBLAS has matrices by columns: what we call `out` is its transpose there, `weight * x^T`.
#[cfg(feature = "cuda")]
fn multiply<T>(
    out: &mut CudaStorage,
    layout: &Layout,
    x: (&CudaStorage, &Layout),
    weight: (&CudaStorage, &Layout),
    [rows, columns, depth]: [i32; 3],
    [alpha, beta]: [T; 2],
) -> Result<()>
where
    T: candle_core::cuda_backend::CudaDType + candle_core::cuda_backend::cudarc::driver::DeviceRepr,
    candle_core::cuda_backend::cudarc::cublas::CudaBlas: candle_core::cuda_backend::cudarc::cublas::Gemm<T>,
{
    use crate::backend::contiguous::{outside, range};
    use candle_core::cuda_backend::WrapErr as _;
    use candle_core::cuda_backend::cudarc::cublas::sys::cublasOperation_t::{CUBLAS_OP_N, CUBLAS_OP_T};
    use candle_core::cuda_backend::cudarc::cublas::{Gemm as _, GemmConfig};
    let blas = out.device.cublas_handle();
    let x = x.0.as_cuda_slice::<T>()?.try_slice(range(x.1)?).ok_or_else(outside)?;
    let weight = weight.0.as_cuda_slice::<T>()?.try_slice(range(weight.1)?).ok_or_else(outside)?;
    let mut out = out.as_cuda_slice_mut::<T>()?.try_slice_mut(range(layout)?).ok_or_else(outside)?;
    let config = GemmConfig {
        transa: CUBLAS_OP_T,
        transb: CUBLAS_OP_N,
        m: columns,
        n: rows,
        k: depth,
        alpha,
        lda: depth,
        ldb: depth,
        beta,
        ldc: columns,
    };
    #[expect(unsafe_code, reason = "the sizes are those of the tensors")]
    // SAFETY: `sizes` has compared them.
    unsafe { blas.gemm(config, &weight, &x, &mut out) }.w()
}
