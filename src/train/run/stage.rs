//! The parts of a run, one after the other.

use super::Run;
use crate::train::learner::Learner;
use crate::train::optimizer::Optimizer;
use crate::train::parameters::Parameters;
use crate::train::prototypes;
use crate::train::recipe::Recipe;

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Messages of one intent are drawn together, before there are heads.
    Contrast,
    /// Encoder and heads learn every label; the best epoch on validation data counts.
    Fit,
    /// As `Contrast`, on what was held out as well.
    ContrastAll,
    /// As `Fit`, on what was held out as well. Every epoch is done: there is nothing left to choose one by.
    FitAll,
}

impl Stage {
    /// The stages of a run. `refit` where the messages held out for choosing are too many to be lost.
    pub fn all(recipe: &Recipe, refit: bool, intents: bool) -> Vec<Self> {
        let contrast = recipe.contrastive.epochs > 0 && intents;
        let stages = [(Self::Contrast, contrast), (Self::Fit, true), (Self::ContrastAll, contrast && refit), (Self::FitAll, refit)];
        stages.into_iter().filter(|(_, wanted)| *wanted).map(|(stage, _)| stage).collect()
    }

    /// What is done, in a few words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contrast => "contrastive phase",
            Self::Fit => "fine-tuning",
            Self::ContrastAll => "contrastive phase, with what was held out",
            Self::FitAll => "fine-tuning once more, with what was held out",
        }
    }
}

/// Epochs over `rows` rows: those of the recipe, or more where that would be too few steps.
fn epochs(recipe: &Recipe, rows: usize) -> u32 {
    let steps = rows.div_ceil(recipe.batch_rows).max(1) as u64;
    let wanted = u32::try_from(recipe.least_steps.div_ceil(steps)).unwrap_or(u32::MAX);
    wanted.clamp(recipe.epochs, recipe.epochs.saturating_mul(3))
}

impl Run<'_> {
    /// The running stage.
    pub(super) fn stage(&self) -> Stage {
        self.stages.get(self.state.stage).copied().unwrap_or(Stage::Fit)
    }

    /// Most epochs of a stage.
    pub(super) fn epochs(&self, stage: Stage) -> u32 {
        match stage {
            Stage::Contrast | Stage::ContrastAll => self.job.recipe.contrastive.epochs,
            Stage::Fit | Stage::FitAll => epochs(&self.job.recipe, self.train.len()),
        }
    }

    /// Ends a stage and begins the next one; `false` when it was the last.
    pub(super) fn next_stage(&mut self) -> anyhow::Result<bool> {
        let Some(&next) = self.stages.get(self.state.stage + 1) else { return Ok(false) };
        self.state.stage += 1;
        (self.state.epoch, self.state.step_in_epoch, self.state.steps) = (0, 0, 0);
        self.take_all();
        let anew = next == Stage::ContrastAll || (next == Stage::FitAll && !self.stages.contains(&Stage::ContrastAll));
        if anew {
            self.parameters = Parameters::from_base(&self.shape, &self.base.path, self.job.seed)?;
            self.learner = Learner::new(&self.shape, &self.parameters, self.job.device)?;
        }
        self.begin(anew)?;
        self.save()?;
        Ok(true)
    }

    /// Adds what was held out to what is learned from, where the stage asks for it.
    pub(super) fn take_all(&mut self) {
        if matches!(self.stage(), Stage::ContrastAll | Stage::FitAll) && self.train.len() == self.corpus.train.len() {
            self.train.extend(self.valid.iter().cloned());
        }
    }

    /// Readies heads and optimiser for the present stage. `anew` where the parameters are those of the base: what its heads know of the
    /// data's labels is taken over then.
    pub(super) fn begin(&mut self, anew: bool) -> anyhow::Result<()> {
        let stage = self.stage();
        if anew {
            self.inheritance.take(&self.parameters)?;
        }
        if matches!(stage, Stage::Fit | Stage::FitAll) && self.job.recipe.prototype_scale > 0.0 {
            prototypes::start(
                &mut self.learner,
                &self.parameters,
                &self.train,
                self.job.recipe.prototype_scale,
                &self.inheritance.intents(),
            )?;
        }
        self.average = (self.job.recipe.averaging > 0.0).then(|| self.parameters.copy()).transpose()?;
        self.optimizer = Optimizer::new(&self.parameters, self.total_steps());
        Ok(())
    }

    /// Most steps of the present stage.
    pub(super) fn total_steps(&self) -> u64 {
        self.batches().len() as u64 * u64::from(self.epochs(self.stage()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sets_get_more_epochs() {
        let recipe = Recipe { epochs: 6, least_steps: 500, batch_rows: 32, ..Recipe::default() };
        assert_eq!([10_000, 1650, 850, 40].map(|rows| epochs(&recipe, rows)), [6, 10, 18, 18]);
        assert_eq!(epochs(&Recipe { least_steps: 0, ..recipe }, 40), 6);
    }

    #[test]
    fn stages_follow_the_recipe() {
        let mut recipe = Recipe::default();
        assert_eq!(Stage::all(&recipe, false, true), [Stage::Fit]);
        assert_eq!(Stage::all(&recipe, true, true), [Stage::Fit, Stage::FitAll]);
        recipe.contrastive.epochs = 1;
        assert_eq!(Stage::all(&recipe, true, true), [Stage::Contrast, Stage::Fit, Stage::ContrastAll, Stage::FitAll]);
        assert_eq!(Stage::all(&recipe, true, false), [Stage::Fit, Stage::FitAll], "without intents there is nothing to contrast");
    }
}
