//! The counts for people, on a terminal.

use super::{DataStats, Lengths, SplitStats};
use crate::data::Split;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Characters of the longest bar.
const BAR: usize = 32;

/// A bar of `value`, as a share of `most`; something is never nothing.
fn bar(value: usize, most: usize) -> String {
    "█".repeat((value * BAR).div_ceil(most.max(1)))
}

/// Every count, with bars.
#[must_use]
pub fn stats_text(stats: &DataStats) -> String {
    let mut out = String::new();
    for (split, counts) in &stats.splits {
        let _ = writeln!(out, "{split}: {} rows", counts.rows);
        out.push_str(&overview(*split, counts));
        out.push('\n');
    }
    let per_split = |of: fn(&SplitStats) -> BTreeMap<String, usize>| stats.splits.iter().map(|(_, counts)| of(counts)).collect::<Vec<_>>();
    let heads: Vec<&str> = stats.splits.iter().map(|(split, _)| split.name()).collect();
    let tables = [
        ("intent", per_split(|counts| counts.intents.clone())),
        ("entity", per_split(|counts| counts.entities.iter().map(|(label, entity)| (label.clone(), entity.count)).collect())),
        ("sentiment", per_split(|counts| counts.sentiments.clone())),
        ("emotion", per_split(|counts| counts.emotions.clone())),
    ];
    for (title, columns) in tables {
        out.push_str(&table(title, &heads, &columns));
    }
    if let Some((split, counts)) = stats.splits.first() {
        out.push_str(&values(*split, counts));
        out.push_str(&histogram(&counts.words));
    }
    out
}

fn overview(split: Split, counts: &SplitStats) -> String {
    let mut out = String::new();
    let known = [
        ("intent", counts.with_intent),
        ("entities", counts.with_entities),
        ("sentiment", counts.sentiments.values().sum()),
        ("emotions", counts.with_emotions),
        ("escalate", counts.with_escalate),
    ];
    let known: Vec<_> = known.iter().map(|(name, rows)| format!("{name} {rows}")).collect();
    let _ = writeln!(out, "  known                {}", known.join(", "));
    if counts.with_escalate > 0 {
        let _ = writeln!(out, "  to a human           {}", counts.escalate);
    }
    let context = &counts.context;
    if context.rows > 0 || context.conversations > 0 {
        let _ = writeln!(
            out,
            "  context              {} rows with {} turns; {} rows in {} conversations",
            context.rows, context.turns, context.rows_in_conversations, context.conversations
        );
    }
    for (name, lengths) in [("characters", &counts.characters), ("words", &counts.words)] {
        let Lengths { least, median, mean, p95, most, .. } = lengths;
        let _ = writeln!(out, "  {name:<20} {least} to {most}, median {median}, mean {mean:.1}, 95 % up to {p95}");
    }
    let vocabulary = &counts.vocabulary;
    let _ = write!(out, "  vocabulary           {} distinct words", vocabulary.distinct);
    if split != Split::Train {
        let (unseen, rows) = (vocabulary.distinct_unseen, vocabulary.rows_with_unseen);
        let _ = write!(
            out,
            "; never in train: {unseen} of them, {} of {} running words, in {rows} rows",
            vocabulary.words_unseen, vocabulary.words
        );
    }
    out.push('\n');
    out
}

/// Counts of each label by split, the most frequent of the first split first, with bars of the first split.
fn table(title: &str, heads: &[&str], columns: &[BTreeMap<String, usize>]) -> String {
    let labels: BTreeSet<&String> = columns.iter().flat_map(BTreeMap::keys).collect();
    let first = |label: &str| columns.first().and_then(|column| column.get(label)).copied().unwrap_or(0);
    let mut labels: Vec<_> = labels.into_iter().collect();
    if labels.is_empty() {
        return String::new();
    }
    labels.sort_by_key(|label| std::cmp::Reverse(first(label)));
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0).max(title.len());
    let most = labels.iter().map(|label| first(label)).max().unwrap_or(0);
    let heads = heads.iter().map(|head| format!("{head:>8}")).collect::<Vec<_>>().concat();
    let mut out = format!("{title:<width$}{heads}\n");
    for label in labels {
        let counts = columns.iter().map(|column| format!("{:>8}", column.get(label).copied().unwrap_or(0)));
        let counts = counts.collect::<Vec<_>>().concat();
        let _ = writeln!(out, "{label:<width$}{counts}  {}", bar(first(label), most));
    }
    out.push('\n');
    out
}

fn values(split: Split, counts: &SplitStats) -> String {
    let width = counts.entities.keys().map(|label| label.chars().count()).max().unwrap_or(0).max(6);
    let mut out = String::new();
    for (label, entity) in &counts.entities {
        let top: Vec<_> = entity.top.iter().map(|(value, count)| format!("{value} ({count})")).collect();
        let _ = writeln!(out, "{label:<width$}  {:>6} distinct: {}", entity.distinct, top.join(", "));
    }
    if out.is_empty() { out } else { format!("values of entities in {split}\n{out}\n") }
}

fn histogram(lengths: &Lengths) -> String {
    let most = lengths.histogram.iter().map(|bucket| bucket.count).max().unwrap_or(0);
    let mut out = "words of a message\n".to_owned();
    for bucket in &lengths.histogram {
        let _ = writeln!(out, "{:>5} to {:<5} {:>7}  {}", bucket.from, bucket.to.saturating_sub(1), bucket.count, bar(bucket.count, most));
    }
    out
}
