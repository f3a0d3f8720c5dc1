//! The report of some messages, worked out by hand.

use super::*;
use crate::data::{Example, Place};
use crate::heads::{EmotionScore, IntentPrediction, Prediction, Sentiment, SentimentPrediction, Status};
use crate::patterns::{Entity, Source};
use crate::plot::testing::assert_page;
use crate::text::Span;

fn example(line: usize, row: &str) -> Example {
    Example::new(serde_json::from_str(row).unwrap(), Place { file: "shop/test.jsonl".into(), line }).unwrap()
}

fn examples() -> Vec<Example> {
    [
        r#"{"text": "where is my red hat", "intent": "track", "sentiment": "neutral", "entities": [{"start": 12, "end": 19, "label": "product"}], "emotions": ["joy"], "escalate": false}"#,
        r#"{"text": "refund <me>", "intent": "refund", "sentiment": "negative", "entities": [], "emotions": [], "escalate": true}"#,
        r#"{"text": "the moon is far", "intent": "oos", "sentiment": 0.2, "emotions": ["fear"]}"#,
        r#"{"text": "and mars too", "intent": "oos"}"#,
        r#"{"text": "what is known of me?"}"#,
    ]
    .iter()
    .enumerate()
    .map(|(index, row)| example(index + 1, row))
    .collect()
}

fn intent(best: &str, score: f32, other: &str, margin: f32) -> IntentPrediction {
    IntentPrediction {
        status: if margin > 0.0 { Status::OutOfScope } else { Status::Matched },
        ranking: vec![(best.to_owned(), score), (other.to_owned(), 0.05)],
        rejection: margin + 0.5,
        out_of_scope_margin: margin,
    }
}

fn prediction(intent: IntentPrediction, entities: &[(usize, usize, &str)], score: f32, joy: f32) -> Prediction {
    let label = if score < -0.3 { Sentiment::Negative } else { Sentiment::Neutral };
    let entity = |(start, end, label): &(usize, usize, &str)| Entity {
        label: (*label).to_owned(),
        span: Span { start: *start, end: *end },
        score: 0.9,
        source: Source::Model,
        value: None,
    };
    Prediction {
        intent: Some(intent),
        entities: Some(entities.iter().map(entity).collect()),
        sentiment: Some(SentimentPrediction { label, score, probabilities: [0.25, 0.55, 0.2] }),
        emotions: Some(vec![EmotionScore { name: "joy".to_owned(), score: joy, present: joy > 0.5 }]),
    }
}

/// The first is right but for its entity, the second is taken for the first, the third is rejected, the fourth is not.
fn judged(examples: &[Example]) -> Vec<Judged<'_>> {
    let predictions = [
        prediction(intent("track", 0.9, "refund", -0.4), &[(16, 19, "product"), (12, 15, "color")], 0.1, 0.8),
        prediction(intent("track", 0.6, "refund", -0.1), &[], -0.5, 0.6),
        prediction(intent("refund", 0.3, "track", 0.2), &[], 0.2, 0.1),
        prediction(intent("refund", 0.5, "track", -0.2), &[], 0.0, 0.1),
        prediction(intent("track", 0.5, "refund", -0.2), &[], 0.0, 0.1),
    ];
    let escalated = [Some(true), Some(true), None, None, None];
    examples
        .iter()
        .zip(predictions)
        .zip(escalated)
        .map(|((example, prediction), escalated)| Judged { example, prediction, escalated })
        .collect()
}

fn near(got: impl Into<Option<f64>>, wanted: f64) {
    let got = got.into();
    assert!(got.is_some_and(|got| (got - wanted).abs() < 1e-6), "got {got:?}, wanted {wanted}");
}

#[test]
fn a_report_by_hand() {
    let examples = examples();
    let report = report(&judged(&examples));
    let scores = report.intent.as_ref().unwrap();
    assert_eq!((scores.labels.examples, scores.labels.accuracy), (4, 0.5));
    // track: 1 right, 1 wrongly said; refund: missed, said of the fourth; out of scope: one of two found.
    near(scores.labels.macro_f1, (2.0 / 3.0 + 0.0 + 2.0 / 3.0) / 3.0);
    assert_eq!((scores.in_scope_accuracy, scores.in_scope_top1, scores.in_scope_top3), (0.5, 0.5, 1.0));
    assert_eq!((scores.out_of_scope_precision, scores.out_of_scope_recall), (1.0, 0.5));
    // Margins outside 0.2 and −0.2, inside −0.1 and −0.4: three of four pairs in order.
    near(scores.out_of_scope_auroc, 0.75);
    near(scores.out_of_scope_recall_at_10_percent, 0.5);
    // Answers 0.9 right, 0.6 wrong, 0.5 wrong, each alone in its bin.
    near(scores.expected_calibration_error, (0.1 + 0.6 + 0.5) / 3.0);

    let spans = report.entities.as_ref().unwrap();
    assert_eq!((spans.examples, spans.total), (2, Counts { true_positives: 0, false_positives: 2, false_negatives: 1 }));
    near(spans.overlap_f1, 2.0 / 3.0);
    assert_eq!(spans.exact_examples, 0.5);

    let sentiment = report.sentiment.as_ref().unwrap();
    assert_eq!((sentiment.labels.examples, sentiment.labels.accuracy), (3, 1.0));
    near(sentiment.mean_absolute_error, (0.1 + 0.5 + 0.0) / 3.0);
    near(sentiment.root_mean_squared_error, ((0.01 + 0.25) / 3.0f64).sqrt());
    near(sentiment.spearman, 1.0);

    let emotions = report.emotions.as_ref().unwrap();
    // joy: once right, once wrongly said; fear: a label that the model lacks, missed.
    assert_eq!((emotions.examples, emotions.micro_f1), (3, 0.5));
    near(emotions.macro_f1, f64::midpoint(2.0 / 3.0, 0.0));
    let escalation = report.escalation.as_ref().unwrap();
    assert_eq!((escalation.examples, escalation.precision, escalation.recall), (2, 0.5, 1.0));
}

#[test]
fn every_main_figure_is_in_the_report_under_its_path() {
    let examples = examples();
    let report = report(&judged(&examples));
    let figures = report.figures();
    for figure in FIGURES {
        let value = (figure.of)(&report);
        assert!(value.is_some(), "{} has no value here", figure.path);
        assert_eq!((value, value), (figures.get(figure.path).copied(), report.figure(figure.path)), "{}", figure.path);
        assert!(PARTS.iter().any(|(part, _)| *part == figure.part()), "{}", figure.path);
    }
    assert_eq!(report.figure("intent.labels.track.recall"), Some(1.0));
    assert_eq!(report.figure("entities.total.false_positives"), Some(2.0));
    for unknown in ["intent", "intent.labels", "intent.labels.track", "other.accuracy", "intent.labels.none.f1"] {
        assert_eq!(report.figure(unknown), None, "{unknown}");
    }
}

#[test]
fn details_name_what_was_taken_for_what_and_where() {
    let examples = examples();
    let judged = judged(&examples);
    let bootstrap = Bootstrap { resamples: 50, ..Bootstrap::default() };
    let report = detailed(&judged, &Detail { examples: 1, bootstrap });
    let found = |part: &str, known: Option<&str>, said: Option<&str>| {
        let same = |confused: &&Confused| (confused.part, confused.known.as_deref(), confused.said.as_deref()) == (part, known, said);
        report.confused.iter().find(same).unwrap_or_else(|| panic!("{part} {known:?} {said:?} is not in {:?}", report.confused))
    };
    assert_eq!(found("intent", Some("refund"), Some("track")).examples[0].place, "shop/test.jsonl:2");
    assert_eq!(found("intent", Some("out_of_scope"), Some("refund")).examples[0].score, Some(0.5));
    let bounds = &found("entities", Some("product"), Some("product")).examples[0];
    assert_eq!((bounds.known.as_deref(), bounds.said.as_deref()), (Some("red hat"), Some("hat")));
    assert_eq!(report.confused.iter().filter(|confused| confused.part == "entities").count(), 1, "`red` overlaps a known span");
    let curves = report.curves.as_ref().unwrap();
    let decision = curves.out_of_scope_decision.unwrap();
    assert_eq!((decision.false_alarm, decision.recall), (0.0, 0.5));
    assert_eq!(curves.coverage.iter().map(|point| point.coverage).collect::<Vec<_>>(), [0.25, 0.5, 0.75]);
    assert_eq!(curves.coverage_at_accuracy.iter().map(|wanted| wanted.point.score).collect::<Vec<_>>(), [0.9; 4]);
    assert!(report.intervals["intent.accuracy"].low <= 0.5 && report.intervals["intent.accuracy"].high >= 0.5);
    for (path, interval) in &report.intervals {
        assert!(interval.low <= interval.high && report.figure(path).is_some(), "{path}: {interval:?}");
    }

    let text = text(&report);
    assert!(text.contains("shop/test.jsonl:2: refund <me>") && text.contains("product with other bounds"), "{text}");
    let page = page(&report, &About { model: "a<b@1".to_owned(), messages: 5, resamples: 50, ..About::default() });
    assert_page(&page);
    assert!(page.contains("refund &lt;me&gt;") && page.contains("a&lt;b@1") && page.contains("shop/test.jsonl:2"));
}

#[test]
fn a_comparison_pairs_the_rows() {
    let examples = examples();
    let (a, mut b) = (judged(&examples), judged(&examples));
    // The second model gets the second right and no longer rejects the third.
    b[1].prediction.intent = Some(intent("refund", 0.7, "track", -0.3));
    b[2].prediction.intent = Some(intent("track", 0.7, "refund", -0.3));
    let comparison = compare(&a, &b, &Bootstrap { resamples: 200, ..Bootstrap::default() });
    let changes = &comparison.changes[0];
    assert_eq!((changes.part, changes.examples, changes.fixed.len(), changes.broken.len()), ("intent", 4, 1, 1));
    assert_eq!(
        (changes.fixed[0].place.as_str(), changes.fixed[0].a.as_str(), changes.fixed[0].b.as_str()),
        ("shop/test.jsonl:2", "track", "refund")
    );
    assert_eq!(
        (changes.broken[0].known.as_str(), changes.broken[0].a.as_str(), changes.broken[0].b.as_str()),
        ("out_of_scope", "out_of_scope", "track")
    );
    assert_eq!(changes.p_value, 1.0);
    let differences = comparison.differences();
    near(differences["intent.accuracy"], 0.0);
    near(differences["intent.in_scope_accuracy"], 0.5);
    near(differences["intent.out_of_scope_recall"], -0.5);
    let interval = comparison.figures.iter().find(|difference| difference.figure == "intent.accuracy").unwrap().interval.unwrap();
    assert!(interval.low < 0.0 && interval.high > 0.0);
    let unchanged = comparison.figures.iter().find(|difference| difference.figure == "sentiment.macro_f1").unwrap();
    assert_eq!(
        (unchanged.difference, unchanged.interval, unchanged.verdict()),
        (0.0, Some(Interval { low: 0.0, high: 0.0 }), Verdict::Open)
    );

    let text = comparison_text(&comparison);
    assert!(text.contains("1 fixed, 1 broken of 4") && text.contains("known refund; A track; B refund"), "{text}");
    let page = comparison_page(&comparison, &About::default(), &About::default());
    assert_page(&page);
    assert!(page.contains("refund &lt;me&gt;"));
}

#[test]
fn a_difference_is_better_or_worse_only_where_its_interval_leaves_zero_out() {
    let verdict = |more_is_better, low, high| {
        let interval = Some(Interval { low, high });
        Difference { figure: "intent.accuracy", a: 0.0, b: 0.0, difference: f64::midpoint(low, high), interval, more_is_better }.verdict()
    };
    assert_eq!(
        [verdict(true, 0.1, 0.2), verdict(true, -0.2, -0.1), verdict(true, -0.1, 0.3)],
        [Verdict::Better, Verdict::Worse, Verdict::Open]
    );
    assert_eq!([verdict(false, 0.1, 0.2), verdict(false, -0.2, -0.1)], [Verdict::Worse, Verdict::Better]);
}

#[test]
fn a_part_that_nothing_is_known_of_is_absent() {
    let examples = [example(1, r#"{"text": "hello"}"#)];
    let judged = [Judged { example: &examples[0], prediction: Prediction::default(), escalated: Some(true) }];
    let report = detailed(&judged, &Detail::default());
    assert_eq!((report.figures().len(), report.curves.is_none(), report.intervals.len()), (0, true, 0));
    assert_page(&page(&report, &About::default()));
    let empty = detailed(&[], &Detail::default());
    assert_eq!((empty, report), (Report::default(), Report::default()));
}
