//! `hearken compare`: two models on the same messages.

use super::judge::{self, DataArgs};
use crate::data::Example;
use crate::eval::{About, Bootstrap, Comparison, Gate, Judged, compare, comparison_page, comparison_text};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measure two models on the same data: what the second has more, and which rows it fixes and breaks
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken compare models/storefront-en models/my-shop my-shop
  hearken compare models/my-shop models/my-shop-2 my-shop --html compare.html
  hearken compare models/my-shop models/my-shop-2 my-shop --gate 'intent.accuracy>=-0.005'

Figures are those of `hearken eval`; behind each stands what B has more than A, with the 95 % interval of that difference. Both models are
resampled on the same rows, so what they have in common does not widen it. `better` and `worse` stand where the interval does not
hold zero. A gate bounds a difference; one that is missed gives exit code 3.")]
pub struct CompareArgs {
    /// Name below models/, or directory, of the model to compare with
    a: String,
    /// Name below models/, or directory, of the model in question
    b: String,
    #[command(flatten)]
    on: DataArgs,
    /// Policy file (YAML) instead of the built-in policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The comparison as JSON, with every row that differs
    #[arg(long)]
    json: bool,
    /// Write the comparison as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Bootstrap resamples behind the intervals; 0 leaves them out
    #[arg(long, default_value_t = 1000, value_name = "N")]
    resamples: usize,
    /// Bound that a difference must keep, such as intent.accuracy>=-0.005; may be given several times
    #[arg(long, value_name = "FIGURE>=NUMBER")]
    gate: Vec<Gate>,
}

impl CompareArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let examples = self.on.examples()?;
        let (about_a, a) = self.judged(&self.a, &examples)?;
        let (about_b, b) = self.judged(&self.b, &examples)?;
        let bar = judge::bar(self.resamples, "resamples");
        let bootstrap = Bootstrap { resamples: self.resamples, done: &|| bar.inc(1), ..Bootstrap::default() };
        let comparison = compare(&a, &b, &bootstrap);
        bar.finish_and_clear();
        self.show(&comparison, &about_a, &about_b)?;
        let differences = comparison.differences();
        judge::pass(&self.gate, |gate| {
            let value = || differences.get(&gate.figure).copied().unwrap_or(f64::NAN);
            Ok((!gate.passes_figures(&differences)?).then(|| format!("the difference of {} is {:+.4}", gate.figure, value())))
        })
    }

    fn judged<'a>(&self, model: &str, examples: &'a [Example]) -> anyhow::Result<(About, Vec<Judged<'a>>)> {
        let engine = self.on.engine(model)?;
        let about = self.on.about(&engine, examples.len(), self.resamples);
        Ok((about, judge::judge(&engine, self.policy.as_deref(), examples)?))
    }

    fn show(&self, comparison: &Comparison, a: &About, b: &About) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        if self.json {
            let model = |about: &About, path: &str| serde_json::json!({"model": about.model, "path": path, "backend": about.backend});
            let figures = serde_json::json!({
                "a": model(a, &self.a), "b": model(b, &self.b), "data": self.on.data, "split": a.split, "messages": a.messages,
                "resamples": a.resamples,
                "comparison": comparison,
            });
            writeln!(out, "{}", serde_json::to_string_pretty(&figures)?)?;
        } else {
            writeln!(out, "A is {} ({}), B is {} ({})\n{} messages, split {}\n", a.model, self.a, b.model, self.b, a.messages, a.split)?;
            write!(out, "{}", comparison_text(comparison))?;
        }
        if let Some(path) = &self.html {
            judge::write_page(path, &comparison_page(comparison, a, b))?;
            eprintln!("wrote {}", path.display());
        }
        Ok(())
    }
}
