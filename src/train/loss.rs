//! The loss of a batch: each head's own loss over the examples that carry its label, weighted and added.

use super::corpus::Item;
use super::labels::Labels;
use super::recipe::Recipe;
use super::teach::blend;
use crate::backend::HeadKind;
use crate::backend::candle::{Network, Output};
use candle_core::{D, Result, Tensor};
use ndarray::Array2;
use std::collections::BTreeMap;

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

/// Mean over pairs of ½ (KL(p‖q) + KL(q‖p)) = ½ Σ (p − q)(ln p − ln q), where row `i` of the first half of the logits gives `p` and row
/// `i` of the second half `q` (Liang et al., 2021, "R-Drop").
fn disagreement(logits: &Tensor) -> Result<Tensor> {
    let pairs = logits.dim(0)? / 2;
    let log_probabilities = candle_nn::ops::log_softmax(logits, D::Minus1)?;
    let (p, q) = (log_probabilities.narrow(0, 0, pairs)?, log_probabilities.narrow(0, pairs, pairs)?);
    (((p.exp()? - q.exp()?)? * (p - q)?)?.sum(D::Minus1)?.mean_all()? * 0.5)?.contiguous()
}

/// Supervised contrastive loss over the messages of a batch (Khosla et al., 2020, equation 2): mean over messages with others of
/// their intent of −mean over those of log softmax of the cosines over `temperature`. `None` where no two share an intent.
///
/// # Errors
/// When the device fails.
pub fn contrastive_loss(pooled: &Tensor, items: &[&Item], temperature: f64) -> Result<Option<Tensor>> {
    let classes: Vec<Option<usize>> = items.iter().map(|item| item.targets.intent).collect();
    let n = classes.len();
    let mut wanted = Array2::<f32>::zeros((n, n));
    let mut anchors = 0u32;
    for (i, mut row) in wanted.rows_mut().into_iter().enumerate() {
        let same = |j: usize| i != j && classes.get(i).is_some_and(|class| class.is_some() && classes.get(j) == Some(class));
        let others = (0..n).filter(|j| same(*j)).count();
        #[expect(clippy::cast_precision_loss, reason = "a batch has at most some thousand rows")]
        row.iter_mut().enumerate().filter(|(j, _)| same(*j)).for_each(|(_, x)| *x = 1.0 / others as f32);
        anchors += u32::from(others > 0);
    }
    if anchors == 0 {
        return Ok(None);
    }
    let itself = Tensor::eye(n, pooled.dtype(), pooled.device())?.affine(-1e4, 0.0)?;
    let length = (pooled.sqr()?.sum_keepdim(D::Minus1)? + 1e-12)?.sqrt()?;
    let unit = pooled.broadcast_div(&length)?;
    let cosines = (unit.matmul(&unit.t()?)? / temperature)?.add(&itself)?;
    let wanted = Tensor::from_vec(wanted.into_raw_vec_and_offset().0, (n, n), pooled.device())?;
    let loss = (candle_nn::ops::log_softmax(&cosines, D::Minus1)? * wanted)?.sum_all()?.neg()?;
    (loss / f64::from(anchors)).map(Some)
}

fn one_hot(classes: usize, class: usize, smoothing: f32) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "classes are few")]
    let spread = smoothing / classes as f32;
    (0..classes).map(|other| if other == class { 1.0 - smoothing + spread } else { spread }).collect()
}

/// As [`one_hot`], times the weight of the class.
fn weighted_one_hot(classes: usize, class: usize, smoothing: f32, weights: &[f32]) -> Vec<f32> {
    let mut row = one_hot(classes, class, smoothing);
    if let Some(weight) = weights.get(class) {
        for x in &mut row {
            *x *= weight;
        }
    }
    row
}

/// What is known of a word, and what a teacher says of it.
type Wish<'a> = (Option<Vec<f32>>, Option<&'a Vec<f32>>);

/// Token and wanted tags of each word that anything is known of; the row's tokens begin at `start`.
fn word_targets(item: &Item, tags: usize, weight: f32, start: usize) -> Vec<(usize, Vec<f32>)> {
    let mut words: BTreeMap<usize, Wish<'_>> = BTreeMap::new();
    for (token, tag) in item.targets.tags.iter().flatten() {
        words.entry(*token).or_default().0 = Some(one_hot(tags, *tag, 0.0));
    }
    for (token, taught) in item.taught.tags.iter().flatten() {
        words.entry(*token).or_default().1 = Some(taught);
    }
    words.into_iter().filter_map(|(token, (known, taught))| Some((start + token, blend(known, taught, weight)?))).collect()
}

/// What decides how much each label counts.
pub struct Weighing<'a> {
    /// The heads' rows.
    pub labels: &'a Labels,
    /// Weights of the heads.
    pub recipe: &'a Recipe,
    /// Weight of each intent's messages, `[intents]`; empty where all count alike.
    pub intents: &'a [f32],
}

/// Weight of each class's messages: its frequency to the power of minus `exponent`, with a mean of 1 over the messages.
#[must_use]
pub fn class_weights(classes: usize, items: &[Item], exponent: f64) -> Vec<f32> {
    if exponent <= 0.0 {
        return Vec::new();
    }
    let mut counts = vec![0.0f64; classes];
    for class in items.iter().filter_map(|item| item.targets.intent) {
        if let Some(count) = counts.get_mut(class) {
            *count += 1.0;
        }
    }
    let raw: Vec<f64> = counts.iter().map(|count| count.max(1.0).powf(-exponent)).collect();
    let (total, weighted) = counts.iter().zip(&raw).fold((0.0, 0.0), |(total, sum), (count, weight)| (total + count, sum + count * weight));
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    let weights = raw.into_iter().map(|weight| (weight * total / weighted.max(1e-12)) as f32).collect();
    weights
}

/// The weighted loss of a batch, or `None` when no example of it carries any label. With `recipe.consistency` the batch holds every message
/// twice, all of them once and then all again.
///
/// # Errors
/// When the device fails.
pub fn batch_loss(network: &Network, output: &Output, items: &[&Item], weighing: &Weighing<'_>) -> Result<Option<Tensor>> {
    let Weighing { labels, recipe, intents: weights } = weighing;
    let intents = labels.intents.len() + usize::from(labels.rejection);
    let tags = crate::heads::tag_count(labels.entities.len());
    let numbered = || items.iter().enumerate();
    let taught = |known, taught: Option<&Vec<f32>>| blend(known, taught, recipe.teacher_weight);
    let intent = numbered().filter_map(|(row, item)| {
        let known = item.targets.intent.map(|class| weighted_one_hot(intents, class, recipe.label_smoothing, weights));
        Some((row, taught(known, item.taught.intent.as_ref())?))
    });
    let sentiment =
        numbered().filter_map(|(row, item)| Some((row, taught(item.targets.sentiment.map(Vec::from), item.taught.sentiment.as_ref())?)));
    let emotions = numbered().filter_map(|(row, item)| Some((row, taught(item.targets.emotions.clone(), item.taught.emotions.as_ref())?)));
    let starts = items.iter().scan(0, |start, item| Some(std::mem::replace(start, *start + item.input.ids.len())));
    let words = starts.zip(items).flat_map(|(start, item)| word_targets(item, tags, recipe.teacher_weight, start));

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
        let mut loss =
            if kind == HeadKind::Emotions { binary_cross_entropy(&logits, &targets)? } else { cross_entropy(&logits, &targets)? };
        if recipe.consistency > 0.0 && kind != HeadKind::Emotions {
            loss = (loss + (disagreement(&logits)? * recipe.consistency)?)?;
        }
        let loss = (loss * weight)?;
        total = Some(match total {
            Some(total) => (total + loss)?,
            None => loss,
        });
    }
    Ok(total)
}
