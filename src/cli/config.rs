//! `hearken config`: what a server would be told.

use crate::cli::load;
use crate::config::{ServeConfig, ServeFlags};
use crate::keys::KeyFile;
use clap::{Args, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Commands on settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    Check(CheckArgs),
    Show(ShowArgs),
}

/// Where the settings come from.
#[derive(Debug, Args)]
struct Sources {
    #[command(flatten)]
    flags: ServeFlags,
    /// Configuration file instead of hearken.toml in the working directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Check that a server would start with these settings, files and model included
#[derive(Debug, Args)]
#[command(after_help = "\
Takes the flags, environment and file that `hearken serve` takes. Exit code 1 when something is wrong.

Example:
  hearken config check --config /etc/hearken/hearken.toml")]
pub struct CheckArgs {
    #[command(flatten)]
    sources: Sources,
}

/// Print every setting and where its value comes from
#[derive(Debug, Args)]
#[command(after_help = "\
Takes the flags, environment and file that `hearken serve` takes.

Examples:
  hearken config show
  HEARKEN_PORT=9000 hearken config show --json")]
pub struct ShowArgs {
    #[command(flatten)]
    sources: Sources,
    /// One JSON array instead of text
    #[arg(long)]
    json: bool,
}

impl ConfigCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Check(args) => args.run(),
            Self::Show(args) => args.run(),
        }
    }
}

impl CheckArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let config = ServeConfig::load(&self.sources.flags, self.sources.config.as_deref())?;
        if let Some(keys) = &config.keys {
            KeyFile::open(keys)?;
        }
        for file in [&config.tls_certificate, &config.tls_key].into_iter().flatten() {
            std::fs::File::open(file).map_err(|error| anyhow::anyhow!("`{}` cannot be read: {error}", file.display()))?;
        }
        load::policy(config.policy.as_deref())?;
        let engine = load::engine(&config.model, &config.device, config.threads, config.waiting())?;
        writeln!(std::io::stdout(), "all is well: {} on {}, {}:{}", engine.id(), engine.backend(), config.host, config.port)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl ShowArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let settings = ServeConfig::explain(&self.sources.flags, self.sources.config.as_deref())?;
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&settings)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let width = settings.iter().map(|setting| setting.key.len()).max().unwrap_or_default();
        for setting in settings {
            writeln!(out, "{:<width$} = {:<24} # {}", setting.key, setting.value.to_string(), setting.source)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
