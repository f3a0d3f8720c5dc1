//! One section for each part of the report.

use super::confused::confused;
use super::plots::{confusions, coverage, labels, reliability, roc};
use crate::eval::{EmotionScores, IntentScores, Report, SentimentScores, SpanScores};
use crate::plot::{Markup, html, section};

/// Every section that the report has something for. The escalation has no more than its figures.
pub fn sections(report: &Report) -> Markup {
    html! {
        @if let Some(scores) = &report.intent { (section("Intent", "", &intent(report, scores))) }
        @if let Some(scores) = &report.entities { (section("Entities", "", &entities(report, scores))) }
        @if let Some(scores) = &report.sentiment { (section("Sentiment", "", &sentiment(report, scores))) }
        @if let Some(scores) = &report.emotions { (section("Emotions", "", &emotions(scores))) }
    }
}

fn intent(report: &Report, scores: &IntentScores) -> Markup {
    html! {
        div.pair {
            (reliability("intent", &scores.reliability, scores.expected_calibration_error))
            @if let Some(curves) = &report.curves {
                @if let Some(area) = scores.out_of_scope_auroc { (roc(curves, area)) }
                @if !curves.coverage.is_empty() { (coverage(curves)) }
            }
        }
        (confusions("intent", &scores.labels))
        (confused(report, "intent"))
        (labels("intent", &scores.labels.labels, None))
    }
}

fn entities(report: &Report, scores: &SpanScores) -> Markup {
    html! {
        (labels("entities", &scores.labels, Some(&scores.overlap_labels)))
        (reliability("entities", &scores.reliability, scores.expected_calibration_error))
        (confused(report, "entities"))
    }
}

fn sentiment(report: &Report, scores: &SentimentScores) -> Markup {
    html! {
        div.pair {
            div { (confusions("sentiment", &scores.labels)) (labels("sentiment", &scores.labels.labels, None)) }
            (reliability("sentiment", &scores.reliability, scores.expected_calibration_error))
        }
        (confused(report, "sentiment"))
    }
}

fn emotions(scores: &EmotionScores) -> Markup {
    html! {
        div.pair {
            div { (labels("emotions", &scores.labels, None)) }
            (reliability("emotions", &scores.reliability, scores.expected_calibration_error))
        }
    }
}
