//! The shipped backend: the encoder on this project's own kernels, weights packed at load, ragged batches without padding.

mod forward;
mod network;
mod precision;
mod smoothing;
mod statistics;

pub use precision::Precision;
pub use statistics::{MeasureError, measure_channels};

use super::{Backend, BatchLogits, ComputeError, Cores, Options, PrepareError, Runner, Unavailable};
use crate::batch::{BatchLimits, PackedBatch};
use crate::model::{Architecture, EncoderConfig, LoadedModel};
use forward::{Observer, Scratch};
use hearken_kernels::{Kernels, Team, best};
use ndarray::Array2;
use network::Network;
use std::sync::{Arc, Mutex, TryLockError};

/// Rows of a batch, of one token at least.
const BATCH_ROWS: usize = 256;
/// Tokens of a batch: enough to read each weight for many rows. 256 would do 1 % more messages a second, and each would be under way for
/// more than twice the time.
const BATCH_TOKENS: usize = 96;

/// The processor, through the best kernels it runs.
#[derive(Debug)]
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn check(&self) -> Result<(), Unavailable> {
        Ok(())
    }

    fn supports(&self, config: &EncoderConfig) -> Result<(), PrepareError> {
        supports(config)
    }

    fn prepare(&self, model: &LoadedModel, options: Options) -> Result<Box<dyn Runner>, PrepareError> {
        Ok(Box::new(CpuRunner::new(model, best(), Precision::of(best()), options.cores)?))
    }
}

/// Whether the kernels can run an encoder of this shape.
///
/// # Errors
/// When it is not BERT's, or its attention heads have a width that the kernels do not take.
pub fn supports(config: &EncoderConfig) -> Result<(), PrepareError> {
    if config.architecture != Architecture::Bert {
        let detail = format!("the kernels run encoders of BERT's kind, not `{}`; use --device candle for this model", config.model_type);
        return Err(PrepareError::Device(detail));
    }
    let head_dim = config.head_dim();
    if head_dim.is_multiple_of(8) {
        return Ok(());
    }
    let detail = format!("attention heads are {head_dim} wide, not a multiple of 8; use --device candle for this model");
    Err(PrepareError::Device(detail))
}

/// A runner of this backend, for those who choose kernels and precision themselves.
pub struct CpuRunner {
    network: Arc<Network>,
    kernels: &'static Kernels,
    precision: Precision,
    max_tokens: usize,
    alone: Team,
    /// Every core, shared by all runners of a model; whoever finds it taken works alone.
    crew: Arc<Mutex<Team>>,
    scratch: Scratch,
}

impl CpuRunner {
    /// Packs a model for some kernels; `cores` work together on a message that has the machine to itself.
    ///
    /// # Errors
    /// When the weights do not fit or a thread cannot be started.
    pub fn new(model: &LoadedModel, kernels: &'static Kernels, precision: Precision, cores: usize) -> Result<Self, PrepareError> {
        supports(&model.config)?;
        let network = Network::pack(model, precision)?;
        let crew = Team::of(cores).map_err(|error| PrepareError::Device(format!("a thread cannot be started: {error}")))?;
        tracing::debug!(kernels = kernels.name, precision = precision.describe(), bytes = network.bytes(), "packed the model");
        Ok(Self {
            network: Arc::new(network),
            kernels,
            precision,
            max_tokens: model.manifest.max_tokens,
            alone: Team::alone(),
            crew: Arc::new(Mutex::new(crew)),
            scratch: Scratch::default(),
        })
    }

    /// Calls the observer with the input of every product from now on.
    fn observe(&mut self, observer: Observer) {
        self.scratch.observer = Some(observer);
    }

    fn forward(&mut self, batch: &PackedBatch, cores: Cores) -> Result<(), ComputeError> {
        let Self { network, kernels, alone, crew, scratch, .. } = self;
        let crew = match (cores, crew.try_lock()) {
            (Cores::One, _) | (Cores::All, Err(TryLockError::WouldBlock)) => None,
            (Cores::All, Ok(crew)) => Some(crew),
            // Whoever panicked has taken its batch along, not the team.
            (Cores::All, Err(TryLockError::Poisoned(poisoned))) => Some(poisoned.into_inner()),
        };
        match crew {
            Some(mut crew) => scratch.forward(network, kernels, &mut crew, batch),
            None => scratch.forward(network, kernels, alone, batch),
        }
    }
}

impl Runner for CpuRunner {
    fn limits(&self) -> BatchLimits {
        BatchLimits { rows: BATCH_ROWS, tokens: BATCH_TOKENS }
    }

    fn precision(&self) -> String {
        self.precision.describe()
    }

    fn another(&self) -> Result<Box<dyn Runner>, PrepareError> {
        Ok(Box::new(Self {
            network: Arc::clone(&self.network),
            kernels: self.kernels,
            precision: self.precision,
            max_tokens: self.max_tokens,
            alone: Team::alone(),
            crew: Arc::clone(&self.crew),
            scratch: Scratch::default(),
        }))
    }

    fn run(&mut self, batch: &PackedBatch, cores: Cores) -> Result<BatchLogits, ComputeError> {
        self.forward(batch, cores)?;
        Ok(self.scratch.heads(&self.network, self.kernels, batch))
    }

    fn encode(&mut self, batch: &PackedBatch, cores: Cores) -> Result<Array2<f32>, ComputeError> {
        self.forward(batch, cores)?;
        let shape = (batch.rows(), self.network.config.hidden_size);
        Array2::from_shape_vec(shape, self.scratch.pooled().to_vec()).map_err(|error| ComputeError(error.to_string()))
    }
}
