//! A finished model on data that its author did not have: the same choices again, by the logits of the backend that serves it.

use super::{CalibrationOptions, calibrate};
use crate::backend::{Cores, Runner};
use crate::batch::PackedBatch;
use crate::data::{Example, IntentLabel};
use crate::model::{HeadsManifest, LoadedModel};
use crate::train::corpus::items;
use crate::train::labels::Labels;
use crate::train::validate::ROWS;
use anyhow::ensure;

/// The heads of `model` with temperatures and thresholds chosen on `examples`, by what `runner` computes. `step` hears of every
/// message that is done.
///
/// # Errors
/// When an example names an intent that the model lacks, or a message cannot be computed.
pub fn recalibrate(
    model: &LoadedModel,
    runner: &mut dyn Runner,
    examples: &[Example],
    options: &CalibrationOptions,
    step: &mut dyn FnMut(usize),
) -> anyhow::Result<HeadsManifest> {
    let mut heads = model.manifest.heads.clone();
    let labels = Labels::of_heads(&heads);
    if let Some(head) = &heads.intent {
        let unknown = examples.iter().find_map(|example| match &example.intent {
            Some(IntentLabel::Named(name)) if !head.labels.contains(name) => Some((example, name)),
            _ => None,
        });
        if let Some((example, name)) = unknown {
            anyhow::bail!("{}: intent `{name}` is none of the model's {}; leave the row out", example.place, head.labels.len());
        }
    }
    let items = items(examples, &labels, &model.text)?;
    ensure!(runner.limits().rows >= ROWS, "the backend takes {} rows at a time, {ROWS} are needed", runner.limits().rows);
    let mut logits = Vec::new();
    for items in items.chunks(ROWS) {
        logits.push(runner.run(&PackedBatch::new(items.iter().map(|item| &item.input)), Cores::All)?);
        step(items.len());
    }
    calibrate(&mut heads, &logits, &items, examples, options)?;
    Ok(heads)
}
