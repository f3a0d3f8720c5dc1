//! A model by name, at work: what several commands need first.

use super::device;
use crate::backend::{self, Backend};
use crate::engine::{Engine, EngineOptions, WaitLimits};
use crate::model::LoadedModel;
use crate::policy::{Policy, PolicyFile};
use anyhow::Context as _;
use std::path::{Path, PathBuf};

/// The directory of a model: a path, or a name below `models/`.
#[must_use]
pub fn model_directory(name: &str) -> PathBuf {
    let path = PathBuf::from(name);
    if path.is_dir() || name.contains(['/', '\\']) { path } else { Path::new("models").join(name) }
}

/// Refuses an output directory that holds anything, unless forced.
///
/// # Errors
/// When it does.
pub fn check_fresh(out: &Path, force: bool) -> anyhow::Result<()> {
    let occupied = out.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    anyhow::ensure!(force || !occupied, "`{}` is not empty; use --force to write over what is there", out.display());
    Ok(())
}

/// Opens a model and starts an engine on it.
///
/// # Errors
/// When the model or the backend cannot be used.
pub fn engine(model: &str, device: &str, workers: usize, waiting: WaitLimits) -> anyhow::Result<Engine> {
    let directory = model_directory(model);
    let model = LoadedModel::open(&directory).with_context(|| format!("model `{model}` cannot be opened"))?;
    let backend = device::choose(device, &model)?;
    start(model, backend, workers, waiting)
}

/// Starts an engine on a model and a backend; 0 workers are as many as the backend likes.
///
/// # Errors
/// When the backend cannot run the model.
pub fn start(model: LoadedModel, backend: &'static dyn Backend, workers: usize, waiting: WaitLimits) -> anyhow::Result<Engine> {
    let all = backend::cores();
    // As many together as at once; a single worker has the machine to itself.
    let (workers, cores) = match workers {
        0 => (backend.workers(), all),
        1 => (1, all),
        workers => (workers, workers.min(all)),
    };
    Ok(Engine::start(model, backend, EngineOptions { workers, cores, waiting })?)
}

/// The policy of a file, or the built-in one.
///
/// # Errors
/// When the file cannot be read or is wrong.
pub fn policy(file: Option<&Path>) -> anyhow::Result<Policy> {
    let Some(file) = file else { return Ok(Policy::new("default", PolicyFile::default())) };
    let text = std::fs::read_to_string(file).with_context(|| format!("policy file `{}` cannot be read", file.display()))?;
    let parsed = PolicyFile::parse(&text).with_context(|| format!("policy file `{}`", file.display()))?;
    Ok(Policy::new(&Policy::name_of(file), parsed))
}
