//! The command line.

mod data;
mod eval;
mod train;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Reads what a customer writes: intent, entities and sentiment in one transformer pass, and whether a human should take over.
#[derive(Debug, Parser)]
#[command(name = "hearken", version, max_term_width = 120)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::TrainArgs),
}

impl Cli {
    /// Runs the command and gives the exit code: 0 done, 1 failed, 2 usage, 3 a gate was missed, 130 interrupted.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Train(args) => args.run(),
        };
        result.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        })
    }
}
