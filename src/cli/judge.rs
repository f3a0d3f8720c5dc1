//! A model's answers to examples, through the same door that the server uses: what evaluations begin with.

use super::load;
use crate::data::{DataDirectory, Example, Split};
use crate::engine::{Engine, Input, WaitLimits};
use crate::eval::{About, Gate, Judged};
use crate::patterns::ValueContext;
use crate::policy::Facts;
use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Messages sent to the engine at once.
pub const CHUNK: usize = 64;

/// What is measured, and what measures it.
#[derive(Debug, Args)]
pub struct DataArgs {
    /// Data directories
    #[arg(required = true)]
    pub data: Vec<PathBuf>,
    /// train, valid or test
    #[arg(long, default_value_t = Split::Test)]
    pub split: Split,
    /// Backend
    #[arg(long, default_value = "auto")]
    pub device: String,
}

impl DataArgs {
    /// The examples of the split in every directory.
    ///
    /// # Errors
    /// When a directory lacks the split or a line is wrong.
    pub fn examples(&self) -> anyhow::Result<Vec<Example>> {
        let mut examples = Vec::new();
        for path in &self.data {
            examples.extend(DataDirectory::new(path).read(self.split)?);
        }
        Ok(examples)
    }

    /// An engine on a model by name or directory.
    ///
    /// # Errors
    /// When the model or the backend cannot be used.
    pub fn engine(&self, model: &str) -> anyhow::Result<Engine> {
        load::engine(model, &self.device, 0, WaitLimits::messages(CHUNK))
    }

    /// What a report of `messages` messages says of itself.
    pub fn about(&self, engine: &Engine, messages: usize, resamples: usize) -> About {
        About {
            model: engine.id().to_owned(),
            backend: engine.backend().to_owned(),
            data: names(&self.data),
            split: self.split.to_string(),
            messages,
            resamples,
        }
    }
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
        let outcomes = runtime.block_on(engine.classify(inputs.collect::<Vec<_>>()))?;
        for (example, outcome) in chunk.iter().zip(outcomes) {
            let escalated = policy.decide(&Facts::lone(&example.text, &outcome.prediction, engine.labels())).escalate;
            judged.push(Judged { example, prediction: outcome.prediction, escalated: Some(escalated) });
        }
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    Ok(judged)
}

/// The exit code that the gates give: 3 when one is missed. `missed` gives what was measured of one that is, as it is said.
///
/// # Errors
/// What `missed` says: there is no such figure.
pub fn pass(gates: &[Gate], missed: impl Fn(&Gate) -> Result<Option<String>, String>) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for gate in gates {
        if let Some(measured) = missed(gate).map_err(anyhow::Error::msg)? {
            code = ExitCode::from(3);
            eprintln!("gate missed: {measured}, wanted {gate}");
        }
    }
    Ok(code)
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
