//! What takes longer than the figures: intervals, curves, and the worst confusions with examples.

use super::classification::ratio;
use super::coverage::{CoveragePoint, coverage, widest};
use super::intent::known_and_said;
use super::outcomes::Outcomes;
use super::report::{Judged, Report};
use super::roc::{Roc, RocPoint};
use super::{Bootstrap, FIGURES};
use crate::data::LabelledSpan;
use crate::patterns::Entity;
use serde::Serialize;
use std::collections::BTreeMap;

/// Points of a curve at most.
const POINTS: usize = 200;
/// Confusions of each part that are given with examples.
const CONFUSIONS: usize = 15;
/// Accuracies whose coverage is told.
const ACCURACIES: [f64; 4] = [0.9, 0.95, 0.98, 0.99];

/// What a threshold would do.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Curves {
    /// Out of scope against in scope, by the score that decides the rejection: positive thresholds reject less than the model does,
    /// negative ones more.
    pub out_of_scope_roc: Vec<RocPoint>,
    /// What the model's own thresholds do, a margin of zero.
    pub out_of_scope_decision: Option<RocPoint>,
    /// Share of the messages that is answered against share of the answers that is right, by the best intent's probability. A message
    /// that the model rejects has no answer.
    pub coverage: Vec<CoveragePoint>,
    /// The greatest coverage with an accuracy of at least so much, where it can be had.
    pub coverage_at_accuracy: Vec<WantedAccuracy>,
}

/// What it takes to be right so often.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WantedAccuracy {
    /// The least accuracy.
    pub wanted: f64,
    /// The threshold and what it does.
    #[serde(flatten)]
    pub point: CoveragePoint,
}

/// One label taken for another, with examples.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Confused {
    /// The part of the report.
    pub part: &'static str,
    /// What is known; nothing where an entity was made up.
    pub known: Option<String>,
    /// What was said; nothing where an entity was missed.
    pub said: Option<String>,
    /// How often.
    pub count: usize,
    /// Some of them, the surest first.
    pub examples: Vec<Mistake>,
}

/// A message that was got wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mistake {
    /// File and line.
    pub place: String,
    /// The message.
    pub text: String,
    /// The words that are labelled, of an entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// The words that were said, of an entity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Probability of what was said; none where nothing was.
    pub score: Option<f32>,
}

/// How much detail.
#[derive(Debug, Clone, Copy)]
pub struct Detail<'a> {
    /// Examples of each confusion.
    pub examples: usize,
    /// Intervals.
    pub bootstrap: Bootstrap<'a>,
}

impl Default for Detail<'_> {
    fn default() -> Self {
        Self { examples: 3, bootstrap: Bootstrap::default() }
    }
}

/// Scores judged examples, with intervals, curves and examples.
#[must_use]
pub fn detailed(judged: &[Judged<'_>], detail: &Detail<'_>) -> Report {
    let outcomes = Outcomes::of(judged);
    let figures = |rows: &[usize]| {
        let report = outcomes.report(rows);
        FIGURES.iter().map(|figure| (figure.of)(&report)).collect()
    };
    let intervals = detail.bootstrap.intervals(outcomes.len(), FIGURES.len(), figures);
    let named = FIGURES.iter().zip(intervals).filter_map(|(figure, interval)| Some((figure.path.to_owned(), interval?)));
    Report { intervals: named.collect(), curves: curves(&outcomes), confused: confused(judged, detail.examples), ..outcomes.whole() }
}

fn curves(outcomes: &Outcomes<'_>) -> Option<Curves> {
    let rows: Vec<_> = outcomes.intents.iter().flatten().collect();
    let roc = Roc::of(&rows.iter().map(|row| row.separation()).collect::<Vec<_>>());
    let share = |outside: bool| {
        let of_kind = || rows.iter().filter(|row| row.separation().1 == outside);
        ratio(of_kind().filter(|row| row.rejected()).count(), of_kind().count())
    };
    let decision = RocPoint { threshold: Some(0.0), false_alarm: share(false), recall: share(true) };
    let points = coverage(&rows.iter().filter_map(|row| row.answer()).collect::<Vec<_>>(), rows.len());
    let at = |wanted: f64| widest(&points, wanted).map(|point| WantedAccuracy { wanted, point });
    (!rows.is_empty()).then(|| Curves {
        out_of_scope_decision: roc.as_ref().map(|_| decision),
        out_of_scope_roc: thinned(&roc.map(|roc| roc.corners()).unwrap_or_default()),
        coverage_at_accuracy: ACCURACIES.into_iter().filter_map(at).collect(),
        coverage: thinned(&points),
    })
}

/// At most `POINTS` points at equal distances, the first and the last among them.
fn thinned<T: Copy>(points: &[T]) -> Vec<T> {
    if points.len() <= POINTS {
        return points.to_vec();
    }
    (0..POINTS).filter_map(|index| points.get(index * (points.len() - 1) / (POINTS - 1)).copied()).collect()
}

/// Mistakes by what is known and what was said.
type Mistakes<'j> = BTreeMap<(Option<&'j str>, Option<&'j str>), Vec<(usize, Mistake)>>;

fn confused(judged: &[Judged<'_>], examples: usize) -> Vec<Confused> {
    let (mut intents, mut sentiments, mut entities) = (Mistakes::new(), Mistakes::new(), Mistakes::new());
    for (row, index) in judged.iter().zip(0usize..) {
        let mistake = |score, known: Option<&str>, said: Option<&str>| {
            let example = row.example;
            let words = |words: Option<&str>| words.map(str::to_owned);
            (
                index,
                Mistake { place: example.place.to_string(), text: example.text.to_string(), known: words(known), said: words(said), score },
            )
        };
        if let Some(prediction) = &row.prediction.intent
            && let Some((known, said)) = known_and_said(row.example, prediction)
            && known != said
        {
            let best = prediction.ranking.first().map(|(_, score)| *score);
            let score = prediction.matched().map_or(Some(prediction.rejection), |_| best);
            intents.entry((Some(known), Some(said))).or_default().push(mistake(score, None, None));
        }
        if let (Some(known), Some(said)) = (row.example.sentiment_label(), row.prediction.sentiment)
            && known != said.label
        {
            let score = said.probabilities.into_iter().reduce(f32::max);
            sentiments.entry((Some(known.name()), Some(said.label.name()))).or_default().push(mistake(score, None, None));
        }
        if let (Some(known), Some(said)) = (&row.example.entities, &row.prediction.entities) {
            for (known, said) in mispaired(known, said) {
                let text = &row.example.text;
                let found = mistake(
                    said.map(|entity| entity.score),
                    known.map(|entity| entity.span.slice(text)),
                    said.map(|entity| entity.span.slice(text)),
                );
                let key = (known.map(|entity| entity.label.as_str()), said.map(|entity| entity.label.as_str()));
                entities.entry(key).or_default().push(found);
            }
        }
    }
    let parts = [("intent", intents), ("sentiment", sentiments), ("entities", entities)];
    parts.into_iter().flat_map(|(part, mistakes)| worst(part, mistakes, examples)).collect()
}

/// Known and predicted entities that are not the same, each known one beside the one that overlaps it, if any.
fn mispaired<'e>(known: &'e [LabelledSpan], said: &'e [Entity]) -> Vec<(Option<&'e LabelledSpan>, Option<&'e Entity>)> {
    let same = |a: &LabelledSpan, b: &Entity| a.span == b.span && a.label == b.label;
    let touches = |a: &LabelledSpan, b: &Entity| a.span.overlaps(b.span);
    let lost = known.iter().filter(|entity| !said.iter().any(|other| same(entity, other)));
    let pairs = lost.map(|entity| (Some(entity), said.iter().find(|other| touches(entity, other))));
    let made_up = said.iter().filter(|entity| !known.iter().any(|other| touches(other, entity)));
    pairs.chain(made_up.map(|entity| (None, Some(entity)))).collect()
}

fn worst(part: &'static str, mistakes: Mistakes<'_>, examples: usize) -> impl Iterator<Item = Confused> {
    let mut groups: Vec<_> = mistakes.into_iter().collect();
    groups.sort_by_key(|(_, mistakes)| std::cmp::Reverse(mistakes.len()));
    groups.into_iter().take(CONFUSIONS).map(move |((known, said), mut mistakes)| {
        let count = mistakes.len();
        mistakes.sort_by(|(i, a), (j, b)| b.score.unwrap_or(0.0).total_cmp(&a.score.unwrap_or(0.0)).then(i.cmp(j)));
        Confused {
            part,
            known: known.map(str::to_owned),
            said: said.map(str::to_owned),
            count,
            examples: mistakes.into_iter().take(examples).map(|(_, mistake)| mistake).collect(),
        }
    })
}
