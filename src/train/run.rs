//! One training run, from data directories to a model directory.

use super::batches::epoch_batches;
use super::calibrate::calibrate;
use super::checkpoint::{Best, Checkpoints, State};
use super::corpus::{Corpus, Item, items};
use super::labels::Labels;
use super::loss::batch_loss;
use super::optimizer::Optimizer;
use super::parameters::Parameters;
use super::recipe::Recipe;
use super::validate;
use crate::backend::candle::{Dropout, Fused, Network, NetworkShape};
use crate::backend::cpu::{measure_channels, supports};
use crate::batch::PackedBatch;
use crate::eval::Report;
use crate::import::{self, Base};
use crate::model::{EncoderConfig, LoadedModel, Manifest, TrainingManifest, export, file_sha256, hex, map_weights, write_channels};
use crate::text::{Encoded, TextEncoder};
use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Messages, spread over the training data, on which the channels of the finished model are measured.
const CHANNEL_MESSAGES: usize = 512;

/// What to train, on what, and where to put it.
#[derive(Debug, Clone)]
pub struct Job {
    /// Data directories.
    pub data: Vec<PathBuf>,
    /// A hearken model, or a base encoder in Hugging Face layout, which is translated if need be.
    pub base: PathBuf,
    /// Output directory.
    pub out: PathBuf,
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
    /// Epoch, from 1.
    pub epoch: u32,
    /// Most epochs.
    pub epochs: u32,
    /// Steps done.
    pub steps: u64,
    /// Most steps.
    pub total_steps: u64,
    /// Mean loss of the epoch so far.
    pub loss: f64,
}

/// Who watches a run.
pub trait Observer {
    /// The data has been read.
    fn prepared(&mut self, train: usize, valid: usize, labels: &str);
    /// A step is done.
    fn step(&mut self, progress: Progress);
    /// An epoch is done and validated.
    fn epoch(&mut self, epoch: u32, report: &Report, better: bool);
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
    network: Network,
    optimizer: Optimizer,
    state: State,
    checkpoints: Checkpoints,
    saved_at: Instant,
    base: Base,
    base_sha256: String,
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
    while !run.done() {
        if !run.epoch(observer)? {
            run.save()?;
            return Ok(Outcome::Interrupted);
        }
    }
    run.finish().map(|report| Outcome::Finished(Box::new(report)))
}

impl<'a> Run<'a> {
    fn prepare(job: &'a Job) -> anyhow::Result<Self> {
        let checkpoints = Checkpoints::of(&job.out);
        check_output(job, &checkpoints)?;
        let corpus = Corpus::read(&job.data, &job.recipe, job.seed)?;
        let labels = Labels::of(&corpus.train).with_loss(&job.recipe.loss);
        let heads = labels.heads();
        ensure!(!heads.rows().is_empty(), "no example carries a label; give rows an `intent`, `entities`, `sentiment` or `emotions`");
        let base = import::base(&job.base, &job.out.join("checkpoint/base")).with_context(|| format!("base `{}`", job.base.display()))?;
        let config = std::fs::read_to_string(base.path.join("config.json")).context("base: config.json cannot be read")?;
        let config = EncoderConfig::parse(&config)?;
        ensure!(
            job.recipe.max_tokens <= config.max_position_embeddings,
            "recipe, key `max_tokens`: the base reads at most {}",
            config.max_position_embeddings
        );
        let context_tokens = if corpus.has_context() { job.recipe.context_tokens } else { 0 };
        let text = TextEncoder::open(&base.path.join("tokenizer.json"), job.recipe.max_tokens, context_tokens)?;
        let shape = NetworkShape::new(config, base.pooling, &heads);
        let train = items(&corpus.train, &labels, &text)?;
        let valid = items(&corpus.valid, &labels, &text)?;
        let base_sha256 = file_sha256(&base.path.join("model.safetensors")).context("base: model.safetensors cannot be read")?;
        let fingerprint = fingerprint(job, &corpus, &base_sha256)?;
        let total = train.len().div_ceil(job.recipe.batch_rows) as u64 * u64::from(job.recipe.epochs);
        let (parameters, optimizer, state) = if job.resume && checkpoints.exist() {
            let saved = checkpoints.load().context("the checkpoint cannot be read")?;
            ensure!(
                saved.state.fingerprint == fingerprint,
                "the checkpoint in `{}` is of other data, recipe, seed or base; give the same ones, or --force to start anew",
                job.out.display()
            );
            let parameters = Parameters::from_tensors(&shape, &saved.parameters)?;
            let optimizer = Optimizer::restore(&parameters, &saved.moments, total)?;
            (parameters, optimizer, saved.state)
        } else {
            let parameters = Parameters::from_base(&shape, &map_weights(&base.path.join("model.safetensors"))?, job.seed)?;
            let optimizer = Optimizer::new(&parameters, total);
            (parameters, optimizer, State { fingerprint, epoch: 0, step_in_epoch: 0, steps: 0, best: None, loss_sum: 0.0 })
        };
        let network = parameters.network(&shape)?;
        Ok(Self {
            job,
            shape,
            labels,
            text,
            corpus,
            train,
            valid,
            parameters,
            network,
            optimizer,
            state,
            checkpoints,
            saved_at: Instant::now(),
            base,
            base_sha256,
        })
    }

    /// Whether every epoch is done, or too many without a better score.
    fn done(&self) -> bool {
        let best = self.state.best.as_ref().map_or(0, |best| best.epochs);
        self.state.epoch >= self.job.recipe.epochs || self.state.epoch.saturating_sub(best) >= self.job.recipe.patience
    }

    /// The rest of the running epoch, and its validation. `false` when interrupted.
    fn epoch(&mut self, observer: &mut dyn Observer) -> anyhow::Result<bool> {
        let recipe = &self.job.recipe;
        let batches = epoch_batches(self.train.len(), recipe.batch_rows, self.job.seed, self.state.epoch);
        let total_steps = self.optimizer.total_steps();
        for batch in batches.iter().skip(self.state.step_in_epoch) {
            if observer.interrupted() {
                return Ok(false);
            }
            self.state.loss_sum += self.step(batch)?;
            self.state.step_in_epoch += 1;
            self.state.steps += 1;
            #[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
            let loss = self.state.loss_sum / self.state.step_in_epoch as f64;
            observer.step(Progress { epoch: self.state.epoch + 1, epochs: recipe.epochs, steps: self.state.steps, total_steps, loss });
            if self.saved_at.elapsed() > Duration::from_secs_f64(recipe.checkpoint_minutes * 60.0) {
                self.save()?;
            }
        }
        let report = self.report()?;
        self.state.epoch += 1;
        self.state.step_in_epoch = 0;
        self.state.loss_sum = 0.0;
        let score = report.score();
        let better = self.state.best.as_ref().is_none_or(|best| score > best.score);
        if better {
            self.checkpoints.save_best(&self.parameters.tensors())?;
            let figures = report.figures();
            self.state.best = Some(Best { score, epochs: self.state.epoch, steps: self.state.steps, figures });
        }
        self.save()?;
        observer.epoch(self.state.epoch, &report, better);
        Ok(true)
    }

    /// Forward, backward and update on one batch. Gives the loss.
    fn step(&mut self, batch: &[usize]) -> anyhow::Result<f64> {
        let recipe = &self.job.recipe;
        let items: Vec<&Item> = batch.iter().filter_map(|index| self.train.get(*index)).collect();
        let packed = PackedBatch::new(items.iter().map(|item| &item.input));
        let mut dropout = Dropout::new(recipe.dropout, self.job.seed.wrapping_add(self.state.steps).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let output = self.network.forward(&packed, &Fused, &mut dropout)?;
        let Some(loss) = batch_loss(&self.network, &output, &items, &self.labels, recipe)? else {
            return Ok(0.0);
        };
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            bail!("the loss is not finite at step {}; lower learning_rate and start anew with --force", self.state.steps + 1);
        }
        let gradients = loss.backward()?;
        self.optimizer.step(&self.parameters, &gradients, recipe, self.state.steps)?;
        Ok(value)
    }

    /// The report of the present weights on validation data, not calibrated.
    fn report(&self) -> anyhow::Result<Report> {
        let logits = validate::logits(&self.network, &self.valid)?;
        validate::score(&self.labels.heads(), &logits, &self.valid, &self.corpus.valid)
    }

    fn save(&mut self) -> anyhow::Result<()> {
        self.checkpoints.save(&self.state, &self.parameters.tensors(), &self.optimizer.tensors()?)?;
        self.saved_at = Instant::now();
        Ok(())
    }

    /// Calibrates the best weights and writes the model.
    fn finish(self) -> anyhow::Result<Report> {
        let parameters = Parameters::from_tensors(&self.shape, &self.checkpoints.load_best()?)?;
        let network = parameters.network(&self.shape)?;
        let logits = validate::logits(&network, &self.valid)?;
        let mut heads = self.labels.heads();
        calibrate(&mut heads, &self.labels, &logits, &self.valid, &self.corpus.valid)?;
        let report = validate::score(&heads, &logits, &self.valid, &self.corpus.valid)?;
        let best = self.state.best.as_ref().context("no epoch was finished")?;
        let recipe = &self.job.recipe;
        let folder = self.job.out.file_name().map_or_else(|| "model".to_owned(), |name| name.to_string_lossy().into_owned());
        let manifest = Manifest {
            format: 1,
            name: recipe.name.clone().unwrap_or(folder),
            version: recipe.version.clone(),
            language: recipe.language.clone(),
            max_tokens: recipe.max_tokens,
            context_tokens: self.text.context_tokens(),
            pooling: self.shape.pooling,
            files: std::collections::BTreeMap::new(),
            heads,
            training: Some(TrainingManifest {
                hearken: env!("CARGO_PKG_VERSION").to_owned(),
                commit: self.job.commit.clone(),
                seed: self.job.seed,
                epochs: best.epochs,
                steps: best.steps,
                base_sha256: self.base_sha256.clone(),
                recipe: toml::Table::try_from(recipe)?,
                validation: report.figures(),
                data: self.corpus.provenance.clone(),
            }),
        };
        let card = super::card::card(&manifest);
        export(&self.job.out, &self.base.path, &parameters.tensors(), manifest, &card)?;
        let model = LoadedModel::open(&self.job.out).context("the written model does not load")?;
        if supports(&model.config).is_err() {
            self.checkpoints.remove()?;
            return Ok(report);
        }
        let messages: Vec<Encoded> =
            self.train.iter().step_by(self.train.len().div_ceil(CHANNEL_MESSAGES).max(1)).map(|item| item.input.clone()).collect();
        write_channels(&self.job.out, &measure_channels(&model, &messages)?)?;
        LoadedModel::open(&self.job.out).context("the model does not load with its measured channels")?;
        self.checkpoints.remove()?;
        Ok(report)
    }
}

fn check_output(job: &Job, checkpoints: &Checkpoints) -> anyhow::Result<()> {
    let occupied =
        job.out.read_dir().is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| entry.file_name() != "checkpoint")));
    let begun = checkpoints.exist();
    if job.resume {
        ensure!(begun || !occupied, "nothing to resume in `{}`; the run there is finished or is not one of hearken's", job.out.display());
    } else if occupied || begun {
        ensure!(job.force, "`{}` is not empty; use --resume to go on with the run there, or --force to write over it", job.out.display());
        checkpoints.remove()?;
    }
    std::fs::create_dir_all(&job.out).with_context(|| format!("`{}` cannot be made", job.out.display()))
}

fn fingerprint(job: &Job, corpus: &Corpus, base_sha256: &str) -> anyhow::Result<String> {
    let parts = serde_json::to_vec(&(&job.recipe, job.seed, base_sha256, &corpus.provenance))?;
    Ok(hex(&Sha256::digest(parts)))
}
