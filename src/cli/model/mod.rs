//! `hearken model`: work on model directories.

mod calibrate;
mod card;
mod import;
#[cfg(feature = "hub")]
mod pull;

use clap::Subcommand;
use std::process::ExitCode;

/// Commands on models.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Measure a model's channels for int8, and choose its temperatures and thresholds on data of your own
    Calibrate(calibrate::CalibrateArgs),
    /// Write a model's CARD.md from what it knows of itself and what its author wrote
    Card(card::CardArgs),
    /// Translate a foreign checkpoint into a base for training
    Import(import::ImportArgs),
    /// Fetch a model from a Hugging Face hub
    #[cfg(feature = "hub")]
    Pull(pull::PullArgs),
}

impl ModelCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Calibrate(args) => args.run(),
            Self::Card(args) => args.run(),
            Self::Import(args) => args.run(),
            #[cfg(feature = "hub")]
            Self::Pull(args) => args.run(),
        }
    }
}
