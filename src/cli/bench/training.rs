//! `hearken bench training`: how long a step of fine-tuning takes.

use crate::train::{StepSize, TrainingDevice, step_times};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// How long a step of fine-tuning takes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  hearken bench training --base models/storefront-en
  hearken bench training --base models/storefront-en --rows 32 --tokens 32 --steps 50 --json

A step is forward, loss, backward and update of every parameter, on made-up messages of one length. `hearken train` needs
rows / 32 steps an epoch.")]
pub struct TrainingArgs {
    /// Model or base encoder whose weights are trained; nothing is written
    #[arg(long, default_value = "models/storefront-en", value_name = "DIR")]
    base: PathBuf,
    /// Where the encoder learns: cpu, cuda, or candle, the reference on the processor
    #[arg(long, default_value = "cpu")]
    device: TrainingDevice,
    /// Messages of a step
    #[arg(long, default_value_t = 32)]
    rows: usize,
    /// Tokens of a message
    #[arg(long, default_value_t = 16)]
    tokens: usize,
    /// Steps that are measured
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// The figures as JSON
    #[arg(long)]
    json: bool,
}

impl TrainingArgs {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let times = step_times(&self.base, self.device, StepSize { rows: self.rows, tokens: self.tokens }, self.steps)?;
        let mut milliseconds: Vec<f64> = times.iter().map(|(time, _)| time.as_secs_f64() * 1e3).collect();
        milliseconds.sort_by(f64::total_cmp);
        let at = |share: usize| milliseconds.get(milliseconds.len().saturating_sub(1) * share / 100).copied().unwrap_or(f64::NAN);
        let kernels = hearken_kernels::best();
        let element = kernels.training_element().name();
        if self.json {
            let figures = serde_json::json!({
                "rows": self.rows, "tokens": self.tokens, "steps": milliseconds.len(), "kernel_tier": kernels.name, "element": element,
                "step_ms": {"least": at(0), "p50": at(50), "p90": at(90)},
            });
            println!("{figures}");
        } else {
            println!(
                "{} x {} tokens, {element} products on {}: {:.1} ms a step (least {:.1}, p90 {:.1})",
                self.rows,
                self.tokens,
                kernels.name,
                at(50),
                at(0),
                at(90)
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
