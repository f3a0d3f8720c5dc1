//! The main figures: those that are shown to people, have intervals, and are compared between models. Every other figure is in the JSON.

use super::Report;

/// One main figure.
pub struct Figure {
    /// Dotted path, as gates name it.
    pub path: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Whether more is better (or less).
    pub more_is_better: bool,
    /// Reads it off a report that has it.
    pub of: fn(&Report) -> Option<f64>,
}

impl Figure {
    /// The part of the report that it belongs to.
    #[must_use]
    pub fn part(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(part, _)| part)
    }
}

const fn more(path: &'static str, title: &'static str, of: fn(&Report) -> Option<f64>) -> Figure {
    Figure { path, title, more_is_better: true, of }
}

const fn less(path: &'static str, title: &'static str, of: fn(&Report) -> Option<f64>) -> Figure {
    Figure { path, title, more_is_better: false, of }
}

/// The parts of a report, and their titles.
pub const PARTS: [(&str, &str); 5] =
    [("intent", "Intent"), ("entities", "Entities"), ("sentiment", "Sentiment"), ("emotions", "Emotions"), ("escalation", "Escalation")];

/// Every main figure, in the order of the report.
pub const FIGURES: &[Figure] = &[
    more("intent.accuracy", "accuracy", |report| Some(report.intent.as_ref()?.labels.accuracy)),
    more("intent.macro_f1", "macro-F1", |report| Some(report.intent.as_ref()?.labels.macro_f1)),
    more("intent.weighted_f1", "weighted F1", |report| Some(report.intent.as_ref()?.labels.weighted_f1)),
    more("intent.in_scope_accuracy", "in-scope accuracy", |report| Some(report.intent.as_ref()?.in_scope_accuracy)),
    more("intent.in_scope_top1", "in-scope top 1 / any status", |report| Some(report.intent.as_ref()?.in_scope_top1)),
    more("intent.in_scope_top3", "in-scope top 3", |report| Some(report.intent.as_ref()?.in_scope_top3)),
    more("intent.out_of_scope_precision", "out-of-scope precision", |report| Some(report.intent.as_ref()?.out_of_scope_precision)),
    more("intent.out_of_scope_recall", "out-of-scope recall", |report| Some(report.intent.as_ref()?.out_of_scope_recall)),
    more("intent.out_of_scope_auroc", "out-of-scope AUROC", |report| report.intent.as_ref()?.out_of_scope_auroc),
    more("intent.out_of_scope_recall_at_1_percent", "out-of-scope recall, 1 % false alarm", |report| {
        report.intent.as_ref()?.out_of_scope_recall_at_1_percent
    }),
    more("intent.out_of_scope_recall_at_5_percent", "out-of-scope recall, 5 % false alarm", |report| {
        report.intent.as_ref()?.out_of_scope_recall_at_5_percent
    }),
    more("intent.out_of_scope_recall_at_10_percent", "out-of-scope recall, 10 % false alarm", |report| {
        report.intent.as_ref()?.out_of_scope_recall_at_10_percent
    }),
    less("intent.expected_calibration_error", "expected calibration error", |report| {
        Some(report.intent.as_ref()?.expected_calibration_error)
    }),
    more("entities.micro_f1", "micro-F1", |report| Some(report.entities.as_ref()?.micro_f1)),
    more("entities.micro_precision", "micro precision", |report| Some(report.entities.as_ref()?.micro_precision)),
    more("entities.micro_recall", "micro recall", |report| Some(report.entities.as_ref()?.micro_recall)),
    more("entities.macro_f1", "macro-F1", |report| Some(report.entities.as_ref()?.macro_f1)),
    more("entities.weighted_f1", "weighted F1", |report| Some(report.entities.as_ref()?.weighted_f1)),
    more("entities.overlap_f1", "F1 with overlap counted", |report| Some(report.entities.as_ref()?.overlap_f1)),
    more("entities.exact_examples", "messages with every entity right", |report| Some(report.entities.as_ref()?.exact_examples)),
    less("entities.expected_calibration_error", "expected calibration error", |report| {
        Some(report.entities.as_ref()?.expected_calibration_error)
    }),
    more("sentiment.macro_f1", "macro-F1", |report| Some(report.sentiment.as_ref()?.labels.macro_f1)),
    more("sentiment.accuracy", "accuracy", |report| Some(report.sentiment.as_ref()?.labels.accuracy)),
    more("sentiment.weighted_f1", "weighted F1", |report| Some(report.sentiment.as_ref()?.labels.weighted_f1)),
    less("sentiment.mean_absolute_error", "mean absolute error of the score", |report| {
        Some(report.sentiment.as_ref()?.mean_absolute_error)
    }),
    less("sentiment.root_mean_squared_error", "root mean squared error of the score", |report| {
        Some(report.sentiment.as_ref()?.root_mean_squared_error)
    }),
    more("sentiment.pearson", "Pearson correlation of the score", |report| report.sentiment.as_ref()?.pearson),
    more("sentiment.spearman", "Spearman correlation of the score", |report| report.sentiment.as_ref()?.spearman),
    less("sentiment.expected_calibration_error", "expected calibration error", |report| {
        Some(report.sentiment.as_ref()?.expected_calibration_error)
    }),
    more("emotions.micro_f1", "micro-F1", |report| Some(report.emotions.as_ref()?.micro_f1)),
    more("emotions.macro_f1", "macro-F1", |report| Some(report.emotions.as_ref()?.macro_f1)),
    more("emotions.weighted_f1", "weighted F1", |report| Some(report.emotions.as_ref()?.weighted_f1)),
    less("emotions.expected_calibration_error", "expected calibration error", |report| {
        Some(report.emotions.as_ref()?.expected_calibration_error)
    }),
    more("escalation.f1", "F1", |report| Some(report.escalation.as_ref()?.f1)),
    more("escalation.precision", "precision", |report| Some(report.escalation.as_ref()?.precision)),
    more("escalation.recall", "recall", |report| Some(report.escalation.as_ref()?.recall)),
];
