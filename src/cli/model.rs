//! `hearken model`: work on model directories.

use super::load;
use crate::backend::cpu::measure_channels;
use crate::data::{DataDirectory, Split};
use crate::model::{LoadedModel, write_channels};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

/// Commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Measure where a model's activations lie, so that its int8 products lose less
    Calibrate(CalibrateArgs),
}

/// Arguments of `model calibrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Writes channels.safetensors into the model's directory and its checksum into hearken.toml, which loses its comments. `hearken train` does
this by itself. A model from elsewhere works without; with it, its int8 answers are closer to those in f32. Some hundred messages like those
it will see are enough.

Example:
  hearken model calibrate my-shop --data my-shop-data")]
pub struct CalibrateArgs {
    /// Name below models/, or directory, of the model
    model: String,
    /// Data directory whose train split is used
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Messages to use at most
    #[arg(long, default_value = "512")]
    messages: NonZeroUsize,
}

impl ModelCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Calibrate(args) => args.run(),
        }
    }
}

impl CalibrateArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let directory = load::model_directory(&self.model);
        let model = LoadedModel::open(&directory).with_context(|| format!("model `{}` cannot be opened", self.model))?;
        let rows = DataDirectory::new(&self.data).read(Split::Train)?;
        anyhow::ensure!(!rows.is_empty(), "`{}` has no message in its train split", self.data.display());
        let every = rows.len().div_ceil(self.messages.get());
        let messages = rows
            .iter()
            .step_by(every)
            .map(|row| model.text.encode(&row.text, row.context.iter().map(|turn| &turn.text)))
            .collect::<Result<Vec<_>, _>>()?;
        let channels = measure_channels(&model, &messages)?;
        write_channels(&directory, &channels).with_context(|| format!("`{}` cannot be written", directory.display()))?;
        LoadedModel::open(&directory).context("the model does not load with its measured channels")?;
        println!("measured the channels of {} on {} messages", model.id(), messages.len());
        Ok(ExitCode::SUCCESS)
    }
}
