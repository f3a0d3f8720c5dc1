//! `hearken backtest`: what a policy would have done.

use super::judge::{CHUNK, bar, write_page};
use super::load;
use super::store::StoreArgs;
use crate::conversation::Role;
use crate::data::{DataDirectory, Split, Talk, records_of, talks};
use crate::desk::{rehearse, remembered};
use crate::engine::WaitLimits;
use crate::eval::backtest::{Bound, Examined, Question, Recorded, Sweep, examine, page, text};
use anyhow::Context as _;
use clap::Args;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Say what a policy would have done with recorded conversations
#[derive(Debug, Args)]
#[command(after_help = "\
Conversations are rows with `conversation` and `turn` (`hearken import` makes them of transcripts): a data directory, a JSONL file, or
`store`, what a server has kept. Where rows say `escalate`, `handover` or `csat`, it is measured how many that a human should take over are
handed over in time, and how many others are.

Examples:
  hearken backtest --conversations training-data/storefront-en
  hearken backtest --policy new.yaml --against now.yaml --conversations transcripts.jsonl --html report.html
  hearken backtest --conversations training-data/storefront-en --sweep negative_sentiment.below=-0.95..-0.3/14 --target 'calm<=0.05'
  hearken backtest --policy new.yaml --conversations store --data-dir hearken-data")]
pub struct BacktestArgs {
    /// Policy file (YAML); the built-in policy without it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Second policy, to list the conversations in which they differ
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Data directory, JSONL file, or `store`
    #[arg(long, value_name = "DIR|FILE|store")]
    conversations: String,
    /// Of a data directory: train, valid or test
    #[arg(long, default_value_t = Split::Test)]
    split: Split,
    /// Name below models/, or directory, of the model
    #[arg(long, default_value = "storefront-en")]
    model: String,
    /// Backend
    #[arg(long, default_value = "auto")]
    device: String,
    /// Messages of the customer after the labelled one that are still in time
    #[arg(long, default_value_t = 2, value_name = "N")]
    within: usize,
    /// Parameter of a rule and the values to try: RULE.PARAMETER=FROM..TO/STEPS
    #[arg(long, value_name = "SWEEP")]
    sweep: Option<Sweep>,
    /// What the recommended value may cost: calm<=SHARE of the others handed over, or rate<=SHARE of all
    #[arg(long, value_name = "BOUND", requires = "sweep")]
    target: Option<Bound>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
    /// Write the report with plots as one HTML page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
}

impl BacktestArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let policy = load::policy(self.policy.as_deref())?;
        let against = self.against.as_deref().map(|file| load::policy(Some(file))).transpose()?;
        let recorded = self.recorded(policy.idle())?;
        anyhow::ensure!(
            !recorded.is_empty(),
            "`{}` has no conversation: no row has `conversation`; `hearken import` makes such rows of transcripts",
            self.conversations
        );
        let question = Question { against: against.as_ref(), within: self.within, sweep: self.sweep.as_ref(), bound: self.target };
        let examined = examine(&policy, &recorded, question)?;
        let Examined { report, against, differences, sweep } = &examined;
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&examined)?)?;
        } else {
            write!(out, "{}", text(report, against.as_ref(), differences, sweep.as_ref()))?;
        }
        if let Some(path) = &self.html {
            write_page(path, &page(report, against.as_ref(), differences, sweep.as_ref()))?;
            eprintln!("wrote {}", path.display());
        }
        if let (Some(target), Some(curve)) = (self.target, sweep)
            && curve.recommended.is_none()
        {
            eprintln!("no value of {} keeps {target:?}; try other values or another rule", curve.key);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn recorded(&self, idle: jiff::SignedDuration) -> anyhow::Result<Vec<Recorded>> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        if self.conversations == "store" {
            return runtime.block_on(async {
                let store = self.store.open().await?;
                Ok(remembered(&store, usize::MAX).await?)
            });
        }
        let talks = read(Path::new(&self.conversations), self.split)?;
        let engine = load::engine(&self.model, &self.device, 0, WaitLimits::messages(16 * CHUNK))?;
        let bar = bar(talks.iter().map(|talk| talk.messages.len()).sum(), "messages");
        let recorded = runtime.block_on(rehearse(&engine, &talks, idle, |done| bar.inc(done as u64)))?;
        bar.finish_and_clear();
        Ok(recorded)
    }
}

/// The conversations of a directory or file that have a message of the customer.
fn read(path: &Path, split: Split) -> anyhow::Result<Vec<Talk>> {
    let file = if path.is_dir() { DataDirectory::new(path).file(split) } else { path.to_owned() };
    let records = records_of(&file).with_context(|| format!("conversations `{}`", path.display()))?;
    let known = records.iter().filter(|record| record.row.speaker.is_none_or(|speaker| speaker == Role::Customer)).count();
    anyhow::ensure!(known > 0, "`{}` has no message of a customer", file.display());
    Ok(talks(&records)?.into_iter().filter(|talk| !talk.messages.is_empty()).collect())
}
