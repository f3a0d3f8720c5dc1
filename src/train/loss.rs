//! The loss of a batch: each head's own loss over the examples that carry its label, weighted and added.

use super::corpus::Item;
use super::labels::Labels;
use super::recipe::Recipe;
use crate::backend::HeadKind;
use crate::backend::candle::{Network, Output};
use candle_core::{D, Result, Tensor};
use ndarray::Array2;

/// Rows of a tensor and what a head should say about them, `[rows, classes]`.
struct Wanted {
    rows: Vec<u32>,
    targets: Array2<f32>,
}

impl Wanted {
    /// Stacks the targets that are there.
    fn of(classes: usize, rows: impl IntoIterator<Item = (usize, Vec<f32>)>) -> Option<Self> {
        let (mut indices, mut values) = (Vec::new(), Vec::new());
        for (row, target) in rows {
            indices.push(u32::try_from(row).ok()?);
            values.extend(target);
        }
        let targets = Array2::from_shape_vec((indices.len(), classes), values).ok()?;
        (!indices.is_empty()).then_some(Self { rows: indices, targets })
    }

    /// The head's logits for these rows, and the targets as a tensor.
    fn pair(self, network: &Network, kind: HeadKind, vectors: &Tensor) -> Result<(Tensor, Tensor)> {
        let chosen = vectors.index_select(&Tensor::new(self.rows, vectors.device())?, 0)?;
        let shape = self.targets.dim();
        let targets = Tensor::from_vec(self.targets.into_raw_vec_and_offset().0, shape, vectors.device())?;
        Ok((network.head(kind, &chosen)?, targets))
    }
}

/// Mean over rows of −Σ target · log softmax(logits).
fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    // Composed of differentiable operations; `candle_nn::ops::softmax_last_dim` has no backward pass.
    let log_probabilities = candle_nn::ops::log_softmax(logits, D::Minus1)?;
    (log_probabilities * targets)?.sum(D::Minus1)?.mean_all()?.neg()
}

/// Mean over rows of the sum over classes of the binary cross-entropy, stable for any logit:
/// max(x, 0) − x·y + ln(1 + e^−|x|).
fn binary_cross_entropy(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let log_part = (logits.abs()?.neg()?.exp()? + 1.0)?.log()?;
    ((logits.relu()? - (logits * targets)?)? + log_part)?.sum(D::Minus1)?.mean_all()
}

fn one_hot(classes: usize, class: usize, smoothing: f32) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "classes are few")]
    let spread = smoothing / classes as f32;
    (0..classes).map(|other| if other == class { 1.0 - smoothing + spread } else { spread }).collect()
}

/// The weighted loss of a batch, or `None` when no example of it carries any label.
///
/// # Errors
/// When the device fails.
pub fn batch_loss(network: &Network, output: &Output, items: &[&Item], labels: &Labels, recipe: &Recipe) -> Result<Option<Tensor>> {
    let intents = labels.intents.len() + usize::from(labels.rejection);
    let tags = crate::heads::tag_count(labels.entities.len());
    let numbered = || items.iter().enumerate();
    let intent = numbered().filter_map(|(row, item)| Some((row, one_hot(intents, item.targets.intent?, recipe.label_smoothing))));
    let sentiment = numbered().filter_map(|(row, item)| Some((row, item.targets.sentiment?.to_vec())));
    let emotions = numbered().filter_map(|(row, item)| Some((row, item.targets.emotions.clone()?)));
    let starts = items.iter().scan(0, |start, item| Some(std::mem::replace(start, *start + item.input.ids.len())));
    let words =
        starts.zip(items).flat_map(|(start, item)| item.targets.tags.iter().flatten().map(move |(token, tag)| (start + token, *tag)));
    let words = words.map(|(token, tag)| (token, one_hot(tags, tag, 0.0)));

    let heads = [
        (HeadKind::Intent, recipe.loss.intent, Wanted::of(intents, intent)),
        (HeadKind::Entities, recipe.loss.entities, Wanted::of(tags, words)),
        (HeadKind::Sentiment, recipe.loss.sentiment, Wanted::of(3, sentiment)),
        (HeadKind::Emotions, recipe.loss.emotions, Wanted::of(labels.emotions.len(), emotions)),
    ];
    let present: Vec<HeadKind> = network.kinds().collect();
    let mut total: Option<Tensor> = None;
    for (kind, weight, wanted) in heads {
        let Some(wanted) = wanted.filter(|_| weight > 0.0 && present.contains(&kind)) else { continue };
        let vectors = if kind == HeadKind::Entities { &output.tokens } else { &output.pooled };
        let (logits, targets) = wanted.pair(network, kind, vectors)?;
        let loss = if kind == HeadKind::Emotions { binary_cross_entropy(&logits, &targets)? } else { cross_entropy(&logits, &targets)? };
        let loss = (loss * weight)?;
        total = Some(match total {
            Some(total) => (total + loss)?,
            None => loss,
        });
    }
    Ok(total)
}
