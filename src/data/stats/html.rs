//! The counts as one self-contained page.

use super::{DataStats, Lengths, SplitStats};
use crate::plot::{Axis, Bar, Caption, Cell, Column, Markup, bars, columns, fold, html, number, page, section, table, words};
use std::collections::{BTreeMap, BTreeSet};

/// The page of what `name` says was counted.
#[must_use]
pub fn stats_page(stats: &DataStats, name: &str) -> String {
    let rows: Vec<_> = stats.splits.iter().map(|(split, counts)| format!("{} {split}", counts.rows)).collect();
    let facts = [("Data", name.to_owned()), ("Rows", rows.join(", "))];
    let body = html! {
        (section("Splits", "", &splits(stats)))
        (labels(stats, "Intents", "rows", |counts| counts.intents.clone()))
        (labels(stats, "Entities", "spans", |counts| counts.entities.iter().map(|(label, entity)| (label.clone(), entity.count)).collect()))
        @if let Some((split, counts)) = stats.splits.first().filter(|(_, counts)| !counts.entities.is_empty()) {
            (fold(&format!("Most frequent values in {split}"), &values(counts)))
        }
        (labels(stats, "Sentiment", "rows", |counts| counts.sentiment_counts().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n)).collect()))
        (labels(stats, "Emotions", "rows", |counts| counts.emotions.clone()))
        (section("Lengths", "", &lengths(stats)))
    };
    page("What is in the data?", &facts, &body)
}

/// A count of a split and what it is called.
type Fact = (&'static str, fn(&SplitStats) -> String);

fn splits(stats: &DataStats) -> Markup {
    let mut heads = vec![""];
    heads.extend(stats.splits.iter().map(|(split, _)| split.name()));
    let rows: [Fact; 15] = [
        ("rows", |counts| counts.rows.to_string()),
        ("with an intent", |counts| counts.with_intent.to_string()),
        ("with entities", |counts| counts.with_entities.to_string()),
        ("with a sentiment", |counts| counts.sentiments.values().sum::<usize>().to_string()),
        ("with emotions", |counts| counts.with_emotions.to_string()),
        ("with escalate", |counts| counts.with_escalate.to_string()),
        ("for a human", |counts| counts.escalate.to_string()),
        ("with context", |counts| counts.context.rows.to_string()),
        ("conversations", |counts| counts.context.conversations.to_string()),
        ("characters, median", |counts| counts.characters.median.to_string()),
        ("words, median", |counts| counts.words.median.to_string()),
        ("words, 95 % up to", |counts| counts.words.p95.to_string()),
        ("distinct words", |counts| counts.vocabulary.distinct.to_string()),
        ("distinct words that train lacks", |counts| counts.vocabulary.distinct_unseen.to_string()),
        ("rows with a word that train lacks", |counts| counts.vocabulary.rows_with_unseen.to_string()),
    ];
    let row = |(title, of): &Fact| -> Vec<Cell> {
        let mut row = vec![words(*title)];
        row.extend(stats.splits.iter().map(|(_, counts)| number(of(counts))));
        row
    };
    table(&heads, &rows.iter().map(row).collect::<Vec<_>>())
}

/// A section with the counts of each label, or nothing where no label is known.
fn labels(stats: &DataStats, title: &str, unit: &str, of: fn(&SplitStats) -> BTreeMap<String, usize>) -> Markup {
    let counted: Vec<_> = stats.splits.iter().map(|(split, counts)| (split.name(), of(counts))).collect();
    let names: BTreeSet<&String> = counted.iter().flat_map(|(_, counts)| counts.keys()).collect();
    let Some((first, shown)) = counted.first() else { return html! {} };
    let count = |name: &str| shown.get(name).copied().unwrap_or(0);
    let mut names: Vec<_> = names.into_iter().collect();
    if names.is_empty() {
        return html! {};
    }
    names.sort_by_key(|name| std::cmp::Reverse(count(name)));
    let most = names.iter().map(|name| count(name)).max().unwrap_or(0);
    let bar = |name: &&String| Bar { label: (*name).clone(), value: float(count(name)), mark: None, note: count(name).to_string() };
    let description = format!("Counted in {first}, most frequent first.");
    let id = title.to_lowercase();
    let heading = format!("How many {unit} has each label?");
    let caption = Caption { id: &id, title: &heading, description: &description };
    let mut heads = vec!["label"];
    heads.extend(counted.iter().map(|(split, _)| *split));
    let row = |name: &&String| -> Vec<Cell> {
        let mut row = vec![words(*name)];
        row.extend(counted.iter().map(|(_, counts)| number(counts.get(*name).copied().unwrap_or(0))));
        row
    };
    section(
        title,
        "",
        &html! {
            (bars(&caption, &Axis::up_to(unit, float(most)), &names.iter().map(bar).collect::<Vec<_>>(), None))
            (fold("Every split as a table", &table(&heads, &names.iter().map(row).collect::<Vec<_>>())))
        },
    )
}

fn values(counts: &SplitStats) -> Markup {
    let row = |(label, entity): (&String, &super::EntityStats)| {
        let top: Vec<_> = entity.top.iter().map(|(value, count)| format!("{value} ({count})")).collect();
        vec![words(label), number(entity.count), number(entity.distinct), words(top.join(", "))]
    };
    table(&["label", "spans", "distinct", "most frequent"], &counts.entities.iter().map(row).collect::<Vec<_>>())
}

fn lengths(stats: &DataStats) -> Markup {
    html! {
        @if let Some((split, counts)) = stats.splits.first() {
            div.pair {
                (histogram("characters", split.name(), &counts.characters))
                (histogram("words", split.name(), &counts.words))
            }
        }
    }
}

fn histogram(unit: &str, split: &str, lengths: &Lengths) -> Markup {
    // The last bucket holds everything beyond; drawn as wide as the others, so that one long mail does not squeeze the rest.
    let width = lengths.histogram.first().map_or(1, |bucket| bucket.to - bucket.from);
    let end = |from: usize| float(from + width);
    let most = lengths.histogram.iter().map(|bucket| bucket.count).max().unwrap_or(0);
    let column = |bucket: &super::Bucket| Column {
        from: float(bucket.from),
        to: end(bucket.from),
        value: float(bucket.count),
        note: format!("{} rows of {} to {} {unit}", bucket.count, bucket.from, bucket.to - 1),
        pale: false,
    };
    let row = |bucket: &super::Bucket| vec![words(format!("{} to {}", bucket.from, bucket.to - 1)), number(bucket.count)];
    let right = lengths.histogram.last().map_or(1.0, |bucket| end(bucket.from));
    let title = format!("How many {unit} has a message?");
    let description = format!(
        "In {split}: {} to {}, median {}, mean {:.1}; 95\u{a0}% have up to {}. The last column holds everything beyond.",
        lengths.least, lengths.most, lengths.median, lengths.mean, lengths.p95
    );
    let id = format!("{unit}-histogram");
    let caption = Caption { id: &id, title: &title, description: &description };
    let x = Axis { label: unit, from: 0.0, to: right };
    html! {
        div {
            (columns(&caption, &x, &Axis::up_to("rows", float(most)), &lengths.histogram.iter().map(column).collect::<Vec<_>>(), false))
            (fold("The histogram as a table", &table(&[unit, "rows"], &lengths.histogram.iter().map(row).collect::<Vec<_>>())))
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn float(count: usize) -> f64 {
    count as f64
}
