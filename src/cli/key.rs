//! `hearken key`: who may ask a server.

use crate::keys::{KeyFile, NewKey, Scope};
use clap::{Args, Subcommand};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Commands on the file of keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    New(NewArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

/// Make a key; it is printed once and cannot be seen again
#[derive(Debug, Args)]
#[command(after_help = "\
The file keeps a hash. A running server reads the file again on SIGHUP. A client sends the key as `Authorization: Bearer hk_...`.
Scopes: classify (messages), conversations (read and change conversations, hand-overs, events, analytics), read (models, policy,
metrics), admin (change models and the policy; has the others too).

Examples:
  hearken key new --keys keys.toml --name shop-backend
  hearken key new --keys keys.toml --name prometheus --scope read
  hearken key new --keys keys.toml --name batch --scope classify --requests-per-second 20")]
pub struct NewArgs {
    /// File of keys; made where it is not there
    #[arg(long, value_name = "FILE", default_value = "keys.toml")]
    keys: PathBuf,
    /// What the key is for
    #[arg(long)]
    name: String,
    /// What it may do; may be given several times
    #[arg(long = "scope", value_enum, default_value = "classify")]
    scopes: Vec<Scope>,
    /// Most requests a second; without it, as many as the server takes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_second: Option<u32>,
}

/// List the keys, without their secrets
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hearken key list --keys keys.toml")]
pub struct ListArgs {
    /// File of keys
    #[arg(long, value_name = "FILE", default_value = "keys.toml")]
    keys: PathBuf,
}

/// Take a key out of the file
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  hearken key revoke 3f9a0c11d2e4 --keys keys.toml && pkill -HUP hearken")]
pub struct RevokeArgs {
    /// Identifier of the key, as `hearken key list` shows it
    id: String,
    /// File of keys
    #[arg(long, value_name = "FILE", default_value = "keys.toml")]
    keys: PathBuf,
}

impl KeyCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::New(args) => args.run(),
            Self::List(args) => args.run(),
            Self::Revoke(args) => args.run(),
        }
    }
}

impl NewArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        anyhow::ensure!(!self.name.trim().is_empty(), "--name is empty; say what the key is for");
        let mut file = if self.keys.exists() { KeyFile::open(&self.keys)? } else { KeyFile::default() };
        let NewKey { secret, key } = file.create(self.name.trim(), self.scopes, self.requests_per_second)?;
        file.save(&self.keys)?;
        writeln!(std::io::stdout(), "{secret}")?;
        let told = "keep it now, it is not shown again; a running server takes it after SIGHUP";
        writeln!(std::io::stderr(), "key {} for `{}` added to {}; {told}", key.id, key.name, self.keys.display())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl ListArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        for key in open(&self.keys)?.keys {
            let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
            let limit = key.requests_per_second.map_or_else(|| "no limit".to_owned(), |limit| format!("{limit} requests/s"));
            writeln!(out, "{}  {}  {}  {limit}  {}", key.id, key.created, scopes.join(","), key.name)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl RevokeArgs {
    fn run(self) -> anyhow::Result<ExitCode> {
        let mut file = open(&self.keys)?;
        anyhow::ensure!(file.revoke(&self.id), "there is no key `{}` in {}; `hearken key list` shows them", self.id, self.keys.display());
        file.save(&self.keys)?;
        writeln!(std::io::stdout(), "key {} is gone; a running server lets it in until SIGHUP", self.id)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn open(path: &Path) -> anyhow::Result<KeyFile> {
    anyhow::ensure!(path.exists(), "there is no key file `{}`; `hearken key new --keys {0}` makes one", path.display());
    Ok(KeyFile::open(path)?)
}
