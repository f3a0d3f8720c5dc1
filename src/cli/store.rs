//! `hearken store`: what an operator does with a store.

use super::upkeep::before;
use crate::config::{ServeConfig, ServeFlags};
use crate::store::{Address, Store};
use clap::{Args, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Commands on stores.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    Migrate(MigrateArgs),
    Backup(BackupArgs),
    Verify(VerifyArgs),
    Purge(PurgeArgs),
}

/// Which store: as `hearken serve` would find it.
#[derive(Debug, Clone, Args)]
pub struct StoreArgs {
    /// Directory that conversations are kept in [default: hearken-data]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// As of `hearken serve`: sqlite, a file's or a server's URL [default: sqlite, in the data directory]
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Configuration file of the server instead of hearken.toml in the working directory
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Make a store, or bring its schema up to date
#[derive(Debug, Args)]
#[command(after_help = "\
A server does this when it starts; do it before, where several replicas start at once or the server's user may not.

Example:
  hearken store migrate --store postgres://hearken@db/hearken")]
pub struct MigrateArgs {
    #[command(flatten)]
    store: StoreArgs,
}

/// Copy a SQLite store to a file while the server goes on
#[derive(Debug, Args)]
#[command(after_help = "\
The copy is a store like any other: `hearken serve --store sqlite://copy.db`. PostgreSQL is copied with pg_dump.

Example:
  hearken store backup copy.db --data-dir hearken-data")]
pub struct BackupArgs {
    /// File to write; it must not be there yet
    file: PathBuf,
    #[command(flatten)]
    store: StoreArgs,
}

/// Check that a store is whole, and count what is in it
#[derive(Debug, Args)]
#[command(after_help = "Exit code 1 when something is wrong.\n\nExample:\n  hearken store verify --data-dir hearken-data")]
pub struct VerifyArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Forget what is old
#[derive(Debug, Args)]
#[command(after_help = "\
A server does this every hour by its settings keep_texts_days and keep_days. What a person has, or what is still to be delivered, stays.

Example:
  hearken store purge --texts-older-than 30 --conversations-older-than 365")]
pub struct PurgeArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Forget texts written more than so many days ago; 0 keeps them
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    texts_older_than: u32,
    /// Erase conversations last changed more than so many days ago; 0 keeps them
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    conversations_older_than: u32,
}

impl StoreArgs {
    /// Opens a store that is there.
    ///
    /// # Errors
    /// When there is none or it cannot be opened.
    pub async fn open(&self) -> anyhow::Result<Store> {
        if let Address::Sqlite(file) = self.address()? {
            anyhow::ensure!(file.exists(), "there is no store `{}`; say where it is with --data-dir or --store", file.display());
        }
        self.open_or_make().await
    }

    fn address(&self) -> anyhow::Result<Address> {
        let flags = ServeFlags::of_store(self.data_dir.clone(), self.store.clone());
        let config = ServeConfig::load(&flags, self.config.as_deref())?;
        config.address()?.ok_or_else(|| anyhow::anyhow!("store is `none`: no conversation is kept"))
    }

    async fn open_or_make(&self) -> anyhow::Result<Store> {
        Ok(Store::open(self.address()?).await?)
    }
}

impl StoreCommand {
    /// Runs the command.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        runtime.block_on(async {
            let mut out = std::io::stdout().lock();
            match self {
                Self::Migrate(args) => {
                    let store = args.store.open_or_make().await?;
                    writeln!(out, "{} is up to date", store.shown())?;
                }
                Self::Backup(args) => {
                    anyhow::ensure!(!args.file.exists(), "`{}` is there already; name a file that is not", args.file.display());
                    args.store.open().await?.backup(&args.file).await?;
                    writeln!(out, "wrote {}", args.file.display())?;
                }
                Self::Verify(args) => return args.run().await,
                Self::Purge(args) => {
                    anyhow::ensure!(
                        args.texts_older_than > 0 || args.conversations_older_than > 0,
                        "say what is old: --texts-older-than DAYS, --conversations-older-than DAYS, or both"
                    );
                    let store = args.store.open().await?;
                    let purged = store.purge(before(args.texts_older_than), before(args.conversations_older_than)).await?;
                    writeln!(out, "forgot {} texts and {} conversations", purged.texts, purged.conversations)?;
                }
            }
            Ok(ExitCode::SUCCESS)
        })
    }
}

impl VerifyArgs {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let store = self.store.open().await?;
        let verified = store.verify().await?;
        let mut out = std::io::stdout().lock();
        if self.json {
            let rows: serde_json::Map<_, _> = verified.rows.iter().map(|(table, rows)| ((*table).to_owned(), (*rows).into())).collect();
            writeln!(out, "{}", serde_json::json!({"store": store.shown(), "rows": rows, "problems": verified.problems}))?;
        } else {
            for (table, rows) in &verified.rows {
                writeln!(out, "{table:<14} {rows}")?;
            }
            for problem in &verified.problems {
                writeln!(out, "wrong: {problem}")?;
            }
            writeln!(out, "{}: {}", store.shown(), if verified.problems.is_empty() { "whole" } else { "NOT whole" })?;
        }
        Ok(if verified.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
