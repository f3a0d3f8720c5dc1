//! A teacher's word: what another model makes of each training message, for a student to learn from beside the labels, and in their place
//! where there are none (Hinton et al., 2015).

use super::corpus::Item;
use super::device::TrainingDevice;
use super::labels::Labels;
use super::learner::Learner;
use super::parameters::Parameters;
use super::validate::ROWS;
use crate::backend::candle::NetworkShape;
use crate::backend::{BatchLogits, HeadKind};
use crate::batch::PackedBatch;
use crate::data::Example;
use crate::heads::{sigmoid, softmax};
use crate::model::LoadedModel;
use crate::text::{Encoded, Span};
use anyhow::Context as _;
use std::collections::HashMap;
use std::path::Path;

/// What a teacher says of one message; nothing of heads that it lacks, or that lack one of the student's labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taught {
    /// Probability of each intent, the rejection included.
    pub intent: Option<Vec<f32>>,
    /// Token of each word, and the probability of each of its tags.
    pub tags: Option<Vec<(usize, Vec<f32>)>>,
    /// Probability of each feeling.
    pub sentiment: Option<Vec<f32>>,
    /// Probability of each emotion.
    pub emotions: Option<Vec<f32>>,
}

/// Asks the teacher about every example, whose item is the one at its place.
///
/// # Errors
/// When the teacher cannot be opened, or fails.
pub fn teach(teacher: &Path, labels: &Labels, examples: &[Example], items: &mut [Item]) -> anyhow::Result<()> {
    let model = LoadedModel::open(teacher).with_context(|| format!("teacher `{}`", teacher.display()))?;
    let shape = NetworkShape::of(&model);
    let parameters = Parameters::from_model(&shape, &model)?;
    let mut learner = Learner::new(&shape, &parameters, TrainingDevice::Cpu)?;
    let columns = Columns::of(labels, &Labels::of_heads(&model.manifest.heads));
    for (examples, items) in examples.chunks(ROWS).zip(items.chunks_mut(ROWS)) {
        let encode = |example: &Example| model.text.encode(&example.text, example.context.iter().map(|turn| &turn.text));
        let inputs: Vec<Encoded> = examples.iter().map(encode).collect::<Result<_, _>>()?;
        let logits = learner.logits(&parameters, &PackedBatch::new(&inputs))?;
        for (row, (input, item)) in inputs.iter().zip(items).enumerate() {
            item.taught = columns.read(&logits, row, input, &item.input);
        }
    }
    Ok(())
}

/// For each head, where the student's labels stand among the teacher's; none where one is missing.
struct Columns(HashMap<&'static str, Vec<usize>>);

impl Columns {
    fn of(student: &Labels, teacher: &Labels) -> Self {
        let both = student.rows().into_iter().zip(teacher.rows());
        let places = |ours: &[String], theirs: &[String]| -> Option<Vec<usize>> {
            ours.iter().map(|label| theirs.iter().position(|other| other == label)).collect()
        };
        Self(
            both.filter_map(|((head, ours), (_, theirs))| Some((head, places(&ours, &theirs).filter(|places| !places.is_empty())?)))
                .collect(),
        )
    }

    fn read(&self, logits: &BatchLogits, row: usize, theirs: &Encoded, ours: &Encoded) -> Taught {
        let message = |kind: HeadKind| self.pick(logits, kind, row, 0);
        Taught {
            intent: message(HeadKind::Intent).map(|logits| probabilities(&logits)),
            tags: self.tags(logits, row, theirs, ours),
            sentiment: message(HeadKind::Sentiment).map(|logits| probabilities(&logits)),
            emotions: message(HeadKind::Emotions).map(|logits| logits.iter().map(|logit| sigmoid(*logit, 1.0)).collect()),
        }
    }

    /// The tags of the words that both read at the same place.
    fn tags(&self, logits: &BatchLogits, row: usize, theirs: &Encoded, ours: &Encoded) -> Option<Vec<(usize, Vec<f32>)>> {
        let places: HashMap<Span, usize> = theirs.words.iter().map(|word| (word.span, word.token)).collect();
        let words = ours.words.iter().filter(|word| word.token < ours.ids.len());
        let tag = |word: &crate::text::Word| {
            let token = places.get(&word.span).copied().filter(|token| *token < theirs.ids.len())?;
            Some((word.token, probabilities(&self.pick(logits, HeadKind::Entities, row, token)?)))
        };
        let tags: Vec<_> = words.filter_map(tag).collect();
        (!tags.is_empty()).then_some(tags)
    }

    fn pick(&self, logits: &BatchLogits, kind: HeadKind, row: usize, line: usize) -> Option<Vec<f32>> {
        let columns = self.0.get(kind.name())?;
        let values = logits.row(kind, row)?;
        columns.iter().map(|column| values.get((line, *column)).copied()).collect()
    }
}

/// What a teacher's logits mean before any calibration.
fn probabilities(logits: &[f32]) -> Vec<f32> {
    softmax(logits.into(), 1.0).to_vec()
}

/// The teacher's word and the labels: `weight` of the one and the rest of the other, or what there is of them.
#[must_use]
pub fn blend(known: Option<Vec<f32>>, taught: Option<&Vec<f32>>, weight: f32) -> Option<Vec<f32>> {
    match (known, taught) {
        (Some(known), Some(taught)) => {
            Some(known.iter().zip(taught).map(|(known, taught)| (1.0 - weight) * known + weight * taught).collect())
        }
        (Some(known), None) => Some(known),
        (None, taught) => taught.cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_the_teacher_are_blended() {
        let soft = vec![0.5, 0.5];
        assert_eq!(blend(Some(vec![1.0, 0.0]), Some(&soft), 0.5), Some(vec![0.75, 0.25]));
        assert_eq!(blend(None, Some(&soft), 0.5), Some(soft.clone()));
        assert_eq!(blend(Some(vec![1.0, 0.0]), None, 0.5), Some(vec![1.0, 0.0]));
        assert_eq!(blend(None, None, 0.5), None);
    }

    #[test]
    fn a_head_is_taught_where_the_teacher_knows_every_label() {
        let labels = |intents: &[&str], emotions: &[&str]| Labels {
            intents: intents.iter().map(|name| (*name).to_owned()).collect(),
            emotions: emotions.iter().map(|name| (*name).to_owned()).collect(),
            ..Labels::default()
        };
        let columns = Columns::of(&labels(&["b", "a"], &["x", "new"]), &labels(&["a", "b", "c"], &["x"]));
        assert_eq!(columns.0.get("intent"), Some(&vec![1, 0]));
        assert!(!columns.0.contains_key("emotions") && !columns.0.contains_key("sentiment"));
    }
}
