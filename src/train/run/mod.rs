//! One training run, from data directories to a model directory.

mod finish;
mod prepare;
mod stage;

use super::batches::{epoch_batches, paired_batches};
use super::checkpoint::{Best, Checkpoints, Saved, State};
use super::corpus::{Corpus, Item};
use super::device::TrainingDevice;
use super::inherit::Inheritance;
use super::labels::Labels;
use super::learner::Learner;
use super::loss::{Weighing, batch_loss, contrastive_loss};
use super::noise::mask_words;
use super::optimizer::{Optimizer, Rates};
use super::parameters::Parameters;
use super::recipe::Recipe;
use super::validate;
use crate::backend::candle::{Network, NetworkShape, Output};
use crate::backend::training::Dropping;
use crate::batch::PackedBatch;
use crate::eval::Report;
use crate::import::Base;
use crate::text::TextEncoder;
use anyhow::bail;
use stage::Stage;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Steps between two updates of the running mean of the weights.
const AVERAGING_STEPS: u32 = 8;

/// What to train, on what, and where to put it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Data directories.
    pub data: Vec<PathBuf>,
    /// A hearken model, or a base encoder in Hugging Face layout, which is translated if need be.
    pub base: PathBuf,
    /// Model whose word on every message is learned beside the labels.
    pub teacher: Option<PathBuf>,
    /// Output directory.
    pub out: PathBuf,
    /// Where the encoder learns.
    pub device: TrainingDevice,
    /// The numbers.
    pub recipe: Recipe,
    /// Seed of every random choice.
    pub seed: u64,
    /// Go on from a checkpoint.
    pub resume: bool,
    /// Write into a directory that is not empty.
    pub force: bool,
    /// Commit of the working directory, for the manifest.
    pub commit: Option<String>,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Epoch of the stage, from 1.
    pub epoch: u32,
    /// Most epochs of the stage.
    pub epochs: u32,
    /// Steps done in the stage.
    pub steps: u64,
    /// Most steps of the stage.
    pub total_steps: u64,
    /// Mean loss of the epoch so far.
    pub loss: f64,
}

/// Who watches a run.
pub trait Observer {
    /// The data has been read.
    fn prepared(&mut self, train: usize, valid: usize, labels: &str);
    /// A part of the run begins, named in a few words.
    fn stage(&mut self, stage: &str);
    /// A step is done.
    fn step(&mut self, progress: Progress);
    /// An epoch is done; its report where there was something to validate on.
    fn epoch(&mut self, epoch: u32, report: Option<&Report>, better: bool);
    /// Whether to stop now; a checkpoint is written first.
    fn interrupted(&self) -> bool;
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The model is written; its report on validation data.
    Finished(Box<Report>),
    /// Stopped on request; `--resume` goes on.
    Interrupted,
}

/// Everything a run works with.
struct Run<'a> {
    job: &'a Job,
    shape: NetworkShape,
    labels: Labels,
    text: TextEncoder,
    corpus: Corpus,
    train: Vec<Item>,
    valid: Vec<Item>,
    parameters: Parameters,
    /// Their running mean, where the recipe asks for one.
    average: Option<Parameters>,
    learner: Learner,
    /// Weight of each intent's messages; empty where all count alike.
    class_weights: Vec<f32>,
    /// What the base's heads know of the labels.
    inheritance: Inheritance,
    optimizer: Optimizer,
    state: State,
    stages: Vec<Stage>,
    checkpoints: Checkpoints,
    saved_at: Instant,
    base: Base,
    base_sha256: String,
    teacher_sha256: Option<String>,
}

/// Trains.
///
/// # Errors
/// When data, base, output or checkpoint cannot be used, or the loss stops being a number.
pub fn run(job: &Job, observer: &mut dyn Observer) -> anyhow::Result<Outcome> {
    let mut run = Run::prepare(job)?;
    let labels = &run.labels;
    let summary = format!(
        "{} intents{}, {} entity labels, {} emotions",
        labels.intents.len(),
        if labels.rejection { " and a rejection" } else { "" },
        labels.entities.len(),
        labels.emotions.len()
    );
    observer.prepared(run.train.len(), run.valid.len(), &summary);
    loop {
        observer.stage(run.stage().name());
        while !run.done() {
            if !run.epoch(observer)? {
                run.save()?;
                return Ok(Outcome::Interrupted);
            }
        }
        if !run.next_stage()? {
            return run.finish().map(|report| Outcome::Finished(Box::new(report)));
        }
    }
}

impl Run<'_> {
    /// Whether every epoch of the stage is done, or too many without a better score.
    fn done(&self) -> bool {
        let best = self.state.best.as_ref().map_or(0, |best| best.epochs);
        let patient = self.stage() != Stage::Fit || self.state.epoch.saturating_sub(best) < self.job.recipe.patience;
        self.state.epoch >= self.epochs(self.stage()) || !patient
    }

    /// The rest of the running epoch, and its validation. `false` when interrupted.
    fn epoch(&mut self, observer: &mut dyn Observer) -> anyhow::Result<bool> {
        let recipe = &self.job.recipe;
        let batches = self.batches();
        let (total_steps, epochs) = (self.optimizer.total_steps(), self.epochs(self.stage()));
        for batch in batches.iter().skip(self.state.step_in_epoch) {
            if observer.interrupted() {
                return Ok(false);
            }
            self.state.loss_sum += self.step(batch)?;
            self.state.step_in_epoch += 1;
            self.state.steps += 1;
            #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
            let loss = self.state.loss_sum / self.state.step_in_epoch as f64;
            observer.step(Progress { epoch: self.state.epoch + 1, epochs, steps: self.state.steps, total_steps, loss });
            if self.saved_at.elapsed() > Duration::from_secs_f64(recipe.checkpoint_minutes * 60.0) {
                self.save()?;
            }
        }
        let report = if self.stage() == Stage::Fit { Some(self.report()?) } else { None };
        self.state.epoch += 1;
        self.state.step_in_epoch = 0;
        self.state.loss_sum = 0.0;
        let better = report.as_ref().is_some_and(|report| self.state.best.as_ref().is_none_or(|best| report.score() > best.score));
        if let Some(report) = report.as_ref().filter(|_| better) {
            self.checkpoints.save_best(&self.kept().tensors())?;
            let (score, figures) = (report.score(), report.figures());
            self.state.best = Some(Best { score, epochs: self.state.epoch, steps: self.state.steps, figures });
        }
        self.save()?;
        observer.epoch(self.state.epoch, report.as_ref(), better);
        Ok(true)
    }

    /// The running epoch's batches, as indices of examples.
    fn batches(&self) -> Vec<Vec<usize>> {
        let (rows, seed, epoch) = (self.job.recipe.batch_rows, self.job.seed, self.state.epoch);
        match self.stage() {
            Stage::Contrast | Stage::ContrastAll => {
                let classes: Vec<Option<usize>> = self.train.iter().map(|item| item.targets.intent).collect();
                paired_batches(&classes, rows, seed, epoch)
            }
            Stage::Fit | Stage::FitAll => epoch_batches(self.train.len(), rows, seed, epoch),
        }
    }

    /// Forward, backward and update on one batch. Gives the loss.
    fn step(&mut self, batch: &[usize]) -> anyhow::Result<f64> {
        let recipe = &self.job.recipe;
        let contrastive = matches!(self.stage(), Stage::Contrast | Stage::ContrastAll);
        let mut items: Vec<&Item> = batch.iter().filter_map(|index| self.train.get(*index)).collect();
        if recipe.consistency > 0.0 && !contrastive {
            items.extend_from_within(..);
        }
        let mut packed = PackedBatch::new(items.iter().map(|item| &item.input));
        let seed = self.job.seed.wrapping_add(self.state.steps).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        if let Some(mask) = self.text.mask() {
            mask_words(&mut packed, mask, recipe.word_masking, seed);
        }
        let dropping = Dropping { probability: recipe.dropout, seed };
        let weighing = Weighing { labels: &self.labels, recipe, intents: &self.class_weights };
        let loss = |network: &Network, output: &Output| {
            if contrastive {
                contrastive_loss(&output.pooled, &items, recipe.contrastive.temperature)
            } else {
                batch_loss(network, output, &items, &weighing)
            }
        };
        let Some((value, gradients)) = self.learner.step(&self.parameters, &packed, dropping, loss)? else {
            return Ok(0.0);
        };
        if !value.is_finite() {
            bail!("the loss is not finite at step {}; lower learning_rate and start anew with --force", self.state.steps + 1);
        }
        let rates = Rates::of(recipe, self.shape.encoder.num_hidden_layers);
        self.optimizer.step(&self.parameters, &gradients, &rates, self.state.steps)?;
        if let Some(average) = &self.average
            && self.state.steps.is_multiple_of(u64::from(AVERAGING_STEPS))
        {
            // Early on the mean is of few steps, and follows faster.
            #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
            let done = self.state.steps as f64;
            let decay = recipe.averaging.min((1.0 + done) / (10.0 + done)).powf(f64::from(AVERAGING_STEPS));
            average.follow(&self.parameters, 1.0 - decay)?;
        }
        Ok(value)
    }

    /// The report of the present weights on validation data, not calibrated.
    fn report(&mut self) -> anyhow::Result<Report> {
        // The learner sees the parameters only, so the mean takes their place meanwhile.
        let exchange = |run: &Self| run.average.as_ref().map_or(Ok(()), |average| run.parameters.exchange(average));
        exchange(self)?;
        let logits = validate::logits(&mut self.learner, &self.parameters, &self.valid);
        exchange(self)?;
        let logits = logits?;
        validate::score(&self.labels.heads(), &logits, &self.valid, &self.corpus.valid)
    }

    /// The weights that are validated and kept: the running mean, or the parameters themselves.
    fn kept(&self) -> &Parameters {
        self.average.as_ref().unwrap_or(&self.parameters)
    }

    fn save(&mut self) -> anyhow::Result<()> {
        self.checkpoints.save(&Saved {
            state: self.state.clone(),
            parameters: self.parameters.tensors(),
            moments: self.optimizer.tensors()?,
            average: self.average.as_ref().map(Parameters::tensors),
        })?;
        self.saved_at = Instant::now();
        Ok(())
    }
}
