//! How do people really type? Each distortion makes a message worse in one way and keeps its labels, to learn from and to measure with.
//!
//! A distortion is one file and one line in [`DISTORTIONS`]. What it adds from lists (a story, a signature, a fault of hearing) comes
//! from one half of the list when a model is to learn from it and from the other when it is to be measured.

mod added;
mod bare;
mod capitals;
mod dialect;
mod emoji;
mod quoted;
mod run_together;
mod signature;
mod speech;
mod story;
mod swaps;
mod typos;
mod url;
mod vowels;

use super::rewrite::{Edit, Rewritten};
use super::{EntityError, Record, RowEntity, RowSentiment};
use crate::heads::Sentiment;
use crate::text::{OffsetUnit, Span};
use rand::SeedableRng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest as _, Sha256};

/// What distorted messages are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A model learns from them.
    Learn,
    /// A model is measured with them.
    Measure,
}

impl Purpose {
    /// The half of a list that is for this.
    fn half<T>(self, all: &[T]) -> &[T] {
        let (learn, measure) = all.split_at(all.len() / 2);
        if self == Self::Learn { learn } else { measure }
    }
}

/// A message that is to be distorted.
pub struct Message<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its feeling, if known.
    pub sentiment: Option<Sentiment>,
    /// What it is wanted for.
    pub purpose: Purpose,
}

/// What becomes of a message.
#[derive(Debug, Default)]
pub struct Changes {
    /// What is put before the text.
    pub before: String,
    /// Changes in the text, sorted and apart.
    pub edits: Vec<Edit>,
    /// What is put behind the text.
    pub after: String,
    /// Surface and label of the one entity in `after`, if it has one.
    pub entity: Option<(&'static str, &'static str)>,
}

/// A way to type worse.
pub trait Distortion: Sync {
    /// Name in options and reports.
    fn name(&self) -> &'static str;
    /// What it does, in a few words.
    fn about(&self) -> &'static str;
    /// Distorts a message.
    fn distort(&self, message: &Message<'_>, dice: &mut ChaCha8Rng) -> Changes;
}

/// Every distortion.
pub const DISTORTIONS: &[&dyn Distortion] = &[
    &typos::Typos,
    &vowels::Vowels,
    &capitals::Capitals,
    &bare::Bare,
    &run_together::RunTogether,
    &emoji::Emoji,
    &speech::Speech,
    &dialect::Dialect,
    &quoted::QUOTED,
    &signature::Signature,
    &url::URL,
    &story::STORY,
];

/// The distortion of a name.
///
/// # Errors
/// A sentence with every name, when there is none.
pub fn distortion(name: &str) -> Result<&'static dyn Distortion, String> {
    let known = || DISTORTIONS.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    DISTORTIONS
        .iter()
        .copied()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| format!("no distortion is called `{name}`; there are {}", known()))
}

/// The row's line with its message distorted and its entities carried over; the same for the same text, distortion and seed.
///
/// # Errors
/// When an entity does not lie in the text.
pub fn distort(record: &Record, kind: &dyn Distortion, purpose: Purpose, seed: u64) -> Result<String, EntityError> {
    let row = &record.row;
    let sentiment = row.sentiment.and_then(|sentiment| match sentiment {
        RowSentiment::Label(label) => Some(label),
        RowSentiment::Score(_) => None,
    });
    let mut dice = dice(&[kind.name(), &row.text], seed);
    let changes = kind.distort(&Message { text: &row.text, sentiment, purpose }, &mut dice);
    let new = Rewritten::new(&row.text, &changes.edits);
    let text = format!("{}{}{}", changes.before, new.text, changes.after);
    if row.entities.is_none() {
        return Ok(record.with_fields(&[("text", text.into())]));
    }
    let offsets = |span: Span| span.offsets(&text, OffsetUnit::Codepoint);
    let mut moved = Vec::new();
    for (span, entity) in record.entities()? {
        let span = new.span(span);
        // Nothing is left of one that has lost every letter.
        if !span.is_empty() {
            let before = changes.before.len();
            let (start, end) = offsets(Span { start: span.start + before, end: span.end + before });
            moved.push(RowEntity { start, end, ..entity.clone() });
        }
    }
    if let Some((surface, label)) = changes.entity
        && let Some(at) = text.rfind(surface)
    {
        let (start, end) = offsets(Span { start: at, end: at + surface.len() });
        moved.push(RowEntity::new(start, end, label));
    }
    let entities = serde_json::to_value(moved).unwrap_or_default();
    Ok(record.with_fields(&[("text", text.into()), ("entities", entities)]))
}

/// Dice for a thing of these words: the same words and seed throw the same.
pub(super) fn dice(words: &[&str], seed: u64) -> ChaCha8Rng {
    let mut hash = Sha256::new_with_prefix(seed.to_le_bytes());
    for word in words {
        hash.update(word);
        hash.update([0]);
    }
    ChaCha8Rng::from_seed(hash.finalize().into())
}

/// One of a list that is not empty.
fn one_of<'a>(list: &[&'a str], dice: &mut ChaCha8Rng) -> &'a str {
    list.choose(dice).copied().unwrap_or_default()
}

/// The runs of letters in a text, apostrophes inside them included.
fn words(text: &str) -> Vec<Span> {
    let mut words: Vec<Span> = Vec::new();
    for (start, c) in text.char_indices() {
        let end = start + c.len_utf8();
        let inside = matches!(c, '\'' | '\u{2019}') && text.get(end..).is_some_and(|rest| rest.starts_with(char::is_alphabetic));
        match words.last_mut() {
            Some(word) if word.end == start && (c.is_alphabetic() || inside) => word.end = end,
            _ if c.is_alphabetic() => words.push(Span { start, end }),
            _ => {}
        }
    }
    // A word with digits beside it is a number or a code, which people copy.
    let digit = |at: Option<char>| at.is_some_and(|c| c.is_ascii_digit());
    words.retain(|word| {
        let before = text.get(..word.start).and_then(|before| before.chars().next_back());
        let after = text.get(word.end..).and_then(|after| after.chars().next());
        !digit(before) && !digit(after)
    });
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Example, Place, Row};
    use serde_json::{Value, json};

    fn record(row: &Value) -> Record {
        let place = Place { file: "x".into(), line: 1 };
        Record { place, line: row.to_string(), row: serde_json::from_value(row.clone()).unwrap() }
    }

    fn sample() -> Record {
        record(&json!({
            "text": "Hello, I didn't get the Nordic rain jacket from order KX-20418, is it really on its way to Leeds?",
            "intent": "track_order",
            "entities": [
                {"start": 24, "end": 42, "label": "product"},
                {"start": 54, "end": 62, "label": "order_number"},
                {"start": 91, "end": 96, "label": "location"},
            ],
            "sentiment": "negative",
        }))
    }

    fn distorted(record: &Record, kind: &dyn Distortion, purpose: Purpose, seed: u64) -> Row {
        serde_json::from_str(&distort(record, kind, purpose, seed).unwrap()).unwrap()
    }

    fn surfaces(row: &Row) -> Vec<String> {
        row.entities.iter().flatten().map(|e| row.text.chars().skip(e.start).take(e.end - e.start).collect()).collect()
    }

    #[test]
    fn every_distortion_changes_the_text_and_keeps_the_labels() {
        for kind in DISTORTIONS {
            let row = distorted(&sample(), *kind, Purpose::Measure, 1);
            assert_ne!(row.text, sample().row.text, "{}", kind.name());
            let found = surfaces(&row);
            assert!(found.len() >= 3 && found[1].eq_ignore_ascii_case("KX-20418"), "{}: {found:?} in {}", kind.name(), row.text);
            assert_eq!(row.intent.as_deref(), Some("track_order"));
            let example = Example::new(row.clone(), Place { file: "x".into(), line: 1 });
            assert!(example.is_ok(), "{}: {example:?}", kind.name());
            assert_eq!(row, distorted(&sample(), *kind, Purpose::Measure, 1), "{} is not repeatable", kind.name());
        }
    }

    #[test]
    fn what_is_learned_from_is_not_what_is_measured_with() {
        for name in ["story", "quoted", "signature", "url"] {
            let kind = distortion(name).unwrap();
            let of = |purpose| (0..40).map(|seed| distorted(&sample(), kind, purpose, seed).text).collect::<std::collections::HashSet<_>>();
            assert!(of(Purpose::Learn).is_disjoint(&of(Purpose::Measure)), "{name}");
        }
        assert!(distortion("shouting").err().unwrap().contains("capitals"));
    }

    #[test]
    fn nothing_breaks_on_odd_texts() {
        for text in ["", " ", "?", "\u{1f600}", "a", "I", "\u{e9}t\u{e9}\u{301}", "x'", "12", "a\u{0}b", "\u{df}\u{130}"] {
            for kind in DISTORTIONS {
                for seed in 0..20 {
                    distorted(&record(&json!({"text": text, "entities": []})), *kind, Purpose::Learn, seed);
                }
            }
        }
    }

    #[test]
    fn words_are_letters_without_numbers() {
        let text = "I didn't get KX20418, caf\u{e9}!";
        assert_eq!(words(text).iter().map(|word| word.slice(text)).collect::<Vec<_>>(), ["I", "didn't", "get", "caf\u{e9}"]);
    }
}
