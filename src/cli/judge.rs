//! A model's answers to examples, through the same door that the server uses: what evaluations begin with.

use super::load;
use crate::data::{DataDirectory, Example, Split};
use crate::engine::{Engine, Input};
use crate::eval::{Gate, Judged};
use crate::patterns::ValueContext;
use crate::policy::Facts;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Messages sent to the engine at once.
pub const CHUNK: usize = 64;

/// The examples of a split of several directories.
///
/// # Errors
/// When a directory lacks the split or a line is wrong.
pub fn examples(data: &[PathBuf], split: Split) -> anyhow::Result<Vec<Example>> {
    let mut examples = Vec::new();
    for path in data {
        examples.extend(DataDirectory::new(path).read(split)?);
    }
    Ok(examples)
}

/// The names of the directories, as a report gives them.
pub fn names(data: &[PathBuf]) -> String {
    data.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// A bar over `length` steps of what `what` says.
pub fn bar(length: usize, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:24}} {{pos}}/{{len}} {what}, ETA {{eta}}")) {
        bar.set_style(style);
    }
    bar
}

/// What the model says of each example, and what the policy of the file, or the built-in one, makes of it.
///
/// # Errors
/// When the policy cannot be read or the model fails.
pub fn judge<'a>(engine: &Engine, policy: Option<&Path>, examples: &'a [Example]) -> anyhow::Result<Vec<Judged<'a>>> {
    let policy = load::policy(policy)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let bar = bar(examples.len(), "messages");
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

/// Whether a bound is missed; says so for each that is, with `what` before its figure.
///
/// # Errors
/// When there is no such figure.
pub fn missed(gates: &[Gate], what: &str, figures: &BTreeMap<String, f64>) -> anyhow::Result<bool> {
    let mut missed = false;
    for gate in gates {
        if !gate.passes_figures(figures).map_err(anyhow::Error::msg)? {
            missed = true;
            eprintln!("gate missed: {what}{} is {:.4}, wanted {gate}", gate.figure, figures.get(&gate.figure).copied().unwrap_or(f64::NAN));
        }
    }
    Ok(missed)
}

/// Writes a page, making its directory.
///
/// # Errors
/// When the file cannot be written.
pub fn write_page(path: &Path, page: &str) -> anyhow::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, page))
        .with_context(|| format!("`{}` cannot be written", path.display()))
}
