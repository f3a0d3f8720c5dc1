//! `hearken bench`: how fast this machine is with this model.

mod advise;
mod agree;
mod arrivals;
mod cosine;
mod engine;
mod latency;
mod throughput;
mod training;
mod workload;

pub use throughput::{Bench, Work};
pub use workload::Workload;

use clap::Subcommand;
use std::process::ExitCode;

/// Benchmarks.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Messages a second and time of a message, for a model on this machine
    Engine(engine::EngineArgs),
    Training(training::TrainingArgs),
    Advise(advise::AdviseArgs),
    Agree(agree::AgreeArgs),
}

impl BenchCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Engine(args) => args.run(),
            Self::Training(args) => args.run(),
            Self::Advise(args) => args.run(),
            Self::Agree(args) => args.run(),
        }
    }
}
