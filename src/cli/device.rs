//! Which backend `--device` means. `auto` is a question of speed where more than one can run the model: it is measured once, and the
//! answer is kept.

use super::bench::{Bench, Work, Workload};
use crate::backend::{self, Backend, Options};
use crate::model::{EncoderConfig, LoadedModel};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long each backend is measured for `auto`.
const TIME: Duration = Duration::from_millis(700);

/// The backend of a name for a model.
///
/// # Errors
/// When the name is not known, the backend cannot work here, or none runs such an encoder.
pub fn choose(name: &str, model: &LoadedModel) -> anyhow::Result<&'static dyn Backend> {
    if name != "auto" {
        return Ok(backend::choose(name)?);
    }
    let able = backend::able(&model.config);
    let first = *able.first().with_context(|| format!("no backend here runs a `{}` encoder", model.config.model_type))?;
    if able.len() == 1 {
        return Ok(first);
    }
    let mut measured = Measured::read();
    let key = key(&able, &model.config);
    let speeds = if let Some(speeds) = measured.0.get(&key) {
        speeds.clone()
    } else {
        let speeds = able.iter().map(|backend| Ok((backend.name().to_owned(), speed(*backend, model)?)));
        measured.keep(key, speeds.collect::<anyhow::Result<_>>()?)
    };
    let fastest = fastest(&speeds);
    tracing::info!(device = fastest, messages_per_second = ?speeds, "chose the device by its speed");
    Ok(able.into_iter().find(|backend| Some(backend.name()) == fastest).unwrap_or(first))
}

/// Keeps what a longer measurement found, for `auto`.
pub fn keep(able: &[&'static dyn Backend], model: &LoadedModel, speeds: Speeds) {
    Measured::read().keep(key(able, &model.config), speeds);
}

/// Messages a second by backend.
pub type Speeds = BTreeMap<String, f64>;

fn fastest(speeds: &Speeds) -> Option<&str> {
    speeds.iter().max_by(|a, b| a.1.total_cmp(b.1)).map(|(name, _)| name.as_str())
}

/// What a measurement depends on: the version, the devices and the encoder.
fn key(able: &[&'static dyn Backend], config: &EncoderConfig) -> String {
    let devices: Vec<_> = able.iter().map(|backend| format!("{} ({})", backend.name(), backend.device())).collect();
    let (layers, hidden, inner) = (config.num_hidden_layers, config.hidden_size, config.intermediate_size);
    format!("hearken {}, {}, {} {layers} x {hidden} x {inner}", env!("CARGO_PKG_VERSION"), devices.join(", "), config.model_type)
}

/// Messages a second of the built-in mix, from text to prediction, with as many runners as the backend likes.
#[expect(clippy::cast_precision_loss, reason = "counts")]
fn speed(backend: &'static dyn Backend, model: &LoadedModel) -> anyhow::Result<f64> {
    let workload = Workload::open(None, model)?;
    let first = backend.prepare(model, Options::default())?;
    let batches = workload.batches(first.limits().tokens);
    let mut runners = backend::crew(first, backend.workers())?;
    let bench = Bench::new(model, &workload);
    bench.pass(&mut runners, &batches, Work::TextToPrediction)?; // warm-up
    let (started, mut passes) = (Instant::now(), 0usize);
    while started.elapsed() < TIME {
        bench.pass(&mut runners, &batches, Work::TextToPrediction)?;
        passes += 1;
    }
    Ok(passes as f64 * workload.messages.len() as f64 / started.elapsed().as_secs_f64())
}

/// Every measurement that is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Measured(BTreeMap<String, Speeds>);

impl Measured {
    /// `hearken/devices.json` in the user's folder for what can be made again.
    fn path() -> Option<PathBuf> {
        let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let base = base.or_else(|| std::env::home_dir().map(|home| home.join(".cache")))?;
        Some(base.join("hearken/devices.json"))
    }

    /// What is kept; nothing when it cannot be read, since it can be measured again.
    fn read() -> Self {
        let text = Self::path().and_then(|path| std::fs::read(path).ok());
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// Adds a measurement. One that cannot be written is made again next time.
    fn keep(&mut self, key: String, speeds: Speeds) -> Speeds {
        self.0.insert(key, speeds.clone());
        if let Err(error) = self.write() {
            tracing::debug!(%error, "the measurement cannot be kept");
        }
        speeds
    }

    /// Puts the file in its place whole, since another program may read it.
    fn write(&self) -> anyhow::Result<()> {
        let path = Self::path().context("there is no home")?;
        let folder = path.parent().context("there is no folder")?;
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, self)?;
        file.persist(&path)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fastest_is_chosen_and_the_key_tells_machines_apart() {
        let speeds = |pairs: &[(&str, f64)]| pairs.iter().map(|(name, speed)| ((*name).to_owned(), *speed)).collect::<Speeds>();
        assert_eq!(fastest(&speeds(&[("cpu", 3000.0), ("cuda", 200_000.0)])), Some("cuda"));
        assert_eq!(fastest(&speeds(&[("cpu", 90_000.0), ("cuda", 20_000.0)])), Some("cpu"));
        assert_eq!(fastest(&speeds(&[])), None);
        let model = LoadedModel::open(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/tiny")).unwrap();
        let able = backend::able(&model.config);
        assert!(able.iter().all(|backend| !backend.by_name_only()), "the processor runs it");
        let (alone, both) = (key(&able, &model.config), key(&[&backend::cpu::Cpu, &backend::cuda::Cuda], &model.config));
        assert_ne!(alone, both);
    }
}
