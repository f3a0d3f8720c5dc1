//! The encoder on NVIDIA cards: weights that stay there, operations of our own between cuBLAS's products, ragged batches without padding
//! between messages, and passes recorded as graphs, so that a lone message does not wait for sixty launches.
//!
//! A batch is worked on as the next larger of some buckets; tokens behind its rows are in no row, and their results are left
//! on the card. A [`FusedRunner`] has a stream of its own; with several of them batches are prepared and others' answers are made while the
//! card works. What the operations compute is specified by twins that run on a processor: on [`candle_core::Device::Cpu`] the same code runs on them.
//!
//! Encoders that the kernels do not run, cards that do not run the kernels, and `HEARKEN_CUDA_DTYPE=f32` go through plain candle.

mod bert;
mod bucket;
#[cfg(feature = "cuda")]
mod card;
pub mod ops;
mod runner;
mod stage;
mod workspace;

pub use runner::FusedRunner;

use super::candle::CandleRunner;
use super::{Backend, Options, PrepareError, Runner, Unavailable, cores};
use crate::model::LoadedModel;
use candle_core::DType;

/// Names the element that products are computed in: `f16`, `bf16` or `f32`.
const DTYPE: &str = "HEARKEN_CUDA_DTYPE";

/// Most batches on their way at once: each has a thread that prepares it and makes answers of its logits, which takes longer than the card's
/// part in it, and a workspace on the card.
const IN_FLIGHT: usize = 8;

/// The first NVIDIA card; `CUDA_VISIBLE_DEVICES` says which that is.
#[derive(Debug)]
pub struct Cuda;

impl Backend for Cuda {
    fn name(&self) -> &'static str {
        "cuda"
    }

    fn check(&self) -> Result<(), Unavailable> {
        card::present().map_err(|reason| Unavailable { backend: "cuda", reason: reason.to_owned() })
    }

    fn device(&self) -> String {
        card::name()
    }

    fn device_bytes(&self) -> Option<u64> {
        card::bytes()
    }

    fn workers(&self) -> usize {
        cores().clamp(2, IN_FLIGHT)
    }

    fn prepare(&self, model: &LoadedModel, _options: Options) -> Result<Box<dyn Runner>, PrepareError> {
        let failed = |error: candle_core::Error| PrepareError::Device(error.to_string());
        let dtype = dtype()?;
        let device = device().map_err(failed)?;
        if dtype != DType::F32 {
            match FusedRunner::new(model, dtype, &device).and_then(FusedRunner::ready) {
                Ok(runner) => return Ok(Box::new(runner)),
                Err(error) => tracing::warn!(%error, "the encoder runs on plain candle in f32, which is slower"),
            }
        }
        Ok(Box::new(CandleRunner::new(model, &device)?))
    }
}

/// The element that the environment asks for; f16, which is as fast as bf16 and eight times as exact, when it does not.
fn dtype() -> Result<DType, PrepareError> {
    match std::env::var(DTYPE).as_deref() {
        Err(_) | Ok("" | "f16") => Ok(DType::F16),
        Ok("bf16") => Ok(DType::BF16),
        Ok("f32") => Ok(DType::F32),
        Ok(other) => Err(PrepareError::Device(format!("{DTYPE} is `{other}`; it takes f16, bf16 and f32"))),
    }
}

#[cfg(not(feature = "cuda"))]
use without as card;

pub use card::device;

/// A binary without CUDA.
#[cfg(not(feature = "cuda"))]
mod without {
    use candle_core::{Device, Result};

    /// The first card, which such a binary does not reach.
    ///
    /// # Errors
    /// Always.
    pub fn device() -> Result<Device> {
        Device::new_cuda_with_stream(0)
    }

    pub fn present() -> std::result::Result<(), &'static str> {
        Err("this binary was built without CUDA; scripts/build-cuda builds one with it")
    }

    pub fn name() -> String {
        "none".to_owned()
    }

    pub fn bytes() -> Option<u64> {
        None
    }
}
