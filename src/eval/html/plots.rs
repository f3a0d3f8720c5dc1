//! The report's numbers as plots, each beside a table of the same numbers.

use super::figures::share;
use crate::eval::{Classification, Counts, Curves, ReliabilityBin};
use crate::plot::{Axis, Bar, Caption, Column, Heat, Line, Markup, bars, columns, fold, heat, html, lines, number, table, words};
use std::collections::BTreeMap;

/// Labels that a matrix shows at most: those of the most confusions.
const MATRIX: usize = 20;

/// Bins of fewer decisions than this say little.
const FEW: usize = 10;

/// Confidence against accuracy.
pub fn reliability(part: &str, bins: &[ReliabilityBin], error: f64) -> Markup {
    let filled = || bins.iter().filter(|bin| bin.count > 0);
    let note = |bin: &ReliabilityBin| {
        format!("{} of confidence {:.2} to {:.2}: mean {:.3}, {:.3} right", bin.count, bin.from, bin.to, bin.confidence, bin.accuracy)
    };
    let column = |bin: &ReliabilityBin| Column { from: bin.from, to: bin.to, value: bin.accuracy, note: note(bin), pale: bin.count < FEW };
    let id = format!("{part}-reliability");
    let description = format!(
        "Columns on the dashed line would be honest: what is said with confidence 0.8 is right in 80\u{a0}%. Below it the model is too sure. \
        Pale columns hold fewer than {FEW}. Expected calibration error {error:.4}."
    );
    let caption = Caption { id: &id, title: "Can the confidence be believed?", description: &description };
    let row = |bin: &ReliabilityBin| {
        let range = words(format!("{:.2} to {:.2}", bin.from, bin.to));
        vec![range, number(bin.count), number(share(bin.confidence)), number(share(bin.accuracy))]
    };
    let rows: Vec<_> = filled().map(row).collect();
    html! {
        div {
            (columns(&caption, &Axis::share("confidence"), &Axis::share("share that is right"), &filled().map(column).collect::<Vec<_>>(), true))
            (fold("The bins as a table", &table(&["confidence", "count", "mean confidence", "accuracy"], &rows)))
        }
    }
}

/// F1 of each label, best first, with the overlap counted where there is such a count.
pub fn labels(part: &str, labels: &BTreeMap<String, Counts>, overlap: Option<&BTreeMap<String, Counts>>) -> Markup {
    let mut sorted: Vec<_> = labels.iter().collect();
    sorted.sort_by(|(_, a), (_, b)| b.f1().total_cmp(&a.f1()));
    let loose = |name: &str| overlap.map(|overlap| overlap.get(name).map_or(0.0, Counts::f1));
    let bar = |(name, counts): &(&String, &Counts)| Bar {
        label: (*name).clone(),
        value: counts.f1(),
        mark: loose(name),
        note: format!("{:.3} ({})", counts.f1(), counts.support()),
    };
    let id = format!("{part}-labels");
    let description = "Best first; behind each bar its F1 and, in brackets, how many messages or spans have the label.";
    let caption = Caption { id: &id, title: "F1 of each label", description };
    let mut heads = vec!["label", "precision", "recall", "F1", "support"];
    heads.extend(overlap.map(|_| "F1 with overlap"));
    let row = |(name, counts): &(&String, &Counts)| {
        let numbers = [counts.precision(), counts.recall(), counts.f1()].map(|value| number(share(value)));
        let mut row = vec![words(*name)];
        row.extend(numbers);
        row.push(number(counts.support()));
        row.extend(loose(name).map(|value| number(share(value))));
        row
    };
    html! {
        (bars(&caption, &Axis::share("F1"), &sorted.iter().map(bar).collect::<Vec<_>>(), overlap.map(|_| "F1 where an overlap counts")))
        (fold("The labels as a table", &table(&heads, &sorted.iter().map(row).collect::<Vec<_>>())))
    }
}

/// The labels of the most confusions against each other.
pub fn confusions(part: &str, scores: &Classification) -> Markup {
    let mut involved: BTreeMap<&str, usize> = BTreeMap::new();
    for confusion in &scores.confusions {
        *involved.entry(&confusion.known).or_default() += confusion.count;
        *involved.entry(&confusion.said).or_default() += confusion.count;
    }
    let mut ranked: Vec<_> = involved.into_iter().collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<&str> = ranked.iter().take(MATRIX).map(|(name, _)| *name).collect();
    if shown.is_empty() {
        return html! { p { "No label was taken for another." } };
    }
    let place = |name: &str| shown.iter().position(|other| *other == name);
    let off = scores.confusions.iter().filter_map(|confusion| Some((place(&confusion.known)?, place(&confusion.said)?, confusion.count)));
    let diagonal = shown.iter().enumerate().filter_map(|(index, name)| Some((index, index, scores.labels.get(*name)?.true_positives)));
    let cells: Vec<_> = diagonal.filter(|cell| cell.2 > 0).chain(off).collect();
    let inside: usize = cells.iter().filter(|(row, column, _)| row != column).map(|cell| cell.2).sum();
    let all: usize = scores.confusions.iter().map(|confusion| confusion.count).sum();
    let description = format!(
        "The {} labels of {} with the most confusions; {inside} of {all} confusions are among them. Outlined cells are right.",
        shown.len(),
        scores.labels.len()
    );
    let id = format!("{part}-confusions");
    let caption = Caption { id: &id, title: "What is taken for what", description: &description };
    let rows = scores.confusions.iter().map(|confusion| vec![words(&confusion.known), words(&confusion.said), number(confusion.count)]);
    html! {
        (heat(&caption, &Heat { labels: shown.clone(), cells, rows: "known", columns: "said" }))
        (fold(&format!("All {} kinds of confusion as a table", scores.confusions.len()), &table(&["known", "said", "count"], &rows.collect::<Vec<_>>())))
    }
}

/// Rows of a curve's table: about one point in ten, and the last.
fn some<T>(points: &[T]) -> impl Iterator<Item = &T> {
    let step = points.len().div_ceil(20).max(1);
    let last = points.len().saturating_sub(1);
    points.iter().enumerate().filter(move |(index, _)| index % step == 0 || *index == last).map(|(_, point)| point)
}

/// Recall of out-of-scope messages against false alarms.
pub fn roc(curves: &Curves, area: f64) -> Markup {
    let points = curves.out_of_scope_roc.iter().map(|point| (point.false_alarm, point.recall)).collect();
    let mark = curves.out_of_scope_decision.map(|point| (point.false_alarm, point.recall, "as the model decides"));
    let description = format!(
        "Each point is a stricter or looser threshold of the rejection; the nearer to the upper left, the better. Area {area:.4}; \
        the dashed line is guessing."
    );
    let caption = Caption { id: "out-of-scope-roc", title: "Is what it does not know told apart?", description: &description };
    let row = |point: &crate::eval::RocPoint| {
        let threshold = point.threshold.map_or_else(|| "none".to_owned(), |threshold| format!("{threshold:+.3}"));
        vec![number(threshold), number(share(point.false_alarm)), number(share(point.recall))]
    };
    let axes = (&Axis::share("false alarm: share of known messages rejected"), &Axis::share("recall of unknown messages"));
    html! {
        div {
            (lines(&caption, axes, &[Line { name: "rejection", points }], true, mark))
            (fold("The curve as a table", &table(&["margin", "false alarm", "recall"], &some(&curves.out_of_scope_roc).map(row).collect::<Vec<_>>())))
        }
    }
}

/// How right the answers are if only the surest are given.
pub fn coverage(curves: &Curves) -> Markup {
    let points: Vec<_> = curves.coverage.iter().map(|point| (point.coverage, point.accuracy)).collect();
    let least = points.iter().map(|point| point.1).fold(1.0, f64::min);
    let floor = ((least * 10.0).floor() / 10.0).min(0.9);
    let description =
        "From left to right less sure answers are given too. It ends where every message that the model does not reject has its answer.";
    let caption = Caption { id: "coverage", title: "How right are the surest answers?", description };
    let row = |wanted: &crate::eval::WantedAccuracy| {
        let point = wanted.point;
        vec![words(format!("{:.0} %", wanted.wanted * 100.0)), number(share(point.coverage)), number(format!("{:.3}", point.score))]
    };
    let accuracy = Axis { label: "accuracy: share of the answers that is right", from: floor, to: 1.0 };
    let wanted = table(
        &["to be right in", "answer this share", "from this score on"],
        &curves.coverage_at_accuracy.iter().map(row).collect::<Vec<_>>(),
    );
    let curve = |point: &crate::eval::CoveragePoint| {
        vec![number(format!("{:.3}", point.score)), number(share(point.coverage)), number(share(point.accuracy))]
    };
    html! {
        div {
            (lines(&caption, (&Axis::share("coverage: share of all messages answered"), &accuracy), &[Line { name: "accuracy", points }], false, None))
            (wanted)
            (fold("The curve as a table", &table(&["score", "coverage", "accuracy"], &some(&curves.coverage).map(curve).collect::<Vec<_>>())))
        }
    }
}
