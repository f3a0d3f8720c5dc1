//! `hearken data`: work on training data before it is used.

mod augment;
mod check;
mod label;
mod redact;
mod split;
mod stats;

use clap::Subcommand;
use std::process::ExitCode;

/// Commands on data.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    Augment(augment::AugmentArgs),
    Check(check::CheckArgs),
    Label(label::LabelArgs),
    Redact(redact::RedactArgs),
    Split(split::SplitArgs),
    Stats(stats::StatsArgs),
}

impl DataCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Augment(args) => args.run(),
            Self::Check(args) => args.run(),
            Self::Label(args) => args.run(),
            Self::Redact(args) => args.run(),
            Self::Split(args) => args.run(),
            Self::Stats(args) => args.run(),
        }
    }
}
