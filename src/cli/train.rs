//! `hearken train`: fine-tunes a model, with a progress bar on a terminal and a line now and then elsewhere.

use super::load;
use crate::eval::Report;
use crate::model::LoadedModel;
use crate::train::{Job, Observer, Outcome, Progress, Recipe, TrainingDevice, finished, run};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Fine-tune a model on data directories
#[derive(Debug, Args)]
#[command(after_help = "\
A data directory holds train.jsonl, and valid.jsonl where there is one. A row has `text` and any of `intent`, `entities`,
`sentiment`, `emotions`, `context`; a missing field is an unknown label. Without any valid.jsonl a seeded part of train is set aside.

Examples:
  hearken train --data my-shop --base storefront-en --out models/my-shop
  hearken train --data my-shop --base all-MiniLM-L6-v2 --out models/my-shop --recipe recipe.toml --seed 7
  hearken train --data my-shop --base all-MiniLM-L6-v2 --out models/my-shop --resume
  hearken train --data my-shop --base all-MiniLM-L6-v2 --out models/my-shop --device cuda
  hearken train --data my-shop --data unlabelled --base all-MiniLM-L6-v2 --teacher models/large --out models/small

A base may be any checkpoint of BERT, RoBERTa, XLM-R, DistilBERT, DeBERTa-v2/3, ModernBERT or MPNet: it is translated first, as
`hearken model import` does. `hearken model pull NAME` fetches one.

On a card the encoder's products are in bf16; the weights that are kept, the optimiser, the losses and the calibration stay on the
processor, in f32. The same seed gives the same model on the processor, and nearly the same on a card.

Ctrl-C writes a checkpoint and stops (exit code 130); the same command with --resume goes on. So it does after a crash. Where --out
holds the model of the same data, recipe, seed and base already, nothing is done.")]
pub struct TrainArgs {
    /// Data directory; may be given several times
    #[arg(long, required = true, value_name = "DIR")]
    data: Vec<PathBuf>,
    /// What to start from: a model by name below models/ or directory, or an encoder in Hugging Face layout
    #[arg(long, value_name = "DIR")]
    base: String,
    /// Model that teaches: what it says of every message is learned beside the labels, and in their place where there are none
    #[arg(long, value_name = "DIR")]
    teacher: Option<String>,
    /// Where the model directory is written
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// TOML file with the numbers of the run; what it leaves out keeps its default
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Where the encoder learns: cpu, cuda, or candle, the reference on the processor
    #[arg(long, default_value = "cpu")]
    device: TrainingDevice,
    /// Seed of every random choice
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Go on from the checkpoint in --out
    #[arg(long)]
    resume: bool,
    /// Write into --out although it is not empty
    #[arg(long, conflicts_with = "resume")]
    force: bool,
}

impl TrainArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let recipe = self.recipe.as_deref().map(Recipe::open).transpose()?.unwrap_or_default();
        let stop = stop_on_interrupt()?;
        let job = Job {
            data: self.data,
            base: load::model_directory(&self.base),
            teacher: self.teacher.as_deref().map(load::model_directory),
            out: self.out,
            device: self.device,
            recipe,
            seed: self.seed,
            resume: self.resume,
            force: self.force,
            commit: commit(),
        };
        if !job.force
            && let Some(model) = finished(&job)
        {
            println!("{} is {} of this data, recipe, seed and base already; --force trains it anew", job.out.display(), model.id());
            return Ok(ExitCode::SUCCESS);
        }
        let mut console = Console::new(stop);
        match run(&job, &mut console)? {
            Outcome::Finished(report) => {
                console.bar.finish_and_clear();
                println!("validation, calibrated:\n{}", crate::eval::text(&report));
                if let Some(head) = &LoadedModel::open(&job.out)?.manifest.heads.intent {
                    println!("{}", super::operating_point::text(head));
                }
                println!("wrote {}; try: hearken eval {} DATA --split test", job.out.display(), job.out.display());
                Ok(ExitCode::SUCCESS)
            }
            Outcome::Interrupted => {
                console.bar.abandon();
                eprintln!("interrupted; a checkpoint is in {}: the same command with --resume goes on", job.out.display());
                Ok(ExitCode::from(130))
            }
        }
    }
}

/// A flag that the first Ctrl-C or SIGTERM raises; the second ends the program.
///
/// # Errors
/// When the handler cannot be set.
pub(super) fn stop_on_interrupt() -> anyhow::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            std::process::exit(130); // asked twice: at once
        }
    })?;
    Ok(stop)
}

/// Commit of the working directory, where git knows one.
fn commit() -> Option<String> {
    let output = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output().ok()?;
    let hash = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| hash.trim().to_owned()).filter(|hash| !hash.is_empty())
}

/// Shows a run on a terminal, or a line now and then elsewhere.
pub(super) struct Console {
    bar: ProgressBar,
    /// When the first step was done, and which one it was.
    started: Option<(Instant, u64)>,
    logged: Instant,
    /// What the run is at.
    stage: String,
    stop: Arc<AtomicBool>,
}

impl Console {
    /// One that has nothing to show yet.
    pub fn new(stop: Arc<AtomicBool>) -> Self {
        Self { bar: ProgressBar::hidden(), started: None, logged: Instant::now(), stage: String::new(), stop }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Console {
    fn prepared(&mut self, train: usize, valid: usize, labels: &str) {
        eprintln!("{train} examples to train on, {valid} to validate on; {labels}");
        self.bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} steps, ETA {eta} {msg}") {
            self.bar.set_style(style);
        }
    }

    fn step(&mut self, progress: Progress) {
        let message = format!("{}, epoch {}/{} loss {:.4}", self.stage, progress.epoch, progress.epochs, progress.loss);
        let (started, first) = *self.started.get_or_insert((Instant::now(), progress.steps));
        if self.bar.length() != Some(progress.total_steps) {
            self.bar.set_length(progress.total_steps);
        }
        self.bar.set_position(progress.steps);
        self.bar.set_message(message.clone());
        if self.bar.is_hidden() && self.logged.elapsed() > Duration::from_secs(30) && progress.steps > first {
            self.logged = Instant::now();
            let each = started.elapsed() / u32::try_from(progress.steps - first).unwrap_or(u32::MAX);
            let left = each * u32::try_from(progress.total_steps - progress.steps).unwrap_or(u32::MAX);
            eprintln!(
                "step {}/{}, {message}, {:.0} ms a step, ETA {} min",
                progress.steps,
                progress.total_steps,
                each.as_secs_f64() * 1e3,
                left.as_secs() / 60
            );
        }
    }

    fn stage(&mut self, stage: &str) {
        (self.started, self.stage) = (None, stage.to_owned());
        if self.bar.is_hidden() { eprintln!("{stage}") } else { self.bar.println(stage) }
    }

    fn epoch(&mut self, epoch: u32, report: Option<&Report>, better: bool) {
        let Some(report) = report else { return };
        let line = format!("epoch {epoch}: {}{}", crate::eval::line(report), if better { " *" } else { "" });
        if self.bar.is_hidden() { eprintln!("{line}") } else { self.bar.println(line) }
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
