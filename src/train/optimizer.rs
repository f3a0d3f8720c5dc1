//! AdamW over all parameters, with warm-up, linear decay and clipping by the norm of the whole gradient.

use super::learner::StepGradients;
use super::parameters::Parameters;
use super::recipe::Recipe;
use crate::backend::candle::{Moments, update};
use candle_core::{Result, Tensor};
use hearken_kernels::AdamW;
use std::collections::HashMap;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f32 = 1e-8;

/// The optimiser's state.
pub struct Optimizer {
    moments: HashMap<String, Moments>,
    total_steps: u64,
}

/// Factor on the learning rate at `step` (from 0) of `total`: linear up over the warm-up, linear down to zero.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "steps are far below 2^52")]
pub fn schedule(step: u64, total: u64, warmup: f64) -> f64 {
    let (step, total) = (step as f64 + 1.0, total.max(1) as f64);
    let rise = (total * warmup).max(1.0);
    if step <= rise { step / rise } else { ((total - step) / (total - rise).max(1.0)).max(0.0) }
}

/// The highest learning rate of each parameter.
#[derive(Debug, Clone, Copy)]
pub struct Rates<'a> {
    recipe: &'a Recipe,
    layers: usize,
}

impl<'a> Rates<'a> {
    /// Those of a recipe, for an encoder of `layers` layers.
    #[must_use]
    pub fn of(recipe: &'a Recipe, layers: usize) -> Self {
        Self { recipe, layers }
    }

    /// The rate of a parameter: the heads' own, the encoder's for its last layer, and less for each layer below it.
    fn rate(&self, name: &str) -> f64 {
        if name.starts_with("heads.") {
            return self.recipe.head_learning_rate;
        }
        let layer = name.strip_prefix("encoder.layer.").and_then(|rest| rest.split('.').next()?.parse::<usize>().ok());
        let below = layer.map_or(self.layers, |layer| self.layers.saturating_sub(layer + 1));
        self.recipe.learning_rate * self.recipe.layer_decay.powi(i32::try_from(below).unwrap_or(i32::MAX))
    }
}

impl Optimizer {
    /// A fresh optimiser for a run of `total_steps`.
    #[must_use]
    pub fn new(parameters: &Parameters, total_steps: u64) -> Self {
        let zeros = |var: &candle_core::Var| Moments::zero(var.elem_count());
        Self { moments: parameters.iter().map(|(name, var)| (name.to_owned(), zeros(var))).collect(), total_steps }
    }

    /// An optimiser that goes on from saved moments.
    ///
    /// # Errors
    /// When a tensor is not of f32.
    pub fn restore(parameters: &Parameters, saved: &HashMap<String, Tensor>, total_steps: u64) -> Result<Self> {
        let mut optimizer = Self::new(parameters, total_steps);
        for (name, Moments { first, second }) in &mut optimizer.moments {
            for (part, values) in [("first", first), ("second", second)] {
                let key = format!("{part}.{name}");
                let saved = saved.get(&key).ok_or_else(|| candle_core::Error::Msg(format!("the checkpoint lacks `{key}`")))?;
                *values = saved.flatten_all()?.to_vec1()?;
            }
        }
        Ok(optimizer)
    }

    /// Steps of the whole run.
    #[must_use]
    pub fn total_steps(&self) -> u64 {
        self.total_steps
    }

    /// The moments as tensors, to be saved.
    ///
    /// # Errors
    /// When memory is short.
    pub fn tensors(&self) -> Result<HashMap<String, Tensor>> {
        let mut tensors = HashMap::new();
        for (name, Moments { first, second }) in &self.moments {
            for (part, values) in [("first", first), ("second", second)] {
                tensors.insert(format!("{part}.{name}"), Tensor::new(values.as_slice(), &candle_core::Device::Cpu)?);
            }
        }
        Ok(tensors)
    }

    /// One step after `done` others. Gives the norm of the gradient before clipping.
    ///
    /// # Errors
    /// When a gradient is not finite or the device fails.
    #[expect(clippy::cast_possible_truncation, reason = "learning rates and moments are kept in f32")]
    pub fn step(&mut self, parameters: &Parameters, gradients: &StepGradients<'_>, rates: &Rates<'_>, done: u64) -> Result<f64> {
        let norm = gradients.squares(parameters)?.sqrt();
        if !norm.is_finite() {
            candle_core::bail!("the gradient is not finite at step {}; lower learning_rate", done + 1);
        }
        let recipe = rates.recipe;
        let factor = schedule(done, self.total_steps, recipe.warmup);
        let power = i32::try_from(done + 1).unwrap_or(i32::MAX);
        gradients.each(parameters, |name, var, gradient| {
            let Some(moments) = self.moments.get_mut(name) else { return Ok(()) };
            let rate = rates.rate(name);
            let step = AdamW {
                learning_rate: (rate * factor) as f32,
                beta1: BETA1 as f32,
                beta2: BETA2 as f32,
                epsilon: EPSILON,
                weight_decay: if var.rank() > 1 { recipe.weight_decay as f32 } else { 0.0 },
                correction1: (1.0 - BETA1.powi(power)) as f32,
                correction2: (1.0 - BETA2.powi(power)) as f32,
                gradient_scale: (recipe.clip_norm / norm.max(recipe.clip_norm)) as f32,
            };
            update(var, step, gradient, moments)
        })?;
        Ok(norm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_layers_learn_less() {
        let recipe = Recipe { learning_rate: 1.0, head_learning_rate: 3.0, layer_decay: 0.5, ..Recipe::default() };
        let rates = Rates::of(&recipe, 2);
        let of =
            ["heads.intent.weight", "encoder.layer.1.output.dense.bias", "encoder.layer.0.output.dense.bias", "embeddings.LayerNorm.bias"];
        assert_eq!(of.map(|name| rates.rate(name)), [3.0, 1.0, 0.5, 0.25]);
    }

    #[test]
    fn the_rate_rises_and_falls_to_zero() {
        assert!((schedule(0, 100, 0.1) - 0.1).abs() < 1e-12);
        assert!((schedule(9, 100, 0.1) - 1.0).abs() < 1e-12);
        assert!((schedule(54, 100, 0.1) - 0.5).abs() < 1e-12);
        assert_eq!(schedule(99, 100, 0.1), 0.0);
        assert_eq!(schedule(500, 100, 0.1), 0.0);
    }
}
