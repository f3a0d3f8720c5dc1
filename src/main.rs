//! The program: everything is in the library.

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    hearken::cli::Cli::parse().run()
}
