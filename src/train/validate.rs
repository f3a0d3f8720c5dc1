//! Logits and report on validation data, by the graph that trains.

use super::corpus::Item;
use super::learner::Learner;
use super::parameters::Parameters;
use crate::backend::BatchLogits;
use crate::batch::PackedBatch;
use crate::data::Example;
use crate::eval::{Judged, Report, report};
use crate::heads::Heads;
use crate::model::HeadsManifest;

/// Rows of one forward pass.
pub const ROWS: usize = 32;

/// Logits of every item, in batches of `ROWS`.
///
/// # Errors
/// When the device fails.
pub fn logits(learner: &mut Learner, parameters: &Parameters, items: &[Item]) -> candle_core::Result<Vec<BatchLogits>> {
    let batch = |items: &[Item]| learner.logits(parameters, &PackedBatch::new(items.iter().map(|item| &item.input)));
    items.chunks(ROWS).map(batch).collect()
}

/// The row of `logits` that belongs to an item.
pub fn place(item: usize) -> (usize, usize) {
    (item / ROWS, item % ROWS)
}

/// Scores logits against what is known.
///
/// # Errors
/// When a logit is not finite.
pub fn score(heads: &HeadsManifest, logits: &[BatchLogits], items: &[Item], examples: &[Example]) -> anyhow::Result<Report> {
    let decoder = Heads::of(heads);
    let mut judged = Vec::with_capacity(items.len());
    for (index, (item, example)) in items.iter().zip(examples).enumerate() {
        let (batch, row) = place(index);
        let Some(batch) = logits.get(batch) else { break };
        judged.push(Judged { example, prediction: decoder.decode(batch, row, &item.input)?, escalated: None });
    }
    Ok(report(&judged))
}
