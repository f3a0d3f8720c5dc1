//! `hearken robustness`: what is left of a model's figures when people type as they do.

use super::judge::{self, DataArgs};
use crate::data::{DISTORTIONS, DataDirectory, Example, Place, Purpose, Record, Row, distort, records_of};
use crate::engine::Engine;
use crate::eval::{Condition, Gate, Report, Robustness, report};
use clap::Args;
use std::io::Write as _;
use std::process::ExitCode;

/// Measure a model on the same messages typed worse, and without what was said before
#[derive(Debug, Args)]
#[command(after_help = "\
Types every message worse in a dozen ways (typos, no vowels, dictated, a story before the request, …), keeps its labels, and prints what
each way costs. Rows with `context` are read once more without it: those marked `needs_context` ought to lose, the others not.

Examples:
  hearken robustness models/storefront-en training-data/storefront-en
  hearken robustness models/my-shop my-shop --json | jq .mean_drops
  hearken robustness models/my-shop my-shop --gate 'mean_drop.intent.accuracy<=0.04'

`hearken data augment` makes training rows of the same kinds.")]
pub struct RobustnessArgs {
    /// Name below models/, or directory, of the model
    model: String,
    #[command(flatten)]
    on: DataArgs,
    /// Seed of the distortions
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Every figure as JSON
    #[arg(long)]
    json: bool,
    /// Bound that a figure must keep, such as `mean_drop.intent.accuracy<=0.04`; may be given several times
    #[arg(long, value_name = "FIGURE<=NUMBER")]
    gate: Vec<Gate>,
}

impl RobustnessArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut records = Vec::new();
        for path in &self.on.data {
            records.extend(
                records_of(&DataDirectory::new(path).file(self.on.split))?.into_iter().filter(|record| record.row.is_of_customer()),
            );
        }
        let engine = self.on.engine(&self.model)?;
        let examples = records.iter().map(|record| example(record.row.clone(), &record.place)).collect::<Result<Vec<_>, _>>()?;
        let plain = measured(&engine, &examples)?;
        let mut distorted = Vec::new();
        for kind in DISTORTIONS {
            let worse = |record: &Record| {
                let line = distort(record, *kind, Purpose::Measure, self.seed)?;
                example(serde_json::from_str(&line)?, &record.place)
            };
            let worse = records.iter().map(worse).collect::<Result<Vec<_>, _>>()?;
            distorted.push(Condition::new(kind.name(), worse.len(), &plain, &measured(&engine, &worse)?));
        }
        let mut without = Vec::new();
        for (name, needs) in [("without-context", true), ("without-context-not-needed", false)] {
            let with: Vec<Example> = records
                .iter()
                .zip(&examples)
                .filter(|(record, example)| !example.context.is_empty() && record.row.needs_context == Some(needs))
                .map(|(_, example)| example.clone())
                .collect();
            if with.is_empty() {
                continue;
            }
            let alone: Vec<Example> = with.iter().cloned().map(|example| Example { context: Vec::new(), ..example }).collect();
            without.push(Condition::new(name, with.len(), &measured(&engine, &with)?, &measured(&engine, &alone)?));
        }
        let robustness = Robustness::new(&plain, distorted, without);
        let mut out = std::io::stdout().lock();
        if self.json {
            let document = serde_json::json!({
                "model": engine.id(), "backend": engine.backend(), "data": self.on.data, "split": self.on.split.to_string(),
                "messages": examples.len(), "seed": self.seed, "robustness": robustness,
            });
            writeln!(out, "{document:#}")?;
        } else {
            writeln!(out, "{} on {} messages, split {}; per cent\n\n{}", engine.id(), examples.len(), self.on.split, robustness.text())?;
        }
        let figures = robustness.figures();
        judge::pass(&self.gate, |gate| {
            let value = || figures.get(&gate.figure).copied().unwrap_or(f64::NAN);
            Ok((!gate.passes_figures(&figures)?).then(|| format!("{} is {:.4}", gate.figure, value())))
        })
    }
}

fn example(row: Row, place: &Place) -> anyhow::Result<Example> {
    Example::new(row, place.clone()).map_err(|error| anyhow::anyhow!("{place}: {error}"))
}

fn measured(engine: &Engine, examples: &[Example]) -> anyhow::Result<Report> {
    Ok(report(&judge::judge(engine, None, examples)?))
}
