//! `hearken model`: work on model directories.

mod calibrate;
mod card;

use clap::Subcommand;
use std::process::ExitCode;

/// Commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Measure a model's channels for int8, and choose its temperatures and thresholds on data of your own
    Calibrate(calibrate::CalibrateArgs),
    /// Write a model's CARD.md from what it knows of itself and what its author wrote
    Card(card::CardArgs),
}

impl ModelCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Calibrate(args) => args.run(),
            Self::Card(args) => args.run(),
        }
    }
}
