//! Entities: BIO tags over words (Ramshaw and Marcus, 1995), decoded so that no tag sequence is invalid (Viterbi, 1967).

use super::{Head, Logits, Prediction, log_softmax};
use crate::backend::HeadKind;
use crate::model::{EntitiesManifest, HeadsManifest};
use crate::patterns::{Entity, Source};
use crate::text::{Encoded, Span};
use ndarray::Array1;

/// Number of tags for this many labels: `O`, and `B-` and `I-` of each.
#[must_use]
pub fn tag_count(labels: usize) -> usize {
    1 + 2 * labels
}

/// A tag by its row in the head: 0 is `O`, `1 + 2l` is `B-l`, `2 + 2l` is `I-l`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Outside,
    Begin(usize),
    Inside(usize),
}

impl Tag {
    fn of(row: usize) -> Self {
        match (row, row % 2) {
            (0, _) => Self::Outside,
            (row, 1) => Self::Begin(row / 2),
            (row, _) => Self::Inside(row / 2 - 1),
        }
    }

    /// Whether `self` may stand behind `before`; `None` is the start of the text.
    fn may_follow(self, before: Option<Self>) -> bool {
        match self {
            Self::Outside | Self::Begin(_) => true,
            Self::Inside(label) => matches!(before, Some(Self::Begin(other) | Self::Inside(other)) if other == label),
        }
    }
}

/// The most probable valid tag sequence. `scores` has one row of log-probabilities for each word, `[words][tags]`.
#[must_use]
pub fn viterbi(scores: &[Array1<f32>]) -> Vec<usize> {
    // best[tag]: score of the best valid path that ends in `tag`; back[word][tag]: the tag before it on that path.
    let mut best: Vec<f32> = Vec::new();
    let mut back: Vec<Vec<usize>> = Vec::new();
    for scores in scores {
        let step = scores.iter().enumerate().map(|(tag, score)| {
            if back.is_empty() && best.is_empty() {
                return (0, if Tag::of(tag).may_follow(None) { *score } else { f32::NEG_INFINITY });
            }
            let before = best.iter().enumerate().filter(|(before, _)| Tag::of(tag).may_follow(Some(Tag::of(*before))));
            let (before, so_far) = before.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, &f32::NEG_INFINITY));
            (before, so_far + score)
        });
        let (from, next): (Vec<usize>, Vec<f32>) = step.unzip();
        back.push(from);
        best = next;
    }
    let mut tag = best.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(tag, _)| tag);
    let mut path = Vec::with_capacity(scores.len());
    for from in back.iter().rev() {
        path.push(tag);
        tag = from.get(tag).copied().unwrap_or(0);
    }
    path.reverse();
    path
}

struct EntitiesHead(EntitiesManifest);

pub fn build(manifest: &HeadsManifest) -> Option<Box<dyn Head>> {
    manifest.entities.clone().map(|head| Box::new(EntitiesHead(head)) as Box<dyn Head>)
}

/// An entity being read: label, place, and the log-probabilities of its tags.
struct Open {
    label: usize,
    span: Span,
    scores: Vec<f32>,
}

impl EntitiesHead {
    fn close(&self, open: Open, found: &mut Vec<Entity>) {
        let Some(label) = self.0.labels.get(open.label) else { return };
        #[expect(clippy::cast_precision_loss, reason = "an entity has few words")]
        let mean = open.scores.iter().sum::<f32>() / open.scores.len().max(1) as f32;
        // The score is the geometric mean of the tags' probabilities, so that long entities are not punished.
        found.push(Entity { label: label.clone(), span: open.span, score: mean.exp(), source: Source::Model, value: None });
    }
}

impl Head for EntitiesHead {
    fn kind(&self) -> HeadKind {
        HeadKind::Entities
    }

    fn classes(&self) -> usize {
        tag_count(self.0.labels.len())
    }

    fn decode(&self, logits: Logits<'_>, input: &Encoded, prediction: &mut Prediction) {
        let words: Vec<_> = input.words.iter().filter(|word| word.token < logits.nrows()).collect();
        let scores: Vec<_> = words.iter().map(|word| log_softmax(logits.row(word.token), self.0.calibration.temperature)).collect();
        let mut found = Vec::new();
        let mut open: Option<Open> = None;
        for ((word, scores), tag) in words.into_iter().zip(&scores).zip(viterbi(&scores)) {
            let score = scores.get(tag).copied().unwrap_or(f32::NEG_INFINITY);
            match (Tag::of(tag), &mut open) {
                (Tag::Inside(_), Some(entity)) => {
                    entity.span.end = word.span.end;
                    entity.scores.push(score);
                }
                (Tag::Begin(label) | Tag::Inside(label), _) => {
                    if let Some(done) = open.replace(Open { label, span: word.span, scores: vec![score] }) {
                        self.close(done, &mut found);
                    }
                }
                (Tag::Outside, _) => {
                    if let Some(done) = open.take() {
                        self.close(done, &mut found);
                    }
                }
            }
        }
        if let Some(done) = open {
            self.close(done, &mut found);
        }
        prediction.entities = Some(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::arr1;

    fn score(path: &[usize], scores: &[Array1<f32>]) -> f32 {
        path.iter().zip(scores).map(|(&tag, scores)| scores[tag]).sum()
    }

    fn valid(path: &[usize]) -> bool {
        let mut before = None;
        path.iter().all(|&tag| {
            let fits = Tag::of(tag).may_follow(before);
            before = Some(Tag::of(tag));
            fits
        })
    }

    /// Every sequence of `length` tags out of `tags`.
    fn all(length: usize, tags: usize) -> Vec<Vec<usize>> {
        (0..tags.pow(u32::try_from(length).unwrap()))
            .map(|mut n| {
                (0..length)
                    .map(|_| {
                        let tag = n % tags;
                        n /= tags;
                        tag
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn viterbi_finds_what_trying_everything_finds() {
        let mut state = 7u32;
        for length in 0..5 {
            for _ in 0..20 {
                let mut next = || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    -f32::from((state >> 16) as u16) / 6554.0
                };
                let scores: Vec<_> = (0..length).map(|_| arr1(&[next(), next(), next(), next(), next()])).collect();
                let path = viterbi(&scores);
                assert!(valid(&path) && path.len() == length);
                let best = all(length, 5)
                    .into_iter()
                    .filter(|path| valid(path))
                    .map(|path| score(&path, &scores))
                    .fold(f32::NEG_INFINITY, f32::max);
                assert!(length == 0 || (score(&path, &scores) - best).abs() < 1e-5, "{path:?}");
            }
        }
    }
}
