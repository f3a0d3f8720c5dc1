//! `hearken data`: a look at training data before it is used.

use crate::data::{DataDirectory, Severity, check};
use clap::{Args, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Commands on data.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Find rows that do not parse, wrong spans, duplicates, leaks between splits, contradicting and rare labels
    Check(CheckArgs),
    Stats(super::data_stats::StatsArgs),
}

/// Arguments of `data check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  hearken data check training-data/storefront-en

Prints one finding a line as FILE:LINE: severity: what. Errors give exit code 1; warnings do not, unless --strict.")]
pub struct CheckArgs {
    /// Data directories
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Take warnings for errors
    #[arg(long)]
    strict: bool,
}

impl DataCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(args) => args.run(),
            Self::Stats(args) => args.run(),
        }
    }
}

impl CheckArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        let (mut errors, mut warnings) = (0usize, 0usize);
        for path in &self.data {
            for finding in check(&DataDirectory::new(path))? {
                match finding.severity {
                    Severity::Error => errors += 1,
                    Severity::Warning => warnings += 1,
                }
                writeln!(out, "{finding}")?;
            }
        }
        writeln!(out, "{errors} errors, {warnings} warnings")?;
        Ok(if errors > 0 || (self.strict && warnings > 0) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
