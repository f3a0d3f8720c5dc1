//! `hearken bench`: how fast this machine is with this model.

mod cosine;
mod engine;
mod latency;
mod throughput;
mod training;
mod workload;

use clap::Subcommand;
use std::process::ExitCode;

/// Benchmarks.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Messages a second and time of a message, for a model on this machine
    Engine(engine::EngineArgs),
    Training(training::TrainingArgs),
}

impl BenchCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Engine(args) => args.run(),
            Self::Training(args) => args.run(),
        }
    }
}
