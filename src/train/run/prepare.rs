//! What a run begins with: data, labels, base, and the place where an earlier run stopped.

use super::stage::Stage;
use super::{Job, Run};
use crate::backend::candle::NetworkShape;
use crate::import::{self, Base};
use crate::model::{EncoderConfig, file_sha256, hex};
use crate::text::TextEncoder;
use crate::train::checkpoint::{Checkpoints, Saved, State};
use crate::train::corpus::{Corpus, items};
use crate::train::finished::teacher_sha256;
use crate::train::inherit::Inheritance;
use crate::train::labels::Labels;
use crate::train::learner::Learner;
use crate::train::loss::class_weights;
use crate::train::optimizer::Optimizer;
use crate::train::parameters::Parameters;
use crate::train::recipe::Recipe;
use crate::train::teach::teach;
use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use std::time::Instant;

impl<'a> Run<'a> {
    pub(super) fn prepare(job: &'a Job) -> anyhow::Result<Self> {
        let checkpoints = Checkpoints::of(&job.out);
        check_output(job, &checkpoints)?;
        let mut corpus = Corpus::read(&job.data, &job.recipe, job.seed)?;
        let labels = Labels::of(&corpus.train).with_loss(&job.recipe.loss);
        let refit = corpus.held_out && corpus.train.len() + corpus.valid.len() < job.recipe.refit_below;
        if job.recipe.label_names {
            corpus.train.extend(labels.names());
        }
        let heads = labels.heads();
        ensure!(!heads.rows().is_empty(), "no example carries a label; give rows an `intent`, `entities`, `sentiment` or `emotions`");
        let base = import::base(&job.base, &job.out.join("checkpoint/base")).with_context(|| format!("base `{}`", job.base.display()))?;
        let (config, text) = encoder(&base, &job.recipe, corpus.has_context())?;
        let shape = NetworkShape::new(config, base.pooling, &heads);
        let mut train = items(&corpus.train, &labels, &text)?;
        if let Some(teacher) = &job.teacher {
            teach(teacher, &labels, &corpus.train, &mut train)?;
        }
        let valid = items(&corpus.valid, &labels, &text)?;
        let base_sha256 = file_sha256(&base.path.join("model.safetensors")).context("base: model.safetensors cannot be read")?;
        let teacher_sha256 = teacher_sha256(job.teacher.as_deref()).context("teacher: model.safetensors cannot be read")?;
        let fingerprint = fingerprint(job, &corpus, &base_sha256, teacher_sha256.as_deref())?;
        let stages = Stage::all(&job.recipe, refit, !labels.intents.is_empty());
        let saved = if job.resume && checkpoints.exist() { Some(load(job, &checkpoints, &fingerprint)?) } else { None };
        let parameters = match &saved {
            Some(saved) => Parameters::from_tensors(&shape, &saved.parameters)?,
            None => Parameters::from_base(&shape, &base.path, job.seed)?,
        };
        let learner = Learner::new(&shape, &parameters, job.device)?;
        let class_weights = class_weights(labels.intents.len() + usize::from(labels.rejection), &train, job.recipe.class_weighting);
        let inheritance = Inheritance::of(&base, &labels);
        let mut run = Self {
            job,
            shape,
            labels,
            text,
            corpus,
            train,
            valid,
            optimizer: Optimizer::new(&parameters, 0),
            parameters,
            average: None,
            learner,
            class_weights,
            inheritance,
            state: State::new(fingerprint),
            stages,
            checkpoints,
            saved_at: Instant::now(),
            base,
            base_sha256,
            teacher_sha256,
        };
        match saved {
            Some(saved) => run.go_on(saved)?,
            None => run.begin(true)?,
        }
        Ok(run)
    }

    /// Takes a checkpoint's place in the run.
    fn go_on(&mut self, saved: Saved) -> anyhow::Result<()> {
        self.state = saved.state;
        self.average = saved.average.map(|average| Parameters::from_tensors(&self.shape, &average)).transpose()?;
        self.take_all();
        self.optimizer = Optimizer::restore(&self.parameters, &saved.moments, self.total_steps())?;
        Ok(())
    }
}

/// The base's configuration, and how it reads texts.
fn encoder(base: &Base, recipe: &Recipe, has_context: bool) -> anyhow::Result<(EncoderConfig, TextEncoder)> {
    let config = std::fs::read_to_string(base.path.join("config.json")).context("base: config.json cannot be read")?;
    let config = EncoderConfig::parse(&config)?;
    let most = config.max_position_embeddings;
    ensure!(recipe.max_tokens <= most, "recipe, key `max_tokens`: the base reads at most {most}");
    let context_tokens = if has_context { recipe.context_tokens } else { 0 };
    let text = TextEncoder::open(&base.path.join("tokenizer.json"), recipe.max_tokens, context_tokens)?;
    Ok((config, text))
}

/// The checkpoint, if it is of this very run.
fn load(job: &Job, checkpoints: &Checkpoints, fingerprint: &str) -> anyhow::Result<Saved> {
    let saved = checkpoints.load().context("the checkpoint cannot be read")?;
    ensure!(
        saved.state.fingerprint == fingerprint,
        "the checkpoint in `{}` is of other data, recipe, seed or base; give the same ones, or --force to start anew",
        job.out.display()
    );
    Ok(saved)
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

fn fingerprint(job: &Job, corpus: &Corpus, base_sha256: &str, teacher_sha256: Option<&str>) -> anyhow::Result<String> {
    let parts = serde_json::to_vec(&(&job.recipe, job.seed, base_sha256, teacher_sha256, &corpus.provenance))?;
    Ok(hex(&Sha256::digest(parts)))
}
