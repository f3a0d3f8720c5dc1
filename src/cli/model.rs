//! `hearken model`: work on model directories.

use super::load;
use crate::backend::cpu::{self, measure_channels};
use crate::data::{DataDirectory, Split};
use crate::import::translate;
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
    /// Fetch a model from a Hugging Face hub
    #[cfg(feature = "hub")]
    Pull(super::pull::PullArgs),
    /// Translate a foreign checkpoint into a base for training
    Import(ImportArgs),
}

/// Arguments of `model import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reads a checkpoint of BERT, RoBERTa, XLM-R, CamemBERT, DistilBERT, DeBERTa-v2/3 or ModernBERT in Hugging Face layout: config.json, tokenizer.json,
and model.safetensors, its shards, or pytorch_model.bin, which is read as data. Writes the encoder in hearken's names; poolers and heads are
left out, and config.json keeps where it came from. `hearken train --base` does this by itself.

Example:
  hearken model import xlm-roberta-base --out bases/xlm-r
  hearken train --data my-shop --base bases/xlm-r --out models/my-shop")]
pub struct ImportArgs {
    /// Directory of the checkpoint
    source: PathBuf,
    /// Where the base is written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write into --out although it is not empty
    #[arg(long)]
    force: bool,
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
            #[cfg(feature = "hub")]
            Self::Pull(args) => args.run(),
            Self::Import(args) => args.run(),
        }
    }
}

impl ImportArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        load::check_fresh(&self.out, self.force)?;
        let made = translate(&self.source, &self.out).with_context(|| format!("`{}` is not imported", self.source.display()))?;
        let (config, left) = (&made.config, made.left);
        println!(
            "imported a `{}` encoder as `{}`: {} layers, hidden {}, {} tokens; {left} other tensors left out",
            made.from, config.model_type, config.num_hidden_layers, config.hidden_size, config.max_position_embeddings
        );
        if let Err(error) = cpu::supports(config) {
            println!("{error}");
        }
        println!("try: hearken train --data DIR --base {} --out models/NAME", self.out.display());
        Ok(ExitCode::SUCCESS)
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
