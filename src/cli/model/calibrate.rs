//! `hearken model calibrate`: what is measured on a finished model: channels on any texts, temperatures and thresholds on labels.

use crate::backend::Options;
use crate::backend::cpu::{measure_channels, supports};
use crate::cli::operating_point;
use crate::cli::{device, load};
use crate::data::{DataDirectory, Example, Split};
use crate::model::{LoadedModel, write_channels, write_heads};
use crate::train::{CalibrationOptions, recalibrate};
use anyhow::{Context as _, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Arguments of `model calibrate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Two things are measured, each where DATA has what it needs, and written into the model's directory (hearken.toml loses its comments):

  channels     where the encoder's activations lie, on messages of train.jsonl: int8 loses less. Labels are not read.
  thresholds   temperatures, what is out of scope, what is too uncertain to answer, which emotions count, on the labels of
               valid.jsonl: messages that the model has not learnt from. Fewer than 20 labels of a head leave it as it is.

`hearken train` does both by itself. This does them again: for a model from elsewhere, for messages of your own, or to trade answers
against mistakes. --out-of-scope-share is that trade for what is out of scope: how much of what customers write it is. A greater share
rejects more and gives up more right answers. --target-precision answers only what is likely enough to be right, for all intents and for each where there is data.

Examples:
  hearken model calibrate my-shop my-shop-data
  hearken model calibrate my-shop my-shop-data --target-precision 0.95
  hearken model calibrate my-shop my-shop-data --only thresholds --out-of-scope-share 0.2 --dry-run")]
pub struct CalibrateArgs {
    /// Name below models/, or directory, of the model
    model: String,
    /// Data directories
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Measure this alone
    #[arg(long)]
    only: Option<Part>,
    /// Split whose labels the thresholds are chosen on; one that the model was trained on makes it too sure of itself
    #[arg(long, default_value_t = Split::Valid)]
    split: Split,
    /// Share of the answers that must be right, such as 0.95 [default: the recipe's, mostly none]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    target_precision: Option<f32>,
    /// Share of all messages that is out of scope, such as 0.1 [default: the recipe's, mostly that of the data]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    out_of_scope_share: Option<f32>,
    /// Messages for the channels, at most
    #[arg(long, default_value = "512")]
    messages: NonZeroUsize,
    /// Backend whose logits the thresholds are for
    #[arg(long, default_value = "auto")]
    device: String,
    /// Show the thresholds and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The channels for int8.
    Channels,
    /// Temperatures and thresholds.
    Thresholds,
}

fn share(text: &str) -> Result<f32, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| format!("`{text}` is not a share; write a number between 0 and 1, such as 0.95"))
}

impl CalibrateArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let directory = load::model_directory(&self.model);
        let with = |split: Split| self.data.iter().map(|path| DataDirectory::new(path)).filter(|data| data.has(split)).collect::<Vec<_>>();
        let (texts, labelled) = (with(Split::Train), with(self.split));
        let wanted = |part| self.only.is_none_or(|only| only == part);
        let mut done = false;
        if wanted(Part::Channels) && !self.dry_run {
            match texts.as_slice() {
                [] => ensure!(self.only.is_none(), "no data directory has a train.jsonl to measure the channels on"),
                texts => done |= self.channels(&directory, texts)?,
            }
        }
        if wanted(Part::Thresholds) {
            if labelled.is_empty() {
                let split = self.split;
                ensure!(
                    self.only.is_none() && done,
                    "no data directory has a {split}.jsonl to choose thresholds on; `hearken data split` makes one"
                );
                println!("no {split}.jsonl: temperatures and thresholds stay as they are");
            } else {
                self.thresholds(&directory, &labelled)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn open(&self, directory: &Path) -> anyhow::Result<LoadedModel> {
        LoadedModel::open(directory).with_context(|| format!("model `{}` cannot be opened", self.model))
    }

    fn channels(&self, directory: &Path, data: &[DataDirectory]) -> anyhow::Result<bool> {
        let model = self.open(directory)?;
        if let Err(error) = supports(&model.config) {
            println!("channels are left out: {error}");
            return Ok(false);
        }
        let rows = read(data, Split::Train)?;
        let messages = rows
            .iter()
            .step_by(rows.len().div_ceil(self.messages.get()))
            .map(|row| model.text.encode(&row.text, row.context.iter().map(|turn| &turn.text)))
            .collect::<Result<Vec<_>, _>>()?;
        let channels = measure_channels(&model, &messages)?;
        write_channels(directory, &channels).with_context(|| format!("`{}` cannot be written", directory.display()))?;
        self.open(directory).context("the model does not load with its measured channels")?;
        println!("measured the channels of {} on {} messages", model.id(), messages.len());
        Ok(true)
    }

    fn thresholds(&self, directory: &Path, data: &[DataDirectory]) -> anyhow::Result<()> {
        let model = self.open(directory)?;
        let examples = read(data, self.split)?;
        let mut runner = device::choose(&self.device, &model)?.prepare(&model, Options::default())?;
        let bar = ProgressBar::new(examples.len() as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} messages, ETA {eta}") {
            bar.set_style(style);
        }
        let options = self.options(&model);
        let heads = recalibrate(&model, runner.as_mut(), &examples, &options, &mut |done| bar.inc(done as u64))?;
        bar.finish_and_clear();
        print!("{}", operating_point::changes(&model.manifest.heads, &heads));
        if let Some(head) = &heads.intent {
            print!("{}", operating_point::text(head));
        }
        if self.dry_run {
            println!("nothing is written");
            return Ok(());
        }
        write_heads(directory, heads).with_context(|| format!("`{}` cannot be written", directory.display()))?;
        self.open(directory).context("the model does not load with its new thresholds")?;
        println!("calibrated {} on {} messages, split {}", model.id(), examples.len(), self.split);
        Ok(())
    }

    /// The flags over what the model was trained for.
    fn options(&self, model: &LoadedModel) -> CalibrationOptions {
        let recipe = model.manifest.training.as_ref().and_then(|training| training.recipe.get("calibration"));
        let mut options: CalibrationOptions = recipe.and_then(|table| table.clone().try_into().ok()).unwrap_or_default();
        options.out_of_scope_share = self.out_of_scope_share.or(options.out_of_scope_share);
        options.target_precision = self.target_precision.or(options.target_precision);
        options
    }
}

fn read(data: &[DataDirectory], split: Split) -> anyhow::Result<Vec<Example>> {
    let read = data.iter().map(|data| data.read(split)).collect::<Result<Vec<_>, _>>()?;
    Ok(read.concat())
}
