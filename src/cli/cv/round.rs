//! One run: its files, its model, its report. A run that was stopped goes on at its checkpoint; a finished one is read.

use super::plan::{Plan, Round};
use crate::cli::{judge, load};
use crate::data::{DataDirectory, Split};
use crate::engine::WaitLimits;
use crate::eval::{line, report};
use crate::train::{self, Job, Observer, Outcome, Recipe, TrainingDevice};
use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// What every run works with.
pub struct Work<'a> {
    /// The numbers.
    pub recipe: &'a Recipe,
    /// The base encoder.
    pub base: &'a Path,
    /// Backend that measures.
    pub device: &'a str,
    /// Whether the model stays.
    pub keep: bool,
}

/// A finished run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// Share of the training rows.
    pub share: f64,
    /// Fold that was held back, from 1.
    pub fold: usize,
    /// Seed of the training.
    pub seed: u64,
    /// Rows it was trained on.
    pub train_rows: usize,
    /// Rows it was measured on.
    pub test_rows: usize,
    /// Seconds of training since the run was last begun or gone on with.
    pub seconds: f64,
    /// The report's figures.
    pub figures: BTreeMap<String, f64>,
    /// The report.
    pub report: serde_json::Value,
}

/// The run that is finished in this folder.
pub fn finished(place: &Path) -> Option<Finished> {
    serde_json::from_slice(&std::fs::read(place.join("report.json")).ok()?).ok()
}

/// Trains and measures. Nothing when interrupted.
pub fn run(plan: &Plan, round: &Round, place: &Path, work: &Work<'_>, observer: &mut dyn Observer) -> anyhow::Result<Option<Finished>> {
    let (data, model) = (place.join("data"), place.join("model"));
    std::fs::create_dir_all(&data).with_context(|| format!("`{}` cannot be made", data.display()))?;
    let files = plan.files(round);
    for (split, lines) in [(Split::Train, &files.train), (Split::Valid, &files.valid), (Split::Test, &files.test)] {
        if !lines.is_empty() {
            std::fs::write(data.join(format!("{split}.jsonl")), lines.join(&b'\n'))?;
        }
    }
    let job = Job {
        data: vec![data.clone()],
        base: work.base.to_owned(),
        teacher: None,
        out: model.clone(),
        device: TrainingDevice::Cpu,
        recipe: work.recipe.clone(),
        seed: round.seed,
        resume: true,
        force: false,
        commit: None,
    };
    let started = Instant::now();
    if train::finished(&job).is_none() {
        let outcome = train::run(&job, observer).with_context(|| format!("{round}, in `{}`", place.display()))?;
        if outcome == Outcome::Interrupted {
            return Ok(None);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let examples = DataDirectory::new(&data).read(Split::Test)?;
    let engine = load::engine(&model.display().to_string(), work.device, 0, WaitLimits::messages(judge::CHUNK))?;
    let report = report(&judge::judge(&engine, None, &examples)?);
    let finished = Finished {
        share: round.share,
        fold: round.fold,
        seed: round.seed,
        train_rows: files.train.len(),
        test_rows: examples.len(),
        seconds,
        figures: report.figures(),
        report: serde_json::to_value(&report)?,
    };
    eprintln!("{}", line(&report));
    let temporary = place.join("report.tmp");
    std::fs::write(&temporary, serde_json::to_vec_pretty(&finished)?)?;
    std::fs::rename(temporary, place.join("report.json"))?;
    if !work.keep {
        std::fs::remove_dir_all(&data)?;
        std::fs::remove_dir_all(&model)?;
    }
    Ok(Some(finished))
}
