//! The end of a run: calibration, and the model directory.

use super::Run;
use super::stage::Stage;
use crate::backend::cpu::{measure_channels, supports};
use crate::eval::Report;
use crate::model::{HeadsManifest, LoadedModel, Manifest, TrainingManifest, export, write_channels};
use crate::text::Encoded;
use crate::train::calibrate::calibrate;
use crate::train::card::{card, card_of};
use crate::train::device::TrainingDevice;
use crate::train::learner::Learner;
use crate::train::parameters::Parameters;
use crate::train::validate;
use anyhow::Context as _;

/// Messages, spread over the training data, on which the channels of the finished model are measured.
const CHANNEL_MESSAGES: usize = 512;

impl Run<'_> {
    /// Calibrates the best weights on what was held out. Gives them, the heads' description and the report.
    fn choose(&self) -> anyhow::Result<(Parameters, HeadsManifest, Report)> {
        let parameters = Parameters::from_tensors(&self.shape, &self.checkpoints.load_best()?)?;
        // In f32, wherever the weights were found.
        let mut learner = Learner::new(&self.shape, &parameters, TrainingDevice::Cpu)?;
        let logits = validate::logits(&mut learner, &parameters, &self.valid)?;
        let mut heads = self.labels.heads();
        calibrate(&mut heads, &logits, &self.valid, &self.corpus.valid, &self.job.recipe.calibration)?;
        let report = validate::score(&heads, &logits, &self.valid, &self.corpus.valid)?;
        Ok((parameters, heads, report))
    }

    /// Writes the model.
    pub(super) fn finish(self) -> anyhow::Result<Report> {
        let (best_parameters, heads, report) = self.choose()?;
        // Thresholds are of the weights that the held-out messages judged; the weights that learned from those too are better still.
        let parameters = if self.stage() == Stage::FitAll { self.kept() } else { &best_parameters };
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
                teacher_sha256: self.teacher_sha256.clone(),
                recipe: toml::Table::try_from(recipe)?,
                validation: report.figures(),
                data: self.corpus.provenance.clone(),
            }),
            evaluations: Vec::new(),
        };
        let card = card_of(&self.job.out, &manifest).or_else(|_| card(&manifest, None))?;
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
