//! What a run needs to go on after it was stopped, in any way, at any time.
//!
//! A checkpoint is written whole under another name and renamed; the one before it stays until then.

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};

const PARAMETERS: &str = "parameters.safetensors";
const MOMENTS: &str = "moments.safetensors";
const AVERAGE: &str = "average.safetensors";

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Hash of data, recipe, seed and base: a checkpoint of another run is refused.
    pub fingerprint: String,
    /// Stage that is running, from 0.
    pub stage: usize,
    /// Epoch of it that is running, from 0.
    pub epoch: u32,
    /// Steps done in it.
    pub step_in_epoch: usize,
    /// Steps done in the stage.
    pub steps: u64,
    /// Best validation score, and the epoch and steps after which it was reached.
    pub best: Option<Best>,
    /// Sum of the losses of this epoch.
    pub loss_sum: f64,
}

impl State {
    /// The begin of a run.
    #[must_use]
    pub fn new(fingerprint: String) -> Self {
        Self { fingerprint, stage: 0, epoch: 0, step_in_epoch: 0, steps: 0, best: None, loss_sum: 0.0 }
    }
}

/// The best weights so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Best {
    /// Validation score.
    pub score: f64,
    /// Epochs done.
    pub epochs: u32,
    /// Steps done.
    pub steps: u64,
    /// Every figure on validation data.
    pub figures: BTreeMap<String, f64>,
}

/// A checkpoint as read.
pub struct Saved {
    /// Where the run stood.
    pub state: State,
    /// Parameters.
    pub parameters: HashMap<String, Tensor>,
    /// Moments of the optimiser.
    pub moments: HashMap<String, Tensor>,
    /// The running mean of the parameters, where there is one.
    pub average: Option<HashMap<String, Tensor>>,
}

/// The checkpoints in an output directory.
pub struct Checkpoints {
    current: PathBuf,
    next: PathBuf,
    best: PathBuf,
}

impl Checkpoints {
    /// Those of the run that writes to `out`.
    #[must_use]
    pub fn of(out: &Path) -> Self {
        let folder = out.join("checkpoint");
        Self { current: folder.join("current"), next: folder.join("next"), best: folder.join("best.safetensors") }
    }

    /// Whether there is anything to go on from.
    #[must_use]
    pub fn exist(&self) -> bool {
        self.current.join("state.json").is_file() || self.next.join("state.json").is_file()
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save(&self, saved: &Saved) -> anyhow::Result<()> {
        if self.next.join("state.json").is_file() {
            self.promote()?; // a run died between writing it and renaming it
        } else if self.next.exists() {
            std::fs::remove_dir_all(&self.next)?;
        }
        std::fs::create_dir_all(&self.next)?;
        let tensors = [(PARAMETERS, Some(&saved.parameters)), (MOMENTS, Some(&saved.moments)), (AVERAGE, saved.average.as_ref())];
        for (file, tensors) in tensors.into_iter().filter_map(|(file, tensors)| Some((file, tensors?))) {
            candle_core::safetensors::save(tensors, self.next.join(file))?;
            std::fs::File::open(self.next.join(file))?.sync_all()?;
        }
        // The state is renamed into place last: a folder with a state is whole.
        let mut file = std::fs::File::create(self.next.join("state.tmp"))?;
        file.write_all(&serde_json::to_vec_pretty(&saved.state)?)?;
        file.sync_all()?;
        std::fs::rename(self.next.join("state.tmp"), self.next.join("state.json"))?;
        std::fs::File::open(&self.next)?.sync_all()?;
        Ok(self.promote()?)
    }

    /// Makes the whole checkpoint in `next` the current one. At every moment one of the two is whole.
    fn promote(&self) -> std::io::Result<()> {
        if self.current.exists() {
            std::fs::remove_dir_all(&self.current)?;
        }
        std::fs::rename(&self.next, &self.current)
    }

    /// Reads the newest whole checkpoint.
    ///
    /// # Errors
    /// When there is none or it cannot be read.
    pub fn load(&self) -> anyhow::Result<Saved> {
        // `next` is whole when the run died between removing `current` and renaming `next`.
        let folder = if self.next.join("state.json").is_file() { &self.next } else { &self.current };
        let state = serde_json::from_slice(&std::fs::read(folder.join("state.json"))?)?;
        let read = |file| candle_core::safetensors::load(folder.join(file), &Device::Cpu);
        let average = folder.join(AVERAGE).is_file().then(|| read(AVERAGE)).transpose()?;
        Ok(Saved { state, parameters: read(PARAMETERS)?, moments: read(MOMENTS)?, average })
    }

    /// Keeps the best weights.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save_best(&self, parameters: &HashMap<String, Tensor>) -> anyhow::Result<()> {
        let temporary = self.best.with_extension("tmp");
        if let Some(folder) = self.best.parent() {
            std::fs::create_dir_all(folder)?;
        }
        candle_core::safetensors::save(parameters, &temporary)?;
        Ok(std::fs::rename(temporary, &self.best)?)
    }

    /// The best weights.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn load_best(&self) -> anyhow::Result<HashMap<String, Tensor>> {
        Ok(candle_core::safetensors::load(&self.best, &Device::Cpu)?)
    }

    /// Removes everything, once the model is written.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn remove(&self) -> std::io::Result<()> {
        match self.current.parent() {
            Some(folder) if folder.exists() => std::fs::remove_dir_all(folder),
            _ => Ok(()),
        }
    }
}
