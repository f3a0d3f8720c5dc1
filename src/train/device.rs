//! Where the encoder learns.

use crate::backend::candle::NetworkShape;
use crate::backend::training::{GraphEncoder, LearningEncoder, TrainingEncoder};
use crate::backend::{Backend as _, cores, cpu, cuda};
use crate::model::Architecture;
use candle_core::{DType, Device, Result, bail};
use std::str::FromStr;

/// A device that trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TrainingDevice {
    /// The processor: our kernels, or candle for encoders that they do not run.
    #[default]
    Cpu,
    /// candle's graph on the processor, in f32: what the others are compared with.
    Candle,
    /// The first NVIDIA card, in bf16; the weights that are kept, the losses and the optimiser stay on the processor, in f32.
    Cuda,
}

impl FromStr for TrainingDevice {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "candle" => Ok(Self::Candle),
            "cuda" => Ok(Self::Cuda),
            other => Err(format!("`{other}` does not train; choose cpu, cuda or candle")),
        }
    }
}

impl TrainingDevice {
    /// An encoder that learns here; nothing where it is to be part of the graph of heads and losses.
    ///
    /// # Errors
    /// When a thread cannot be started, or there is no card, or the card does not train such an encoder.
    pub fn encoder(self, shape: &NetworkShape) -> Result<Option<Box<dyn LearningEncoder>>> {
        let (config, pooling) = (&shape.encoder, shape.pooling);
        let bert = config.architecture == Architecture::Bert;
        match self {
            Self::Cpu if cpu::supports(config).is_ok() => Ok(Some(Box::new(TrainingEncoder::new(config, pooling, cores())?))),
            Self::Candle if bert => Ok(Some(Box::new(GraphEncoder::new(config, pooling, Device::Cpu, DType::F32)))),
            Self::Cpu | Self::Candle => Ok(None),
            Self::Cuda if bert => {
                cuda::Cuda.check().map_err(candle_core::Error::wrap)?;
                Ok(Some(Box::new(GraphEncoder::new(config, pooling, cuda::device()?, DType::BF16))))
            }
            Self::Cuda => bail!("a card trains encoders of BERT's kind, not `{}`; use --device cpu", config.model_type),
        }
    }
}
