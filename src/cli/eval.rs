//! `hearken eval`: every figure of a model on data, through the same door that the server uses.

use super::load;
use crate::data::{DataDirectory, Example, Split};
use crate::engine::{Engine, Input};
use crate::eval::{Gate, Judged, line, report, text};
use crate::patterns::ValueContext;
use crate::policy::Facts;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Messages sent to the engine at once.
pub(super) const CHUNK: usize = 64;

/// Measure a model on data
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken eval models/storefront-en training-data/storefront-en --split test
  hearken eval models/my-shop my-shop --json > report.json
  hearken eval models/my-shop my-shop --gate 'intent.accuracy>=0.9' --gate 'entities.micro_f1>=0.85'

A row counts for a part only where its label is known. Entities are right when label, start and end are right. A gate that is
missed gives exit code 3; an unknown figure lists those there are.")]
pub struct EvalArgs {
    /// Name below models/, or directory, of the model
    model: String,
    /// Data directories
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// train, valid or test
    #[arg(long, default_value_t = Split::Test)]
    split: Split,
    /// Backend
    #[arg(long, default_value = "auto")]
    device: String,
    /// Policy file (YAML) instead of the built-in policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
    /// Bound that a figure must keep, such as intent.accuracy>=0.9; may be given several times
    #[arg(long, value_name = "FIGURE>=NUMBER")]
    gate: Vec<Gate>,
}

impl EvalArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut examples = Vec::new();
        for path in &self.data {
            examples.extend(DataDirectory::new(path).read(self.split)?);
        }
        let engine = load::engine(&self.model, &self.device, 0, CHUNK)?;
        let judged = judge(&engine, self.policy.as_deref(), &examples)?;
        let report = report(&judged);
        if self.json {
            let figures = serde_json::json!({"model": engine.model().id(), "backend": engine.backend(), "split": self.split.name(), "report": report});
            println!("{}", serde_json::to_string_pretty(&figures)?);
        } else {
            println!("{} on {} messages, split {}\n\n{}{}", engine.model().id(), examples.len(), self.split, text(&report), line(&report));
        }
        let mut missed = false;
        for gate in &self.gate {
            if !gate.passes(&report).map_err(anyhow::Error::msg)? {
                missed = true;
                eprintln!(
                    "gate missed: {} is {:.4}, wanted {} {}",
                    gate.figure,
                    report.figures().get(&gate.figure).copied().unwrap_or(f64::NAN),
                    if gate.at_least { ">=" } else { "<=" },
                    gate.bound
                );
            }
        }
        Ok(if missed { ExitCode::from(3) } else { ExitCode::SUCCESS })
    }
}

/// What the engine and the policy say of every example.
///
/// # Errors
/// When the policy is wrong or the engine fails.
pub(super) fn judge<'a>(engine: &Engine, policy: Option<&Path>, examples: &'a [Example]) -> anyhow::Result<Vec<Judged<'a>>> {
    let policy = load::policy(policy)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let bar = ProgressBar::new(examples.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {pos}/{len} messages, ETA {eta}") {
        bar.set_style(style);
    }
    let mut judged = Vec::with_capacity(examples.len());
    for chunk in examples.chunks(CHUNK) {
        let inputs = chunk.iter().map(|example| Input {
            text: example.text.clone(),
            context: example.context.clone(),
            values: ValueContext { now: None, region: None },
        });
        let outcomes = runtime.block_on(engine.classify(inputs.collect()))?;
        for (example, outcome) in chunk.iter().zip(outcomes) {
            let escalated = policy.decide(&Facts { text: &example.text, prediction: &outcome.prediction }).escalate;
            judged.push(Judged { example, prediction: outcome.prediction, escalated: Some(escalated) });
        }
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    Ok(judged)
}
