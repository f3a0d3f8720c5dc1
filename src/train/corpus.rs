//! The examples of a run: read, split, encoded, and turned into targets.

use super::labels::Labels;
use super::recipe::Recipe;
use super::teach::Taught;
use crate::data::{DataDirectory, Example, IntentLabel, Split};
use crate::heads::tag_count;
use crate::model::{DataProvenance, file_sha256};
use crate::text::{Encoded, TextEncoder};
use anyhow::{Context as _, ensure};
use rand::seq::SliceRandom as _;
use rand::{SeedableRng as _, rngs::SmallRng};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Train and validation examples, and where they come from.
#[derive(Debug)]
pub struct Corpus {
    /// What weights are fitted on.
    pub train: Vec<Example>,
    /// What is chosen by.
    pub valid: Vec<Example>,
    /// Whether `valid` was held out of the training rows, for want of a `valid.jsonl`.
    pub held_out: bool,
    /// Files with their hashes.
    pub provenance: Vec<DataProvenance>,
}

impl Corpus {
    /// Reads data directories. Validation is every `valid.jsonl` there is; without any it is a seeded part of `train`, stratified
    /// by intent.
    ///
    /// # Errors
    /// When a file cannot be read or holds a wrong line.
    pub fn read(paths: &[PathBuf], recipe: &Recipe, seed: u64) -> anyhow::Result<Self> {
        let mut corpus = Self { train: Vec::new(), valid: Vec::new(), held_out: false, provenance: Vec::new() };
        for path in paths {
            let directory = DataDirectory::new(path);
            corpus.add(&directory, Split::Train)?;
            if directory.has(Split::Valid) {
                corpus.add(&directory, Split::Valid)?;
            }
        }
        if corpus.valid.is_empty() {
            let rows = std::mem::take(&mut corpus.train);
            #[expect(clippy::cast_precision_loss, reason = "rows are far below 2^52")]
            let share = recipe.valid_share.min(recipe.valid_rows as f64 / rows.len().max(1) as f64);
            (corpus.train, corpus.valid) = stratified(rows, share, seed);
            corpus.held_out = true;
        }
        ensure!(!corpus.train.is_empty() && !corpus.valid.is_empty(), "the data leaves nothing to train or to validate on; add examples");
        Ok(corpus)
    }

    fn add(&mut self, directory: &DataDirectory, split: Split) -> anyhow::Result<()> {
        let examples = directory.read(split)?;
        let file = directory.file(split);
        let sha256 = file_sha256(&file).with_context(|| format!("`{}` cannot be read", file.display()))?;
        self.provenance.push(DataProvenance { file: directory.label(split), rows: examples.len(), sha256 });
        match split {
            Split::Valid => self.valid.extend(examples),
            Split::Train | Split::Test => self.train.extend(examples),
        }
        Ok(())
    }

    /// Whether any example has turns before it.
    #[must_use]
    pub fn has_context(&self) -> bool {
        self.train.iter().any(|example| !example.context.is_empty())
    }
}

/// Takes `share` of each intent's examples out, as near as whole numbers come over all intents.
fn stratified(examples: Vec<Example>, share: f64, seed: u64) -> (Vec<Example>, Vec<Example>) {
    let mut groups: BTreeMap<Option<String>, Vec<Example>> = BTreeMap::new();
    for example in examples {
        groups.entry(example.intent.as_ref().map(|intent| intent.name().to_owned())).or_default().push(example);
    }
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut train, mut valid) = (Vec::new(), Vec::new());
    for mut group in groups.into_values() {
        group.shuffle(&mut random);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let taken = (group.len() as f64 * share).round() as usize;
        let taken = taken.clamp(usize::from(group.len() > 1), group.len().saturating_sub(1));
        valid.extend(group.drain(..taken));
        train.extend(group);
    }
    (train, valid)
}

/// Targets of one example; `None` where nothing is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// Row of the intent head.
    pub intent: Option<usize>,
    /// Token and tag of each word.
    pub tags: Option<Vec<(usize, usize)>>,
    /// Probability of each feeling.
    pub sentiment: Option<[f32; 3]>,
    /// 0 or 1 for each emotion.
    pub emotions: Option<Vec<f32>>,
}

/// An example ready for the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Tokens.
    pub input: Encoded,
    /// Targets.
    pub targets: Targets,
    /// What a teacher says of it.
    pub taught: Taught,
}

/// Encodes examples and looks their labels up.
///
/// # Errors
/// When the tokenizer fails.
pub fn items(examples: &[Example], labels: &Labels, text: &TextEncoder) -> anyhow::Result<Vec<Item>> {
    let item = |example: &Example| {
        let input = text.encode(&example.text, example.context.iter().map(|turn| &turn.text)).with_context(|| example.place.to_string())?;
        let targets = targets(example, labels, &input);
        Ok(Item { input, targets, taught: Taught::default() })
    };
    examples.iter().map(item).collect()
}

fn targets(example: &Example, labels: &Labels, input: &Encoded) -> Targets {
    let intent = example.intent.as_ref().and_then(|intent| match intent {
        IntentLabel::Named(name) => labels.intents.iter().position(|label| label == name),
        IntentLabel::OutOfScope => labels.rejection.then_some(labels.intents.len()),
    });
    let emotions =
        example.emotions.as_ref().map(|known| labels.emotions.iter().map(|label| f32::from(u8::from(known.contains(label)))).collect());
    Targets { intent, tags: tags(example, labels, input), sentiment: example.sentiment, emotions }
}

/// The tag of each word: the first word of an entity begins it, every further word that it touches is inside.
fn tags(example: &Example, labels: &Labels, input: &Encoded) -> Option<Vec<(usize, usize)>> {
    let entities = example.entities.as_ref()?;
    let mut begun = vec![false; entities.len()];
    let words = input.words.iter().filter(|word| word.token < input.ids.len());
    let tag = |word: &crate::text::Word| {
        let touched = entities.iter().zip(&mut begun).find(|(entity, _)| entity.span.overlaps(word.span));
        let label = touched.and_then(|(entity, begun)| {
            let label = labels.entities.iter().position(|label| *label == entity.label)?;
            Some(1 + 2 * label + usize::from(std::mem::replace(begun, true)))
        });
        (word.token, label.unwrap_or(0))
    };
    let tags: Vec<_> = words.map(tag).collect();
    debug_assert!(tags.iter().all(|(_, tag)| *tag < tag_count(labels.entities.len())));
    Some(tags)
}
