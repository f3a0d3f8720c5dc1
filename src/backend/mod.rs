//! How do token ids become logits, on this device? A backend prepares a model once and gives runners that work on ragged batches.

mod contiguous;
mod logits;

pub mod candle;
pub mod cpu;
pub mod cuda;
pub mod training;

pub use logits::{BatchLogits, HeadKind, HeadLogits, Level};

use crate::batch::{BatchLimits, PackedBatch};
use crate::model::{EncoderConfig, LoadedModel};
use ndarray::Array2;

/// The device or instruction set that a backend needs is not here.
#[derive(Debug, thiserror::Error)]
#[error("backend `{backend}` is not available: {reason}")]
pub struct Unavailable {
    /// The backend.
    pub backend: &'static str,
    /// What is missing, and the way out.
    pub reason: String,
}

/// A model could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The model's files.
    #[error(transparent)]
    Model(#[from] crate::model::ModelError),
    /// The device.
    #[error("the backend failed to prepare the model: {0}")]
    Device(String),
}

/// A run failed; nothing of the batch has an answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the backend failed on a batch: {0}")]
pub struct ComputeError(pub String);

/// How many cores one run may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    /// The calling thread's: every other core has work of its own.
    One,
    /// All of them, for the shortest time: nothing else waits.
    All,
}

/// How a model is prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Cores that may work together on one run.
    pub cores: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { cores: cores() }
    }
}

/// Cores this process may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A way to compute.
pub trait Backend: Sync {
    /// Name, as `--device` takes it.
    fn name(&self) -> &'static str;

    /// Whether it can work here.
    ///
    /// # Errors
    /// When something it needs is missing.
    fn check(&self) -> Result<(), Unavailable>;

    /// Whether only who names it gets it: it is there for comparison, or nobody has tried it yet.
    fn by_name_only(&self) -> bool {
        false
    }

    /// The device it works on, in words.
    fn device(&self) -> String {
        format!("{} cores, {}", cores(), hearken_kernels::chosen())
    }

    /// Bytes in use on a device with memory of its own.
    fn device_bytes(&self) -> Option<u64> {
        None
    }

    /// Runners that keep it busy.
    fn workers(&self) -> usize {
        cores()
    }

    /// Whether it runs an encoder of this shape.
    ///
    /// # Errors
    /// When it does not; the reason names what does.
    fn supports(&self, config: &EncoderConfig) -> Result<(), PrepareError> {
        let _ = config;
        Ok(())
    }

    /// Brings a model into the form this backend computes with.
    ///
    /// # Errors
    /// When the weights do not fit or the device refuses.
    fn prepare(&self, model: &LoadedModel, options: Options) -> Result<Box<dyn Runner>, PrepareError>;
}

/// A prepared model with its scratch memory, owned by one thread.
pub trait Runner: Send {
    /// Most of what [`Runner::run`] may be given.
    fn limits(&self) -> BatchLimits;

    /// What the products are computed in, in a word or a few.
    fn precision(&self) -> String;

    /// A runner for another thread, on the same weights.
    ///
    /// # Errors
    /// When the device has no room for it.
    fn another(&self) -> Result<Box<dyn Runner>, PrepareError>;

    /// Logits of every head for every row. On a processor a row's logits depend neither on the other rows of the batch nor on the number
    /// of cores, bit for bit; on a card, whose products sum in another order for another number of tokens, within rounding.
    ///
    /// # Errors
    /// When the device fails; the batch may be tried again.
    fn run(&mut self, batch: &PackedBatch, cores: Cores) -> Result<BatchLogits, ComputeError>;

    /// Vector of every message, `[rows, hidden]`, without the heads.
    ///
    /// # Errors
    /// As [`Runner::run`].
    fn encode(&mut self, batch: &PackedBatch, cores: Cores) -> Result<Array2<f32>, ComputeError>;
}

/// Every backend, best first.
pub const BACKENDS: &[&dyn Backend] = &[&cpu::Cpu, &cuda::Cuda, &candle::Metal, &candle::CandleCpu];

/// The backend of this name; `auto` is the best that is available.
///
/// # Errors
/// When the name is not known or the backend cannot work here.
pub fn choose(name: &str) -> Result<&'static dyn Backend, Unavailable> {
    if name == "auto" {
        let available = BACKENDS.iter().find(|backend| backend.check().is_ok());
        return available.copied().ok_or(Unavailable { backend: "auto", reason: "no backend can work on this machine".to_owned() });
    }
    let names: Vec<_> = BACKENDS.iter().map(|backend| backend.name()).collect();
    let reason = format!("no backend is called `{name}`; choose auto or {}", names.join(", "));
    let backend = BACKENDS.iter().find(|backend| backend.name() == name).ok_or(Unavailable { backend: "named", reason })?;
    backend.check()?;
    Ok(*backend)
}

/// A runner and others on the same weights, `count` in all.
///
/// # Errors
/// When the device has no room for them.
pub fn crew(first: Box<dyn Runner>, count: usize) -> Result<Vec<Box<dyn Runner>>, PrepareError> {
    let others = (1..count).map(|_| first.another()).collect::<Result<Vec<_>, _>>()?;
    Ok(std::iter::once(first).chain(others).collect())
}

/// The backends that can work here and run this encoder, without those that want to be named, unless there is no other.
#[must_use]
pub fn able(config: &EncoderConfig) -> Vec<&'static dyn Backend> {
    let (named, others): (Vec<_>, Vec<_>) = BACKENDS
        .iter()
        .copied()
        .filter(|backend| backend.check().is_ok() && backend.supports(config).is_ok())
        .partition(|backend| backend.by_name_only());
    if others.is_empty() { named } else { others }
}

/// Refuses a batch whose indices are beyond their table.
fn check_indices(what: &str, indices: &[u32], rows: usize) -> Result<(), ComputeError> {
    match indices.iter().find(|index| **index as usize >= rows) {
        Some(index) => Err(ComputeError(format!("{what} {index} is beyond the model's {rows}"))),
        None => Ok(()),
    }
}
