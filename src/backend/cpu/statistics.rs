//! Mean and standard deviation of every channel that a product of the encoder reads, over the tokens of some messages.

use super::forward::Observer;
use super::{CpuRunner, Precision};
use crate::backend::{ComputeError, Cores, PrepareError, Runner};
use crate::batch::PackedBatch;
use crate::model::LoadedModel;
use crate::text::Encoded;
use candle_core::{Device, Tensor};
use hearken_kernels::{Element, best};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Which product of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Site {
    /// Queries, keys and values.
    Qkv,
    /// Output of the attention.
    Output,
    /// First half of the feed-forward layer.
    Up,
    /// Second half of the feed-forward layer.
    Down,
}

impl Site {
    fn name(self) -> &'static str {
        match self {
            Self::Qkv => "qkv",
            Self::Output => "output",
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// Name of the tensor of means.
    pub fn mean(self, layer: usize) -> String {
        format!("layer.{layer}.{}.mean", self.name())
    }

    /// Name of the tensor of standard deviations.
    pub fn deviation(self, layer: usize) -> String {
        format!("layer.{layer}.{}.deviation", self.name())
    }
}

/// Sum and sum of squares of each channel.
type Sums = Vec<(f64, f64)>;

/// Measures the channels of a model on messages, in f32: tensors for [`write_channels`](crate::model::write_channels).
///
/// # Errors
/// When the model cannot be prepared or a message not be encoded.
pub fn measure_channels(model: &LoadedModel, messages: &[Encoded]) -> Result<HashMap<String, Tensor>, MeasureError> {
    let mut runner = CpuRunner::new(model, best(), Precision::uniform(Element::F32), 1)?;
    let sums: Arc<Mutex<BTreeMap<(usize, Site), Sums>>> = Arc::default();
    let shared = Arc::clone(&sums);
    runner.observe(Observer::new(move |layer, site, values, width| {
        let mut sums = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let sums = sums.entry((layer, site)).or_insert_with(|| vec![(0.0, 0.0); width]);
        for row in values.chunks_exact(width) {
            for ((sum, squares), x) in sums.iter_mut().zip(row) {
                *sum += f64::from(*x);
                *squares += f64::from(*x) * f64::from(*x);
            }
        }
    }));
    let mut tokens = 0usize;
    for message in messages {
        runner.encode(&PackedBatch::new([message]), Cores::One)?;
        tokens += message.ids.len();
    }
    let sums = sums.lock().unwrap_or_else(PoisonError::into_inner);
    let mut tensors = HashMap::new();
    for (&(layer, site), sums) in sums.iter() {
        let (mean, deviation): (Vec<f32>, Vec<f32>) = sums.iter().map(|&(sum, squares)| moments(sum, squares, tokens)).unzip();
        tensors.insert(site.mean(layer), Tensor::new(mean, &Device::Cpu)?);
        tensors.insert(site.deviation(layer), Tensor::new(deviation, &Device::Cpu)?);
    }
    Ok(tensors)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "a number of tokens; moments of f32 values")]
fn moments(sum: f64, squares: f64, count: usize) -> (f32, f32) {
    let mean = sum / count.max(1) as f64;
    (mean as f32, (squares / count.max(1) as f64 - mean * mean).max(0.0).sqrt() as f32)
}

/// Why channels could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The model.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// A message.
    #[error(transparent)]
    Compute(#[from] ComputeError),
    /// A tensor.
    #[error("a tensor could not be made: {0}")]
    Tensor(#[from] candle_core::Error),
}
