//! Fills the slots of an utterance with values.

use super::built_in;
use crate::data::import::{Label, Pieces};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Examples that one utterance with slots becomes, if the slots have as many values.
const EXAMPLES: usize = 4;

/// Slot types by locale and name, and their words.
type Types = BTreeMap<(String, String), Vec<String>>;

/// The slots of an intent.
#[derive(Debug)]
pub struct Slots<'a> {
    locale: &'a str,
    types: &'a Types,
    /// Slot → its type.
    kinds: BTreeMap<String, String>,
}

impl<'a> Slots<'a> {
    /// No slots yet.
    pub fn new(locale: &'a str, types: &'a Types) -> Self {
        Self { locale, types, kinds: BTreeMap::new() }
    }

    /// Adds a slot and its type.
    pub fn add(&mut self, slot: String, kind: String) {
        self.kinds.insert(slot, kind);
    }

    /// The label of a slot and the words for it.
    fn fill(&self, slot: &str) -> Result<(Label, Vec<&str>), String> {
        let kind = self.kinds.get(slot).ok_or_else(|| format!("`{{{slot}}}` is no slot of the intent"))?;
        let built_in = kind.starts_with("AMAZON.");
        let words: Vec<&str> = match self.types.get(&(self.locale.to_owned(), kind.clone())) {
            Some(words) => words.iter().map(String::as_str).filter(|word| !word.trim().is_empty()).collect(),
            None => built_in::words(kind).to_vec(),
        };
        if words.is_empty() {
            return Err(format!(
                "slot type `{kind}` of `{{{slot}}}` has no values to fill the utterance with; give it some, or write the utterance out"
            ));
        }
        Ok((Label::of_slot(slot, kind, built_in), words))
    }
}

/// A stretch of an utterance.
enum Stretch<'a> {
    Text(&'a str),
    Slot(Label, Vec<&'a str>),
}

/// The examples of an utterance.
///
/// # Errors
/// A sentence, when a brace is open, or a slot is unknown or has no values.
pub fn examples(utterance: &str, slots: &Slots<'_>, random: &mut ChaCha8Rng) -> Result<Vec<Pieces>, String> {
    let (mut stretches, mut rest) = (Vec::new(), utterance);
    while let Some((before, opened)) = rest.split_once('{') {
        let (slot, after) = opened.split_once('}').ok_or_else(|| format!("the brace of `{{{opened}` is not closed"))?;
        let (label, words) = slots.fill(slot.trim())?;
        stretches.extend([Stretch::Text(before), Stretch::Slot(label, words)]);
        rest = after;
    }
    stretches.push(Stretch::Text(rest));
    let most = stretches.iter().map(|stretch| if let Stretch::Slot(_, words) = stretch { words.len() } else { 1 }).max().unwrap_or(1);
    // Each slot goes through its words from a place of its own, so that two slots of one type differ and few words repeat.
    let starts: Vec<usize> = stretches.iter().map(|_| random.random_range(0..most)).collect();
    Ok((0..most.min(EXAMPLES)).map(|example| filled(&stretches, &starts, example)).collect())
}

fn filled(stretches: &[Stretch<'_>], starts: &[usize], example: usize) -> Pieces {
    let mut pieces = Pieces::default();
    for (stretch, start) in stretches.iter().zip(starts) {
        match stretch {
            Stretch::Text(text) => pieces.text(text),
            Stretch::Slot(label, words) => {
                let word = words.get((start + example) % words.len()).copied().unwrap_or_default();
                pieces.entity(word, label.clone());
            }
        }
    }
    pieces
}
