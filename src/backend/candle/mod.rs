//! The reference: the encoder on candle in f32, one row at a time, and the graph that training differentiates.

mod deberta;
mod dropout;
mod encoder;
mod fused;
mod modernbert;
mod mpnet;
mod network;
mod ops;
mod stock;
mod update;

pub use dropout::Dropout;
pub use fused::Fused;
pub use network::{Network, NetworkShape, Output};
pub use ops::Ops;
pub use stock::Stock;
pub use update::{Moments, update};

use super::{Backend, BatchLogits, ComputeError, Cores, HeadKind, HeadLogits, Level, Options, PrepareError, Runner, Unavailable};
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

    fn check(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    fn prepare(&self, model: &LoadedModel, _options: Options) -> Result<Box<dyn Runner>, PrepareError> {
        let shape = NetworkShape::of(model);
        let mut load = |name: &str, size: &[usize]| model.tensor(name, size, &Device::Cpu).map_err(candle_core::Error::wrap);
        let network = Network::load(&shape, &mut load).map_err(|error| PrepareError::Device(error.to_string()))?;
        Ok(Box::new(CandleRunner { network: Arc::new(network), max_tokens: model.manifest.max_tokens }))
    }
}

struct CandleRunner {
    network: Arc<Network>,
    max_tokens: usize,
}

impl Runner for CandleRunner {
    fn limits(&self) -> BatchLimits {
        BatchLimits { rows: 32, tokens: 32 * self.max_tokens }
    }

    fn another(&self) -> Box<dyn Runner> {
        Box::new(Self { network: Arc::clone(&self.network), max_tokens: self.max_tokens })
    }

    fn run(&mut self, batch: &PackedBatch, _cores: Cores) -> Result<BatchLogits, ComputeError> {
        // One row at a time: a matrix product may sum in another order when it has more rows, and no customer's answer may
        // depend on who shares the batch.
        let rows = (0..batch.rows()).map(|row| self.network.logits(&batch.row(row), &Stock)).collect::<candle_core::Result<Vec<_>>>();
        let rows = rows.map_err(|error| ComputeError(error.to_string()))?;
        stack(&rows, batch)
    }

    fn encode(&mut self, batch: &PackedBatch, _cores: Cores) -> Result<Array2<f32>, ComputeError> {
        let vector = |row| -> candle_core::Result<Vec<f32>> {
            self.network.forward(&batch.row(row), &Stock, &mut Dropout::none())?.pooled.flatten_all()?.to_vec1()
        };
        let rows =
            (0..batch.rows()).map(vector).collect::<candle_core::Result<Vec<_>>>().map_err(|error| ComputeError(error.to_string()))?;
        let hidden = rows.first().map_or(0, Vec::len);
        Array2::from_shape_vec((rows.len(), hidden), rows.concat()).map_err(|error| ComputeError(error.to_string()))
    }

    fn precision(&self) -> String {
        "f32".to_owned()
    }
}

/// Puts the logits of single rows below each other.
fn stack(rows: &[BatchLogits], batch: &PackedBatch) -> Result<BatchLogits, ComputeError> {
    let kinds: Vec<HeadKind> = rows.first().map(|row| row.heads.iter().map(|head| head.kind).collect()).unwrap_or_default();
    let heads = kinds
        .into_iter()
        .map(|kind| {
            let parts: Vec<_> =
                rows.iter().flat_map(|row| &row.heads).filter(|head| head.kind == kind).map(|head| head.values.view()).collect();
            let values = ndarray::concatenate(ndarray::Axis(0), &parts).map_err(|error| ComputeError(error.to_string()))?;
            Ok(HeadLogits { kind, values })
        })
        .collect::<Result<_, ComputeError>>()?;
    Ok(BatchLogits { heads, ranges: batch.ranges().collect() })
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
