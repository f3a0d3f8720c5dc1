//! `hearken eval`: every figure of a model on data.

use super::judge::{self, DataArgs};
use crate::eval::{About, Bootstrap, Detail, Gate, Report, detailed, line, page, text};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measure a model on data
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken eval models/storefront-en training-data/storefront-en --split test
  hearken eval models/my-shop my-shop --html report.html
  hearken eval models/my-shop my-shop --json > report.json
  hearken eval models/my-shop my-shop --gate 'intent.accuracy>=0.9' --gate 'intent.labels.refund_request.recall>=0.8'

A row counts for a part only where its label is known. Entities are right when label, start and end are right. Behind each figure
stands its 95 % interval: where it would lie with other messages of the same kind. --html writes one page with plots that needs no
network. A gate that is missed gives exit code 3; an unknown figure lists those there are.")]
pub struct EvalArgs {
    /// Name below models/, or directory, of the model
    model: String,
    #[command(flatten)]
    on: DataArgs,
    /// Policy file (YAML) instead of the built-in policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
    /// Write the report with plots as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Bootstrap resamples behind the intervals; 0 leaves them out
    #[arg(long, default_value_t = 1000, value_name = "N")]
    resamples: usize,
    /// Examples shown of each confusion
    #[arg(long, default_value_t = 3, value_name = "N")]
    examples: usize,
    /// Bound that a figure must keep, such as intent.accuracy>=0.9; may be given several times
    #[arg(long, value_name = "FIGURE>=NUMBER")]
    gate: Vec<Gate>,
}

impl EvalArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let examples = self.on.examples()?;
        let engine = self.on.engine(&self.model)?;
        let judged = judge::judge(&engine, self.policy.as_deref(), &examples)?;
        let bar = judge::bar(self.resamples, "resamples");
        let bootstrap = Bootstrap { resamples: self.resamples, done: &|| bar.inc(1), ..Bootstrap::default() };
        let report = detailed(&judged, &Detail { examples: self.examples, bootstrap });
        bar.finish_and_clear();
        let about = self.on.about(&engine, examples.len(), self.resamples);
        self.show(&report, &about)?;
        judge::pass(&self.gate, |gate| {
            let value = || report.figure(&gate.figure).unwrap_or(f64::NAN);
            Ok((!gate.passes(&report)?).then(|| format!("{} is {:.4}", gate.figure, value())))
        })
    }

    fn show(&self, report: &Report, about: &About) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            let figures = serde_json::json!({
                "model": about.model, "backend": about.backend, "data": self.on.data, "split": about.split, "messages": about.messages,
                "resamples": about.resamples,
                "report": report,
            });
            writeln!(out, "{}", serde_json::to_string_pretty(&figures)?)?;
        } else {
            let (model, messages, split) = (&about.model, about.messages, &about.split);
            writeln!(out, "{model} on {messages} messages, split {split}\n\n{}{}", text(report), line(report))?;
        }
        if let Some(path) = &self.html {
            judge::write_page(path, &page(report, about))?;
            eprintln!("wrote {}", path.display());
        }
        Ok(())
    }
}
