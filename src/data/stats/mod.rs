//! What is in a data directory? Counts of rows and labels, lengths, and which words of valid and test train has never seen.
//!
//! Words are runs of letters and digits in lower case.

mod html;
mod lengths;
mod text;

pub use html::stats_page;
pub use lengths::{Bucket, Lengths};
pub use text::stats_text;

use super::{DataDirectory, DataError, Example, Split};
use crate::heads::Sentiment;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Values of an entity label that are told.
const TOP: usize = 5;

/// Spans of one label.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct EntityStats {
    /// Spans.
    pub count: usize,
    /// Distinct values, whatever their case.
    pub distinct: usize,
    /// The most frequent values.
    pub top: Vec<(String, usize)>,
}

/// What stands before messages, and which messages belong together.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct ContextStats {
    /// Rows with turns before them.
    pub rows: usize,
    /// Turns before the message, over all rows.
    pub turns: usize,
    /// Distinct conversations.
    pub conversations: usize,
    /// Rows that belong to one.
    pub rows_in_conversations: usize,
}

/// How many words of a split stand in train too.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Vocabulary {
    /// Words.
    pub words: usize,
    /// Distinct words.
    pub distinct: usize,
    /// Distinct words that never stand in train.
    pub distinct_unseen: usize,
    /// Words, each as often as it stands, that never stand in train.
    pub words_unseen: usize,
    /// Rows with a word that never stands in train.
    pub rows_with_unseen: usize,
}

/// One split.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SplitStats {
    /// Rows.
    pub rows: usize,
    /// Rows of each intent; out of scope is one of them.
    pub intents: BTreeMap<String, usize>,
    /// Rows whose intent is known.
    pub with_intent: usize,
    /// Spans of each entity label.
    pub entities: BTreeMap<String, EntityStats>,
    /// Rows whose entities are known.
    pub with_entities: usize,
    /// Rows of each sentiment.
    pub sentiments: BTreeMap<String, usize>,
    /// Rows of each emotion.
    pub emotions: BTreeMap<String, usize>,
    /// Rows whose emotions are known.
    pub with_emotions: usize,
    /// Rows where a human should take over.
    pub escalate: usize,
    /// Rows where that is known.
    pub with_escalate: usize,
    /// Context.
    pub context: ContextStats,
    /// Characters of a message.
    pub characters: Lengths,
    /// Words of a message.
    pub words: Lengths,
    /// Words against train's.
    pub vocabulary: Vocabulary,
}

/// Every split that is there.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct DataStats {
    /// By name, in the order of [`Split::ALL`].
    pub splits: Vec<(Split, SplitStats)>,
}

/// Counts every split of several directories together.
///
/// # Errors
/// When a file cannot be read, a line is wrong, or there is no example at all.
pub fn stats(directories: &[DataDirectory]) -> Result<DataStats, DataError> {
    let mut splits = Vec::new();
    for split in Split::ALL {
        let mut examples = Vec::new();
        for directory in directories {
            // A directory may lack valid and test, but no directory is without train.
            if split == Split::Train || directory.has(split) {
                examples.extend(directory.read(split)?);
            }
        }
        splits.push((split, examples));
    }
    let train = splits.first().map_or(&[][..], |(_, examples)| examples.as_slice());
    let known: HashSet<String> = train.iter().flat_map(|example| words(&example.text)).collect();
    let splits = splits.iter().filter(|(_, examples)| !examples.is_empty());
    Ok(DataStats { splits: splits.map(|(split, examples)| (*split, SplitStats::of(examples, &known))).collect() })
}

/// Runs of letters and digits in lower case.
fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl SplitStats {
    fn of(examples: &[Example], known: &HashSet<String>) -> Self {
        let mut stats = Self { rows: examples.len(), ..Self::default() };
        for example in examples {
            if let Some(intent) = &example.intent {
                stats.with_intent += 1;
                *stats.intents.entry(intent.name().to_owned()).or_default() += 1;
            }
            if let Some(sentiment) = example.sentiment_label() {
                *stats.sentiments.entry(sentiment.name().to_owned()).or_default() += 1;
            }
            if let Some(emotions) = &example.emotions {
                stats.with_emotions += 1;
                for name in emotions {
                    *stats.emotions.entry(name.clone()).or_default() += 1;
                }
            }
            stats.with_entities += usize::from(example.entities.is_some());
            stats.with_escalate += usize::from(example.escalate.is_some());
            stats.escalate += usize::from(example.escalate == Some(true));
        }
        Self {
            entities: entities(examples),
            context: context(examples),
            characters: Lengths::of(examples.iter().map(|example| example.text.chars().count())),
            words: Lengths::of(examples.iter().map(|example| words(&example.text).len())),
            vocabulary: vocabulary(examples, known),
            ..stats
        }
    }

    /// Rows of each sentiment, in the order of [`Sentiment::ALL`].
    fn sentiment_counts(&self) -> impl Iterator<Item = (&'static str, usize)> + '_ {
        Sentiment::ALL.into_iter().map(|label| (label.name(), self.sentiments.get(label.name()).copied().unwrap_or(0)))
    }
}

fn entities(examples: &[Example]) -> BTreeMap<String, EntityStats> {
    let mut values: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for example in examples {
        for entity in example.entities.iter().flatten() {
            let value = entity.span.slice(&example.text).to_lowercase();
            *values.entry(entity.label.clone()).or_default().entry(value).or_default() += 1;
        }
    }
    let of = |values: BTreeMap<String, usize>| {
        let (count, distinct) = (values.values().sum(), values.len());
        let mut top: Vec<_> = values.into_iter().collect();
        top.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        top.truncate(TOP);
        EntityStats { count, distinct, top }
    };
    values.into_iter().map(|(label, values)| (label, of(values))).collect()
}

fn context(examples: &[Example]) -> ContextStats {
    let in_conversations = || examples.iter().filter_map(|example| example.conversation.as_deref());
    ContextStats {
        rows: examples.iter().filter(|example| !example.context.is_empty()).count(),
        turns: examples.iter().map(|example| example.context.len()).sum(),
        conversations: in_conversations().collect::<BTreeSet<_>>().len(),
        rows_in_conversations: in_conversations().count(),
    }
}

fn vocabulary(examples: &[Example], known: &HashSet<String>) -> Vocabulary {
    let (mut distinct, mut unseen) = (HashSet::new(), HashSet::new());
    let mut vocabulary = Vocabulary::default();
    for example in examples {
        let mut new = 0;
        for word in words(&example.text) {
            vocabulary.words += 1;
            if !known.contains(&word) {
                new += 1;
                unseen.insert(word.clone());
            }
            distinct.insert(word);
        }
        vocabulary.words_unseen += new;
        vocabulary.rows_with_unseen += usize::from(new > 0);
    }
    Vocabulary { distinct: distinct.len(), distinct_unseen: unseen.len(), ..vocabulary }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::testing::assert_page;

    fn directory(train: &[&str], test: &[&str]) -> (tempfile::TempDir, DataStats) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("train.jsonl"), train.join("\n")).unwrap();
        if !test.is_empty() {
            std::fs::write(folder.path().join("test.jsonl"), test.join("\n")).unwrap();
        }
        let stats = stats(&[DataDirectory::new(folder.path())]).unwrap();
        (folder, stats)
    }

    const TRAIN: [&str; 4] = [
        r#"{"text": "Red shoes, please", "intent": "order", "entities": [{"start": 0, "end": 3, "label": "color"}], "sentiment": "neutral"}"#,
        r#"{"text": "red <b>hat</b>", "intent": "order", "entities": [{"start": 0, "end": 3, "label": "color"}], "emotions": ["joy"], "conversation": "7"}"#,
        r#"{"text": "what?", "intent": "oos", "sentiment": -0.8, "escalate": true, "conversation": "7", "context": [{"role": "bot", "text": "hi"}]}"#,
        r#"{"text": "shoes", "speaker": "agent"}"#,
    ];

    #[test]
    fn counts_by_hand() {
        let (_folder, stats) = directory(&TRAIN, &[r#"{"text": "Blue shoes: red, blue", "intent": "order"}"#]);
        let (split, train) = &stats.splits[0];
        assert_eq!((*split, train.rows, train.with_intent), (Split::Train, 3, 3), "an agent's row is no example");
        assert_eq!((train.intents["order"], train.intents["out_of_scope"]), (2, 1));
        assert_eq!(train.entities["color"], EntityStats { count: 2, distinct: 1, top: vec![("red".into(), 2)] });
        assert_eq!((train.with_entities, train.with_emotions, train.emotions["joy"]), (2, 1, 1));
        assert_eq!((train.escalate, train.with_escalate), (1, 1));
        assert_eq!(train.sentiment_counts().collect::<Vec<_>>(), [("negative", 1), ("neutral", 1), ("positive", 0)]);
        assert_eq!(train.context, ContextStats { rows: 1, turns: 1, conversations: 1, rows_in_conversations: 2 });
        assert_eq!((train.words.least, train.words.most), (1, 4), "b and b around the hat are words too");
        assert_eq!((train.vocabulary.distinct, train.vocabulary.distinct_unseen), (6, 0));
        let (split, test) = &stats.splits[1];
        let wanted = Vocabulary { words: 4, distinct: 3, distinct_unseen: 1, words_unseen: 2, rows_with_unseen: 1 };
        assert_eq!((*split, &test.vocabulary), (Split::Test, &wanted));
    }

    #[test]
    fn text_and_page_show_every_label() {
        let (_folder, stats) = directory(&TRAIN, &[r#"{"text": "<script>alert(1)</script>", "intent": "<i>&\"x\""}"#]);
        let (text, page) = (stats_text(&stats), stats_page(&stats, "my & data"));
        for part in ["order", "color", "negative", "joy", "train", "test", "out_of_scope"] {
            assert!(text.contains(part) && page.contains(part), "{part}");
        }
        assert!(text.contains("<i>&\"x\"") && page.contains("&lt;i&gt;&amp;") && page.contains("my &amp; data"));
        assert_page(&page);
    }
}
