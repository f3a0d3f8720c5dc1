//! Batches through passes.

use super::bert::{Bert, beyond_the_kernels};
use super::bucket::Bucket;
use super::stage::{MainMemory, Stage};
use super::workspace::Workspace;
use crate::backend::{BatchLogits, ComputeError, Cores, HeadKind, HeadLogits, Level, PrepareError, Runner, check_indices};
use crate::batch::{BatchLimits, PackedBatch};
use crate::model::LoadedModel;
use candle_core::{DType, Device, Result, bail};
use ndarray::{Array2, ArrayView1, ArrayView2, s};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;

/// A runner of the fused encoder: on a card its kernels, in main memory their twins.
pub struct FusedRunner {
    network: Bert,
    device: Device,
    stage: Box<dyn Stage>,
    whole: Workspace,
    parts: HashMap<Bucket, Workspace>,
    head_bias: Vec<f32>,
    /// Whether every bucket was run before the first batch came.
    ready: bool,
}

impl FusedRunner {
    /// Brings a model to a device, the encoder in `dtype`.
    ///
    /// # Errors
    /// When the weights do not fit or the device fails.
    pub fn new(model: &LoadedModel, dtype: DType, device: &Device) -> std::result::Result<Self, PrepareError> {
        let failed = |error: candle_core::Error| PrepareError::Device(error.to_string());
        if let Some(reason) = beyond_the_kernels(&model.config) {
            return Err(PrepareError::Device(format!("the kernels do not run this encoder: {reason}")));
        }
        let network = Bert::load(model, dtype, device).map_err(failed)?;
        Self::with(network, device.clone()).map_err(failed)
    }

    fn with(network: Bert, device: Device) -> Result<Self> {
        let whole = network.workspace(Bucket::LARGEST, &device)?;
        let stage = stage(&device, whole.vectors.elem_count().max(whole.logits.elem_count()))?;
        let head_bias = network.head_bias()?;
        Ok(Self { network, device, stage, whole, parts: HashMap::new(), head_bias, ready: false })
    }

    /// Runs every bucket once, so that nothing is left to load or to record when the first batch comes.
    ///
    /// # Errors
    /// When the device fails.
    pub fn ready(mut self) -> std::result::Result<Self, PrepareError> {
        for bucket in Bucket::all() {
            self.pass(bucket, &PackedBatch::default()).map_err(|error| PrepareError::Device(error.to_string()))?;
        }
        self.ready = true;
        Ok(self)
    }

    /// A pass over a batch that fits into `bucket`.
    fn pass(&mut self, bucket: Bucket, batch: &PackedBatch) -> Result<()> {
        let at = match self.parts.entry(bucket) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(self.whole.part(bucket)?),
        };
        self.stage.pass(&self.network, at, &mut |input| bucket.fill(batch, input))
    }

    /// Runs a batch in as many passes as it needs; `read` gets what a pass left, and the rows that it was of.
    fn passes<T>(
        &mut self,
        batch: &PackedBatch,
        mut read: impl FnMut(&mut Self, Bucket, &PackedBatch) -> Result<T>,
    ) -> std::result::Result<Vec<T>, ComputeError> {
        self.check(batch)?;
        let mut results = Vec::new();
        for rows in portions(batch) {
            let part = batch.slice(rows);
            let bucket = Bucket::of(&part).ok_or_else(|| ComputeError(format!("a row of {} tokens has no room", part.tokens())))?;
            let result = self.pass(bucket, &part).and_then(|()| read(self, bucket, &part));
            results.push(result.map_err(|error| ComputeError(error.to_string()))?);
        }
        Ok(results)
    }

    /// The logits that the last pass left, with their bias.
    fn logits(&mut self, bucket: Bucket, batch: &PackedBatch) -> Result<BatchLogits> {
        let Some(at) = self.parts.get(&bucket) else { bail!("no pass was run") };
        // The tokens behind the rows, and the rows that are not there, are left where they are.
        let end = bucket.tokens + batch.rows();
        let classes = self.head_bias.len();
        let values = self.stage.fetch(&at.logits.narrow(0, 0, end)?)?;
        let all = ArrayView2::from_shape((end, classes), values).map_err(candle_core::Error::wrap)?;
        let head = |(kind, columns): &(HeadKind, Range<usize>)| {
            let rows = match kind.level() {
                Level::Token => 0..batch.tokens(),
                Level::Message => bucket.tokens..end,
            };
            let bias = self.head_bias.get(columns.clone()).unwrap_or_default();
            HeadLogits { kind: *kind, values: &all.slice(s![rows, columns.clone()]) + &ArrayView1::from(bias) }
        };
        let heads = self.network.kinds().iter().map(head).collect();
        Ok(BatchLogits { heads, ranges: batch.ranges().collect() })
    }

    /// The rows' vectors that the last pass left.
    fn vectors(&mut self, bucket: Bucket, batch: &PackedBatch) -> Result<Vec<f32>> {
        let Some(at) = self.parts.get(&bucket) else { bail!("no pass was run") };
        Ok(self.stage.fetch(&at.vectors.narrow(0, bucket.tokens, batch.rows())?)?.to_vec())
    }

    fn check(&self, batch: &PackedBatch) -> std::result::Result<(), ComputeError> {
        let config = self.network.config();
        check_indices("token id", &batch.ids, config.vocab_size)?;
        check_indices("segment", &batch.segments, config.type_vocab_size)?;
        let longest = batch.ranges().map(|range| range.len()).max().unwrap_or(0);
        if longest > config.max_position_embeddings {
            return Err(ComputeError(format!("a row of {longest} tokens is beyond the model's {}", config.max_position_embeddings)));
        }
        Ok(())
    }
}

/// The ranges of rows that fit into the largest bucket together.
fn portions(batch: &PackedBatch) -> Vec<Range<usize>> {
    let mut portions = Vec::new();
    let (mut first, mut tokens) = (0, 0);
    for (row, range) in batch.ranges().enumerate() {
        if row > first && !Bucket::LARGEST.takes(tokens + range.len(), row + 1 - first) {
            portions.push(first..row);
            (first, tokens) = (row, 0);
        }
        tokens += range.len();
    }
    portions.push(first..batch.rows());
    portions
}

/// Where passes on a device run.
fn stage(device: &Device, output: usize) -> Result<Box<dyn Stage>> {
    match device {
        Device::Cpu => Ok(Box::new(MainMemory::default())),
        #[cfg(feature = "cuda")]
        Device::Cuda(device) => Ok(Box::new(super::card::Card::new(device, output)?)),
        _ => bail!("no pass of {output} results on {:?}", device.location()),
    }
}

impl Runner for FusedRunner {
    fn limits(&self) -> BatchLimits {
        BatchLimits { rows: Bucket::LARGEST.rows(), tokens: Bucket::LARGEST.tokens }
    }

    fn precision(&self) -> String {
        format!("{} with sums in f32", self.network.dtype().as_str())
    }

    fn another(&self) -> std::result::Result<Box<dyn Runner>, PrepareError> {
        // A stream of its own, so that two batches can be on their way; and weights of its own, since candle's tensors belong to a stream.
        let another = || {
            let device = if self.device.is_cpu() { Device::Cpu } else { super::device()? };
            Self::with(self.network.on(&device)?, device)
        };
        let runner = another().map_err(|error| PrepareError::Device(error.to_string()))?;
        Ok(Box::new(if self.ready { runner.ready()? } else { runner }))
    }

    fn run(&mut self, batch: &PackedBatch, _cores: Cores) -> std::result::Result<BatchLogits, ComputeError> {
        BatchLogits::stacked(self.passes(batch, Self::logits)?)
    }

    fn encode(&mut self, batch: &PackedBatch, _cores: Cores) -> std::result::Result<Array2<f32>, ComputeError> {
        let vectors = self.passes(batch, Self::vectors)?.concat();
        Array2::from_shape_vec((batch.rows(), self.network.config().hidden_size), vectors).map_err(|error| ComputeError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Encoded;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_batch_beyond_every_bucket_goes_in_parts_that_fit(lengths in prop::collection::vec(prop_oneof![1usize..4, 1usize..512], 1..2500)) {
            let row = |length: &usize| Encoded { ids: vec![7; *length], segments: vec![0; *length], words: Vec::new(), truncated: false };
            let batch = PackedBatch::new(&lengths.iter().map(row).collect::<Vec<_>>());
            let portions = portions(&batch);
            prop_assert_eq!(portions.iter().cloned().flatten().collect::<Vec<_>>(), (0..lengths.len()).collect::<Vec<_>>());
            for rows in portions {
                let part = batch.slice(rows.clone());
                prop_assert_eq!(part.ranges().map(|range| range.len()).collect::<Vec<_>>(), lengths[rows].to_vec());
                prop_assert!(Bucket::of(&part).is_some());
            }
        }
    }
}
