//! How much of a model's accuracy is left when messages are typed worse, or when what was said before is not known?

use super::Report;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The figures that are followed, with their headings.
const FOLLOWED: [(&str, &str); 3] = [("intent.accuracy", "intent"), ("entities.micro_f1", "entities"), ("sentiment.macro_f1", "sentiment")];

/// Figures under one condition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// What is done to the messages.
    pub name: String,
    /// Messages.
    pub messages: usize,
    /// Figures by their dotted path.
    pub figures: BTreeMap<String, f64>,
    /// What each figure is less than without the condition.
    pub drops: BTreeMap<String, f64>,
}

/// A model's figures as messages are, and under each condition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Robustness {
    /// As they are.
    pub plain: BTreeMap<String, f64>,
    /// Each way to type worse.
    pub distorted: Vec<Condition>,
    /// Mean of the drops over the ways to type worse.
    pub mean_drops: BTreeMap<String, f64>,
    /// Without what was said before, on messages that have it.
    pub without_context: Vec<Condition>,
}

/// The followed figures of a report.
fn followed(report: &Report) -> BTreeMap<String, f64> {
    let all = report.figures();
    FOLLOWED.iter().filter_map(|(path, _)| Some(((*path).to_owned(), *all.get(*path)?))).collect()
}

impl Condition {
    /// A condition, from the reports on the same messages without and with it.
    #[must_use]
    pub fn new(name: &str, messages: usize, plain: &Report, under: &Report) -> Self {
        let (plain, figures) = (followed(plain), followed(under));
        let drops = figures.iter().filter_map(|(path, value)| Some((path.clone(), plain.get(path)? - value))).collect();
        Self { name: name.to_owned(), messages, figures, drops }
    }
}

impl Robustness {
    /// All conditions together.
    #[must_use]
    pub fn new(plain: &Report, distorted: Vec<Condition>, without_context: Vec<Condition>) -> Self {
        let drops = |path: &str| distorted.iter().filter_map(|kind| kind.drops.get(path).copied()).collect::<Vec<_>>();
        let mean_drops = FOLLOWED
            .iter()
            .map(|(path, _)| ((*path).to_owned(), drops(path)))
            .filter(|(_, drops)| !drops.is_empty())
            .map(|(path, drops)| (path, super::report::mean(drops.into_iter())))
            .collect();
        Self { plain: followed(plain), distorted, mean_drops, without_context }
    }

    /// What a gate may name: `plain.…`, `drop.KIND.…`, `mean_drop.…` before a figure's own path.
    #[must_use]
    pub fn figures(&self) -> BTreeMap<String, f64> {
        let mut figures: BTreeMap<String, f64> = self.plain.iter().map(|(path, value)| (format!("plain.{path}"), *value)).collect();
        for condition in self.distorted.iter().chain(&self.without_context) {
            figures.extend(condition.drops.iter().map(|(path, drop)| (format!("drop.{}.{path}", condition.name), *drop)));
        }
        figures.extend(self.mean_drops.iter().map(|(path, drop)| (format!("mean_drop.{path}"), *drop)));
        figures
    }

    /// The table.
    #[must_use]
    pub fn text(&self) -> String {
        let columns: Vec<&(&str, &str)> = FOLLOWED.iter().filter(|(path, _)| self.plain.contains_key(*path)).collect();
        let mut out = format!("{:<34}", "");
        for (_, heading) in &columns {
            let _ = write!(out, "{heading:>10} {:>6}", "drop");
        }
        out.push('\n');
        let mut row = |name: &str, figures: &BTreeMap<String, f64>, drops: &BTreeMap<String, f64>| {
            let _ = write!(out, "{name:<34}");
            for (path, _) in &columns {
                let cell = |values: &BTreeMap<String, f64>, sign: bool| match values.get(*path) {
                    Some(value) if sign => format!("{:+.1}", -100.0 * value),
                    Some(value) => format!("{:.1}", 100.0 * value),
                    None => "–".to_owned(),
                };
                let _ = write!(out, "{:>10} {:>6}", cell(figures, false), if drops.is_empty() { String::new() } else { cell(drops, true) });
            }
            out.push('\n');
        };
        let none = BTreeMap::new();
        row("as they are", &self.plain, &none);
        for kind in &self.distorted {
            row(&kind.name, &kind.figures, &kind.drops);
        }
        if !self.distorted.is_empty() {
            row("mean over the kinds", &none, &self.mean_drops);
        }
        for condition in &self.without_context {
            row(&format!("{} ({})", condition.name, condition.messages), &condition.figures, &condition.drops);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{Classification, IntentScores};

    fn report(right: usize) -> Report {
        let pairs = (0..10).map(|i| ("a", if i < right { "a" } else { "b" }));
        Report { intent: Some(IntentScores { labels: Classification::of(pairs), ..IntentScores::default() }), ..Report::default() }
    }

    #[test]
    fn drops_are_told_by_kind_and_on_the_mean() {
        let (plain, bad, worse) = (report(9), report(8), report(5));
        let kinds = vec![Condition::new("typos", 10, &plain, &bad), Condition::new("speech", 10, &plain, &worse)];
        let robustness = Robustness::new(&plain, kinds, vec![Condition::new("without-context", 10, &plain, &bad)]);
        let figures = robustness.figures();
        assert!((figures["drop.typos.intent.accuracy"] - 0.1).abs() < 1e-9);
        assert!((figures["mean_drop.intent.accuracy"] - 0.25).abs() < 1e-9);
        assert!((figures["drop.without-context.intent.accuracy"] - 0.1).abs() < 1e-9);
        let text = robustness.text();
        assert!(text.contains("typos") && text.contains("-10.0") && text.contains("-25.0") && !text.contains("entities"), "{text}");
    }
}
