//! How long a step of training takes on this machine: forward, loss, backward and update of a batch of made-up messages.

use super::device::TrainingDevice;
use super::learner::Learner;
use super::optimizer::{Optimizer, Rates};
use super::parameters::Parameters;
use super::recipe::Recipe;
use crate::backend::HeadKind;
use crate::backend::candle::NetworkShape;
use crate::backend::training::Dropping;
use crate::batch::PackedBatch;
use crate::model::{EncoderConfig, Pooling};
use crate::text::Encoded;
use anyhow::{Context as _, ensure};
use candle_core::{D, Tensor};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use std::path::Path;
use std::time::{Duration, Instant};

/// Classes of the intent head.
const INTENTS: u32 = 77;

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct StepSize {
    /// Messages of a batch.
    pub rows: usize,
    /// Tokens of each.
    pub tokens: usize,
}

/// Times of `steps` steps on `device` after two that do not count, on the weights of `base`, and the loss of each.
///
/// # Errors
/// When the base cannot be read or the device fails.
pub fn step_times(base: &Path, device: TrainingDevice, size: StepSize, steps: usize) -> anyhow::Result<Vec<(Duration, f64)>> {
    let config = std::fs::read_to_string(base.join("config.json")).with_context(|| format!("`{}` has no config.json", base.display()))?;
    let config = EncoderConfig::parse(&config)?;
    let most = config.max_position_embeddings;
    ensure!((1..=4096).contains(&size.rows), "--rows is {}; give 1 to 4096", size.rows);
    ensure!((1..=most).contains(&size.tokens), "--tokens is {}; the base reads 1 to {most}", size.tokens);
    ensure!(steps > 0, "--steps is 0; give at least one");
    let vocabulary = u32::try_from(config.vocab_size)?;
    let shape = NetworkShape { encoder: config, pooling: Pooling::Mean, heads: vec![(HeadKind::Intent, INTENTS as usize)] };
    let recipe = Recipe::default();
    let parameters = Parameters::from_base(&shape, base, 1)?;
    let mut optimizer = Optimizer::new(&parameters, 1000);
    let mut learner = Learner::new(&shape, &parameters, device)?;
    let mut random = SmallRng::seed_from_u64(1);
    let mut times = Vec::new();
    for step in 0..steps as u64 + 2 {
        let rows: Vec<Encoded> = (0..size.rows).map(|_| message(size.tokens, vocabulary, &mut random)).collect();
        let classes: Vec<u32> = (0..size.rows).map(|_| random.random_range(0..INTENTS)).collect();
        let batch = PackedBatch::new(&rows);
        let started = Instant::now();
        let loss = |network: &crate::backend::candle::Network, output: &crate::backend::candle::Output| {
            let classes = Tensor::new(classes.as_slice(), output.pooled.device())?.unsqueeze(1)?;
            let likely = candle_nn::ops::log_softmax(&network.head(HeadKind::Intent, &output.pooled)?, D::Minus1)?.gather(&classes, 1)?;
            likely.mean_all()?.neg().map(Some)
        };
        let dropping = Dropping { probability: recipe.dropout, seed: step };
        if let Some((loss, gradients)) = learner.step(&parameters, &batch, dropping, loss)? {
            optimizer.step(&parameters, &gradients, &Rates::of(&recipe, shape.encoder.num_hidden_layers), step)?;
            times.push((started.elapsed(), loss));
        }
    }
    Ok(times.split_off(2.min(times.len())))
}

/// A message of random words.
fn message(tokens: usize, vocabulary: u32, random: &mut SmallRng) -> Encoded {
    let ids = (0..tokens).map(|_| random.random_range(0..vocabulary)).collect();
    Encoded { ids, segments: vec![0; tokens], words: Vec::new(), truncated: false }
}
