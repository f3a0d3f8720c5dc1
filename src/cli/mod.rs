//! The command line.

mod backtest;
mod bench;
mod classify;
mod compare;
mod config;
mod cv;
mod data;
mod device;
mod doctor;
mod eval;
mod export;
mod import;
mod judge;
mod key;
mod load;
mod model;
mod openapi;
mod operating_point;
mod policy;
mod review;
mod robustness;
mod serve;
mod store;
mod train;
mod upkeep;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Reads what a customer writes: intent, entities and sentiment in one transformer pass, and whether a human should take over
#[derive(Debug, Parser)]
#[command(
    name = "hearken",
    version,
    max_term_width = 120,
    after_help = "\
Examples:
  hearken serve                                  answer POST /v1/classify on 127.0.0.1:8080
  hearken classify \"Where is my order A-10293?\"  one message, for people
  hearken train --data my-shop --base models/storefront-en --out models/my-shop
  hearken eval models/my-shop my-shop --split test

Exit codes: 0 done, 1 failed, 2 usage, 3 a gate was missed, 130 interrupted."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Classify(classify::ClassifyArgs),
    Train(train::TrainArgs),
    Eval(eval::EvalArgs),
    Cv(cv::CvArgs),
    Compare(compare::CompareArgs),
    Robustness(robustness::RobustnessArgs),
    Backtest(backtest::BacktestArgs),
    /// Check, print and explain escalation policies
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Look after a server's store
    #[command(subcommand)]
    Store(store::StoreCommand),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
    /// Measure this machine
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// Work on model directories
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Check training data
    #[command(subcommand)]
    Data(data::DataCommand),
    /// API keys of a server
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Settings of a server
    #[command(subcommand)]
    Config(config::ConfigCommand),
    Doctor(doctor::DoctorArgs),
    Openapi(openapi::OpenapiArgs),
}

impl Cli {
    /// Runs the command and gives the exit code: 0 done, 1 failed, 2 usage, 3 a gate was missed, 130 interrupted.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let result = match self.command {
            Command::Serve(args) => args.run(),
            Command::Classify(args) => args.run(),
            Command::Train(args) => args.run(),
            Command::Eval(args) => args.run(),
            Command::Cv(args) => args.run(),
            Command::Compare(args) => args.run(),
            Command::Robustness(args) => args.run(),
            Command::Backtest(args) => args.run(),
            Command::Policy(command) => command.run(),
            Command::Store(command) => command.run(),
            Command::Import(args) => args.run(),
            Command::Export(args) => args.run(),
            Command::Openapi(_) => openapi::OpenapiArgs::run(),
            Command::Key(command) => command.run(),
            Command::Config(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Model(command) => command.run(),
            Command::Data(command) => command.run(),
            Command::Doctor(args) => args.run(),
        };
        result.unwrap_or_else(|error| {
            let closed = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
            if error.downcast_ref::<std::io::Error>().is_some_and(closed) {
                return ExitCode::SUCCESS; // whoever reads the output has seen enough
            }
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        })
    }
}
