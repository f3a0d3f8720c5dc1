//! The reference: the encoder on candle in f32, one row at a time, and the graph that training differentiates.

mod deberta;
mod dropout;
mod encoder;
mod fused;
mod modernbert;
mod mpnet;
mod network;
mod ops;
mod padded;
mod stock;
mod update;

pub use dropout::Dropout;
pub use fused::Fused;
pub use network::{Network, NetworkShape, Output, Trunk, pool};
pub use ops::Ops;
pub use padded::Padded;
pub use stock::Stock;
pub use update::{Moments, update};

use super::{Backend, BatchLogits, ComputeError, Cores, HeadLogits, Level, Options, PrepareError, Runner, Unavailable};
use crate::batch::{BatchLimits, PackedBatch};
use crate::model::LoadedModel;
use candle_core::Device;
use ndarray::Array2;
use std::sync::Arc;

/// candle on the processor, f32.
#[derive(Debug)]
pub struct CandleCpu;

impl Backend for CandleCpu {
    fn name(&self) -> &'static str {
        "candle"
    }

    fn by_name_only(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    fn prepare(&self, model: &LoadedModel, _options: Options) -> Result<Box<dyn Runner>, PrepareError> {
        Ok(Box::new(CandleRunner::new(model, &Device::Cpu)?))
    }
}

/// candle on Apple's cards, f32. Nobody has run it yet.
#[derive(Debug)]
pub struct Metal;

impl Backend for Metal {
    fn name(&self) -> &'static str {
        "metal"
    }

    fn by_name_only(&self) -> bool {
        true
    }

    fn check(&self) -> Result<(), Unavailable> {
        let reason = "this binary was built without the feature `metal`, or the machine has no such card".to_owned();
        Device::new_metal(0).map(drop).map_err(|_| Unavailable { backend: "metal", reason })
    }

    fn workers(&self) -> usize {
        1
    }

    fn prepare(&self, model: &LoadedModel, _options: Options) -> Result<Box<dyn Runner>, PrepareError> {
        let device = Device::new_metal(0).map_err(|error| PrepareError::Device(error.to_string()))?;
        Ok(Box::new(CandleRunner::new(model, &device)?))
    }
}

/// The network on stock operations, on any device.
pub struct CandleRunner {
    network: Arc<Network>,
    max_tokens: usize,
}

impl CandleRunner {
    /// Brings a model to a device.
    ///
    /// # Errors
    /// When the weights do not fit the model or the device fails.
    pub fn new(model: &LoadedModel, device: &Device) -> Result<Self, PrepareError> {
        let shape = NetworkShape::of(model);
        let mut load = |name: &str, size: &[usize]| model.tensor(name, size, device).map_err(candle_core::Error::wrap);
        let network = Network::load(&shape, &mut load).map_err(|error| PrepareError::Device(error.to_string()))?;
        Ok(Self { network: Arc::new(network), max_tokens: model.manifest.max_tokens })
    }

    /// What `f` gives for each row. One row at a time: a matrix product may sum in another order when it has more rows, and no customer's
    /// answer may depend on who shares the batch.
    fn each<T>(&self, batch: &PackedBatch, f: impl Fn(&Network, &PackedBatch) -> candle_core::Result<T>) -> Result<Vec<T>, ComputeError> {
        let rows = (0..batch.rows()).map(|row| f(&self.network, &batch.slice(row..row + 1))).collect::<candle_core::Result<_>>();
        rows.map_err(|error| ComputeError(error.to_string()))
    }
}

impl Runner for CandleRunner {
    fn limits(&self) -> BatchLimits {
        BatchLimits { rows: 32, tokens: 32 * self.max_tokens }
    }

    fn another(&self) -> Result<Box<dyn Runner>, PrepareError> {
        Ok(Box::new(Self { network: Arc::clone(&self.network), max_tokens: self.max_tokens }))
    }

    fn run(&mut self, batch: &PackedBatch, _cores: Cores) -> Result<BatchLogits, ComputeError> {
        BatchLogits::stacked(self.each(batch, |network, row| network.logits(row, &Stock))?)
    }

    fn encode(&mut self, batch: &PackedBatch, _cores: Cores) -> Result<Array2<f32>, ComputeError> {
        let rows =
            self.each(batch, |network, row| network.forward(row, &Stock, &mut Dropout::none())?.pooled.flatten_all()?.to_vec1::<f32>())?;
        let hidden = rows.first().map_or(0, Vec::len);
        Array2::from_shape_vec((rows.len(), hidden), rows.concat()).map_err(|error| ComputeError(error.to_string()))
    }

    fn precision(&self) -> String {
        "f32".to_owned()
    }
}

impl Network {
    /// Logits of every head, without dropout.
    ///
    /// # Errors
    /// When the device fails.
    pub fn logits(&self, batch: &PackedBatch, ops: &dyn Ops) -> candle_core::Result<BatchLogits> {
        self.head_logits(&self.forward(batch, ops, &mut Dropout::none())?, batch)
    }

    /// Logits of every head from what the encoder gave for `batch`.
    ///
    /// # Errors
    /// When the device fails.
    pub fn head_logits(&self, output: &Output, batch: &PackedBatch) -> candle_core::Result<BatchLogits> {
        let heads = self
            .kinds()
            .map(|kind| {
                let from = match kind.level() {
                    Level::Message => &output.pooled,
                    Level::Token => &output.tokens,
                };
                let logits = self.head(kind, from)?;
                let shape = logits.dims2()?;
                let values = Array2::from_shape_vec(shape, logits.flatten_all()?.to_vec1()?).map_err(candle_core::Error::wrap)?;
                Ok(HeadLogits { kind, values })
            })
            .collect::<candle_core::Result<_>>()?;
        Ok(BatchLogits { heads, ranges: batch.ranges().collect() })
    }
}
