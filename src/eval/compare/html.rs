//! The comparison as one self-contained page.

use super::render::{probability, title};
use super::{Change, Changes, Comparison, Difference, Verdict};
use crate::eval::figures::PARTS;
use crate::eval::html::{About, fixed, interval};
use crate::plot::{Caption, Cell, Markup, Whisker, fold, html, number, page, section, table, whiskers, words};

/// Examples that stand open on the page; the rest is folded.
const OPEN: usize = 10;

/// The page: differences with their intervals, and every example that one model alone gets right.
#[must_use]
pub fn comparison_page(comparison: &Comparison, a: &About, b: &About) -> String {
    let facts = [
        ("A", format!("{} on {}", a.model, a.backend)),
        ("B", format!("{} on {}", b.model, b.backend)),
        ("Data", a.data.clone()),
        ("Split", a.split.clone()),
        ("Messages", a.messages.to_string()),
    ];
    let body = html! {
        (section("What B has more", "", &differences(comparison, a.resamples)))
        @for changes in &comparison.changes { (section(heading(changes.part), "", &examples(changes))) }
    };
    page("Is B better than A?", &facts, &body)
}

fn heading(part: &str) -> &'static str {
    PARTS.into_iter().find(|(name, _)| *name == part).map_or("", |(_, title)| title)
}

fn name(difference: &Difference) -> String {
    let part = difference.figure.split_once('.').map_or("", |(part, _)| part);
    format!("{}: {}", heading(part), title(difference.figure))
}

fn differences(comparison: &Comparison, resamples: usize) -> Markup {
    let whisker = |difference: &Difference| {
        let interval = difference.interval?;
        let good = match difference.verdict() {
            Verdict::Better => Some(true),
            Verdict::Worse => Some(false),
            Verdict::Open => None,
        };
        Some(Whisker { label: name(difference), value: difference.difference, low: interval.low, high: interval.high, good })
    };
    let shown: Vec<_> = comparison.figures.iter().filter_map(whisker).collect();
    let description = format!(
        "Each point is a figure of B less that of A, its line the 95 % interval of {resamples} bootstrap resamples that are the same for both. A \
        line across zero may be chance. Of errors, less is better."
    );
    let caption = Caption { id: "differences", title: "Differences", description: &description };
    let row = |difference: &Difference| {
        let verdict = match difference.verdict() {
            Verdict::Better => "better",
            Verdict::Worse => "worse",
            Verdict::Open => "",
        };
        vec![
            words(name(difference)),
            number(fixed(difference.a)),
            number(fixed(difference.b)),
            number(format!("{:+.4}", difference.difference)),
            number(interval(difference.interval.as_ref())),
            words(verdict),
        ]
    };
    html! {
        @if !shown.is_empty() { (whiskers(&caption, &shown, ("B is better", "B is worse"))) }
        (table(&["figure", "A", "B", "B − A", "95 % interval", ""], &comparison.figures.iter().map(row).collect::<Vec<_>>()))
    }
}

fn examples(changes: &Changes) -> Markup {
    let (fixed, broken) = (changes.fixed.len(), changes.broken.len());
    html! {
        p {
            "Of " (changes.examples) " messages B gets " strong { (fixed) } " right that A gets wrong, and " strong { (broken) }
            " wrong that A gets right. If both were equally good, a difference as large would come about by chance with "
            (probability(changes.p_value)) " (McNemar's exact test)."
        }
        (listed("Fixed", &changes.fixed))
        (listed("Broken", &changes.broken))
    }
}

fn listed(title: &str, changes: &[Change]) -> Markup {
    let row = |change: &Change| -> Vec<Cell> {
        vec![words(&change.text), words(&change.known), words(&change.a), words(&change.b), words(&change.place)]
    };
    let rows: Vec<_> = changes.iter().map(row).collect();
    let (open, rest) = rows.split_at(OPEN.min(rows.len()));
    let heads = ["message", "known", "A", "B", "place"];
    html! {
        @if !open.is_empty() { h3 { (title) } (table(&heads, open)) }
        @if !rest.is_empty() { (fold(&format!("{} more", rest.len()), &table(&heads, rest))) }
    }
}
