//! All runs together: means, how far they differ, and the learning curve; as text and as JSON from the same numbers.

use super::plan::Plan;
use super::round::Finished;
use crate::eval::{Spread, spread};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// The main figure of each head, by which runs are compared on one line.
const MAIN: [&str; 5] = ["intent.accuracy", "intent.out_of_scope_recall", "entities.micro_f1", "sentiment.macro_f1", "emotions.micro_f1"];

/// Figures of the runs of one share of the training rows.
#[derive(Debug, Serialize)]
pub struct OfShare {
    /// The share.
    pub share: f64,
    /// Rows trained on, a mean.
    pub train_rows: usize,
    /// Every figure over all runs.
    pub figures: BTreeMap<String, Spread>,
    /// Spread of the seeds' means: what of it is the chance of training rather than of the fold.
    pub between_seeds: BTreeMap<String, Spread>,
}

/// The whole cross-validation.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// Version of hearken.
    pub hearken: &'static str,
    /// Data directories.
    pub data: Vec<String>,
    /// Base encoder.
    pub base: String,
    /// Rows in all.
    pub rows: usize,
    /// Folds; 1 is the data's own test split.
    pub folds: usize,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// The learning curve, least share first.
    pub curve: Vec<OfShare>,
    /// Every run.
    pub runs: Vec<Finished>,
}

impl Summary {
    /// Puts finished runs together.
    pub fn new(plan: &Plan, base: &Path, runs: Vec<Finished>) -> Self {
        let of_share = |share: &f64| {
            let runs: Vec<&Finished> = runs.iter().filter(|run| run.share == *share).collect();
            let of_seed = |seed: &u64| {
                let means = spread(runs.iter().filter(|run| run.seed == *seed).map(|run| &run.figures));
                means.into_iter().map(|(name, spread)| (name, spread.mean)).collect::<BTreeMap<_, _>>()
            };
            OfShare {
                share: *share,
                train_rows: runs.iter().map(|run| run.train_rows).sum::<usize>() / runs.len().max(1),
                figures: spread(runs.iter().map(|run| &run.figures)),
                between_seeds: spread(&plan.seeds.iter().map(of_seed).collect::<Vec<_>>()),
            }
        };
        Self {
            hearken: env!("CARGO_PKG_VERSION"),
            data: plan.data.clone(),
            base: base.display().to_string(),
            rows: plan.rows(),
            folds: plan.folds,
            seeds: plan.seeds.clone(),
            curve: plan.shares.iter().map(of_share).collect(),
            runs,
        }
    }

    /// The summary for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let folds = if self.folds == 1 { "own test split".to_owned() } else { format!("{} folds", self.folds) };
        let _ = writeln!(out, "{} rows of {}, {folds} x {} seeds\n", self.rows, self.data.join(", "), self.seeds.len());
        if let Some(whole) = self.curve.last() {
            let _ = writeln!(out, "{:<36} mean      sd   least    most  sd of seeds", "figure");
            for (name, spread) in whole.figures.iter().filter(|(name, _)| !name.ends_with(".examples")) {
                let seeds = whole.between_seeds.get(name).map_or(0.0, |spread| spread.sd);
                let Spread { mean, sd, least, most, .. } = spread;
                let _ = writeln!(out, "{name:<36} {mean:.4}  {sd:.4}  {least:.4}  {most:.4}       {seeds:.4}");
            }
        }
        self.table("run", &mut out, |main, out| {
            for run in &self.runs {
                let name = format!("share {} fold {} seed {}", run.share, run.fold, run.seed);
                let cells = main.iter().map(|figure| run.figures.get(*figure).map(|value| format!("{value:.4}")));
                let _ = writeln!(out, "{name:<28} {:>6}{}", run.train_rows, row(cells));
            }
        });
        if self.curve.len() > 1 {
            self.table("learning curve", &mut out, |main, out| {
                for of in &self.curve {
                    let spread = |figure: &&str| of.figures.get(*figure).map(|spread| format!("{:.4} ± {:.4}", spread.mean, spread.sd));
                    let _ = writeln!(out, "{:<28} {:>6}{}", format!("share {}", of.share), of.train_rows, row(main.iter().map(spread)));
                }
            });
        }
        out
    }

    /// A table of the main figures that there are.
    fn table(&self, title: &str, out: &mut String, rows: impl Fn(&[&str], &mut String)) {
        let has = |figure: &&str| self.runs.iter().any(|run| run.figures.contains_key(*figure));
        let main: Vec<&str> = MAIN.into_iter().filter(has).collect();
        let _ = writeln!(out, "\n{title:<28}   rows{}", row(main.iter().map(|name| Some((*name).to_owned()))));
        rows(&main, out);
    }
}

fn row(cells: impl Iterator<Item = Option<String>>) -> String {
    cells.fold(String::new(), |mut row, cell| {
        let _ = write!(row, "  {:>26}", cell.as_deref().unwrap_or("–"));
        row
    })
}
