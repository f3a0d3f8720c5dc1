//! `hearken policy`: what a policy says, and why it said so.

use super::load;
use super::store::StoreArgs;
use crate::desk::{Documents, Replayed};
use crate::policy::{Action, Decision, Effect, PolicyFile};
use crate::store::{MessageRow, Store, moment};
use clap::{Args, Subcommand};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Decisions read at once.
const PAGE: usize = 1000;

/// Commands on policies.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    Check(CheckArgs),
    Show(ShowArgs),
    Explain(ExplainArgs),
}

/// Check a policy file
#[derive(Debug, Args)]
#[command(after_help = "\
Prints name and hash, as decisions have them. Exit code 1 when something is wrong, with the key.

Example:
  hearken policy check escalation.yaml")]
pub struct CheckArgs {
    /// Policy file (YAML)
    file: PathBuf,
}

/// Print the built-in policy, to begin a file of your own
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  hearken policy show > escalation.yaml
  hearken serve --policy escalation.yaml          read again on SIGHUP")]
pub struct ShowArgs;

/// Say why a message escalated, or did not, from what the store has
#[derive(Debug, Args)]
#[command(after_help = "\
The decision is made again with the policy and the labels of then, and compared to the last bit. With --all, every decision that the store
has is; exit code 1 where one is not the same.

Examples:
  hearken policy explain --conversation c-17 --message m-4
  hearken policy explain --conversation c-17                  every message of it
  hearken policy explain --all")]
pub struct ExplainArgs {
    /// The conversation
    #[arg(long, value_name = "ID", required_unless_present = "all")]
    conversation: Option<String>,
    /// Identifier of the message, or its turn
    #[arg(long, value_name = "ID|TURN", requires = "conversation")]
    message: Option<String>,
    /// Every decision in the store
    #[arg(long, conflicts_with_all = ["conversation", "message"])]
    all: bool,
    #[command(flatten)]
    store: StoreArgs,
}

impl PolicyCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(args) => {
                let policy = load::policy(Some(&args.file))?;
                writeln!(std::io::stdout(), "all is well: {}", policy.id())?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Show(ShowArgs) => {
                write!(std::io::stdout(), "{}", PolicyFile::built_in())?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Explain(args) => {
                let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
                runtime.block_on(args.run())
            }
        }
    }
}

impl ExplainArgs {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let store = self.store.open().await?;
        let mut documents = Documents::default();
        if self.all {
            return all(&store, &mut documents).await;
        }
        let mut out = std::io::stdout().lock();
        for row in self.rows(&store).await? {
            if let Some(replayed) = Replayed::of(&store, &mut documents, row).await? {
                write!(out, "{}", readable(&replayed))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn rows(&self, store: &Store) -> anyhow::Result<Vec<MessageRow>> {
        let conversation = self.conversation.as_deref().unwrap_or_default();
        anyhow::ensure!(store.conversation(conversation).await?.is_some(), "the store has no conversation `{conversation}`");
        let rows = store.messages(conversation, i64::MAX, usize::MAX).await?;
        let Some(wanted) = &self.message else { return Ok(rows) };
        let turn: Option<i64> = wanted.parse().ok();
        let by_id = rows.iter().find(|row| row.id.as_ref() == Some(wanted));
        let found = by_id.or_else(|| rows.iter().find(|row| Some(row.turn) == turn)).cloned();
        let found = found.ok_or_else(|| anyhow::anyhow!("conversation `{conversation}` has no message `{wanted}`"))?;
        anyhow::ensure!(found.decision.is_some(), "nothing was decided about turn {} ({})", found.turn, found.role);
        Ok(vec![found])
    }
}

async fn all(store: &Store, documents: &mut Documents) -> anyhow::Result<ExitCode> {
    let (mut same, mut gone, mut other) = (0, 0, Vec::new());
    let mut after = (String::new(), i64::MIN);
    loop {
        let rows = store.decided((&after.0, after.1), PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = (last.conversation.clone(), last.turn);
        for row in rows {
            let Some(replayed) = Replayed::of(store, documents, row).await? else { continue };
            match replayed.same() {
                Some(true) => same += 1,
                None => gone += 1,
                Some(false) => other.push(format!("{} turn {}", replayed.row.conversation, replayed.row.turn)),
            }
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{same} decisions are the same when they are made again, {} are not, {gone} cannot be (their text has expired)",
        other.len()
    )?;
    for place in other.iter().take(20) {
        writeln!(out, "not the same: {place}")?;
    }
    Ok(if other.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn readable(replayed: &Replayed) -> String {
    let mut out = String::new();
    let row = &replayed.row;
    let id = row.id.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
    let at = moment(row.at);
    let _ = writeln!(out, "{} turn {}{id}, {at}, {}", row.conversation, row.turn, row.model.as_deref().unwrap_or("?"));
    let _ = writeln!(out, "  text      {}", row.text.as_deref().unwrap_or("(expired)"));
    let intent = row.intent.as_deref().zip(row.intent_score).map(|(name, score)| format!("{name} {score:.4}"));
    let feeling = row.sentiment.as_deref().zip(row.sentiment_score).map(|(name, score)| format!("{name} {score:+.4}"));
    let _ = writeln!(out, "  says      {}; {}", intent.as_deref().unwrap_or("-"), feeling.as_deref().unwrap_or("-"));
    let trail: Vec<String> = replayed.past.iter().filter_map(|row| Some(format!("{:+.2}", row.sentiment_score?))).collect();
    if !trail.is_empty() {
        let _ = writeln!(out, "  before    {} messages that count, sentiment {}", replayed.past.len(), trail.join(" "));
    }
    let _ = writeln!(out, "  policy    {}", replayed.stored.policy);
    let _ = writeln!(out, "  decision  {}", decision(&replayed.stored));
    for reason in &replayed.stored.reasons {
        let effect = match reason.effect {
            Effect::Escalate(priority) => priority.name().to_owned(),
            Effect::Raise(by) => format!("raises by {by}"),
            Effect::Lower(by) => format!("lowers by {by}"),
        };
        let _ = writeln!(out, "  reason    {}: {} ({effect})", reason.rule, reason.message);
    }
    for error in &replayed.stored.errors {
        let _ = writeln!(out, "  error     {error}");
    }
    let again = match (replayed.same(), &replayed.again) {
        (Some(true), _) => "made again: the same to the last bit".to_owned(),
        (Some(false), Some(again)) => format!("made again: NOT the same: {}", decision(again)),
        _ => "cannot be made again: its text has expired, or the policy of then is not kept".to_owned(),
    };
    let _ = writeln!(out, "  {again}\n");
    out
}

fn decision(decision: &Decision) -> String {
    let done = match decision.action {
        Action::None => "the bot goes on".to_owned(),
        Action::HandOver => "handed over".to_owned(),
        Action::WithHuman => "with a person already".to_owned(),
        Action::CoolDown { until } => format!("passed over until {until}, after a hand-back"),
    };
    decision.priority.map_or_else(|| done.clone(), |priority| format!("{done}, {}", priority.name()))
}
