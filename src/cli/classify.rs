//! `hearken classify`: a message, or standard input line by line, without a server.

use super::load;
use crate::desk::Answered;
use crate::engine::{Engine, Input, Outcome, WaitLimits};
use crate::http::{Shape, Task, result};
use crate::patterns::ValueContext;
use crate::policy::{Decision, Facts, Policy};
use crate::text::{OffsetUnit, Utterance};
use anyhow::Context as _;
use clap::Args;
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Classify one message, or standard input line by line
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken classify \"My order hasn't arrived yet\"
  hearken classify --json \"My order hasn't arrived yet\" | jq .intent
  hearken classify - < messages.txt > answers.jsonl

On a terminal the answer is for people; into a file or pipe, or with --json, it is one JSON object a line, as in `data` of
POST /v1/classify; of standard input, `id` is the line's number. A line that cannot be classified is reported with its number, and the rest goes on (exit code 1 at the end).")]
pub struct ClassifyArgs {
    /// The message; - reads one message a line from standard input
    #[arg(value_name = "TEXT|-")]
    text: String,
    /// Name below models/, or directory, of the model
    #[arg(long, default_value = "storefront-en")]
    model: String,
    /// Backend
    #[arg(long, default_value = "auto")]
    device: String,
    /// Policy file (YAML) instead of the built-in policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// JSON on a terminal, too
    #[arg(long)]
    json: bool,
    /// Parts of the answer
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Task::ALL)]
    tasks: Vec<Task>,
    /// Most intents in the ranking
    #[arg(long, default_value_t = 3)]
    top_k: usize,
}

/// What several messages share.
struct Session {
    args: ClassifyArgs,
    engine: Engine,
    policy: Policy,
    runtime: tokio::runtime::Runtime,
    json: bool,
}

impl ClassifyArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let engine = load::engine(&self.model, &self.device, 1, WaitLimits::messages(64))?;
        let policy = load::policy(self.policy.as_deref())?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let json = self.json || !std::io::stdout().is_terminal();
        let session = Session { engine, policy, runtime, json, args: self };
        if session.args.text == "-" {
            return session.lines();
        }
        let answer = session.answer(session.args.text.as_bytes(), None)?;
        println!("{answer}");
        Ok(ExitCode::SUCCESS)
    }
}

impl Session {
    fn lines(&self) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        let mut failed = false;
        for (index, line) in std::io::stdin().lock().split(b'\n').enumerate() {
            let mut line = line.context("standard input cannot be read")?;
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match self.answer(&line, Some((index + 1).to_string())) {
                Ok(answer) => {
                    writeln!(out, "{answer}")?;
                    out.flush()?;
                }
                Err(error) => {
                    failed = true;
                    eprintln!("error: line {}: {error:#}", index + 1);
                }
            }
        }
        Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    fn answer(&self, text: &[u8], id: Option<String>) -> anyhow::Result<String> {
        let text = Utterance::from_utf8(text)?;
        let values = ValueContext { now: Some(jiff::Zoned::now()), region: None };
        let input = Input { text: text.clone(), context: Vec::new(), values };
        let outcome = self.runtime.block_on(self.engine.classify(vec![input]))?.pop().context("no answer")?;
        let decision = self.policy.decide(&Facts::lone(&text, &outcome.prediction, self.engine.labels()));
        if !self.json {
            return Ok(readable(&text, &outcome, &decision, self.args.top_k));
        }
        let shape = Shape { tasks: &self.args.tasks, top_k: self.args.top_k, unit: OffsetUnit::Codepoint };
        Ok(serde_json::to_string(&result(id, &text, Answered { outcome, decision, place: None }, shape))?)
    }
}

/// The answer for people.
fn readable(text: &str, outcome: &Outcome, decision: &Decision, top_k: usize) -> String {
    let mut out = String::new();
    let prediction = &outcome.prediction;
    if let Some(intent) = &prediction.intent {
        let ranking: Vec<_> = intent.ranking.iter().take(top_k).map(|(name, score)| format!("{name} {score:.2}")).collect();
        let _ = writeln!(out, "intent      {} ({})", ranking.join(", "), intent.status.name());
    }
    for (index, entity) in prediction.entities.iter().flatten().enumerate() {
        let title = if index == 0 { "entities" } else { "" };
        let value = entity.value.as_ref().map(|value| format!(" = {value}")).unwrap_or_default();
        let _ = writeln!(out, "{title:<11} {}: \"{}\"{value} ({:.2})", entity.label, entity.span.slice(text), entity.score);
    }
    if let Some(sentiment) = &prediction.sentiment {
        let _ = writeln!(out, "sentiment   {} ({:+.2})", sentiment.label.name(), sentiment.score);
    }
    let emotions: Vec<_> = prediction
        .emotions
        .iter()
        .flatten()
        .filter(|emotion| emotion.present)
        .map(|emotion| format!("{} {:.2}", emotion.name, emotion.score))
        .collect();
    if !emotions.is_empty() {
        let _ = writeln!(out, "emotions    {}", emotions.join(", "));
    }
    let Some(priority) = decision.priority else {
        return out + "escalation  no";
    };
    let _ = write!(out, "escalation  recommended, priority {}", priority.name());
    for reason in &decision.reasons {
        let _ = write!(out, "\n            {}: {}", reason.rule, reason.message);
    }
    out
}
