//! A store, opened: its address, its connections, its schema.

use super::dialect::{Dialect, Postgres, Sqlite};
use super::disk::Log;
use super::error::StoreError;
use super::writer::Writer;
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::Migrator;
use sqlx::{AnyPool, AssertSqlSafe, Executor as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations");
/// The database's file below the data directory.
const FILE: &str = "hearken.db";
/// Connections at once; SQLite's readers do not wait for its writer.
const CONNECTIONS: u32 = 8;
/// How long a connection is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A file of SQLite's.
    Sqlite(PathBuf),
    /// A database of PostgreSQL's.
    Postgres(String),
}

impl Address {
    /// Reads `sqlite`, `sqlite://FILE` or `postgres://…`; without a file the database lies in the data directory.
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(text: &str, data_directory: &Path) -> Result<Self, StoreError> {
        if text == "sqlite" {
            return Ok(Self::Sqlite(data_directory.join(FILE)));
        }
        if let Some(file) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).filter(|file| !file.is_empty()) {
            return Ok(Self::Sqlite(file.into()));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        Err(StoreError::Address(text.to_owned()))
    }

    /// The address without a password.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite://{}", file.display()),
            Self::Postgres(url) => match (url.split_once("://"), url.rsplit_once('@')) {
                (Some((scheme, _)), Some((_, place))) => format!("{scheme}://…@{place}"),
                _ => url.clone(),
            },
        }
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite://{}?mode=rwc", file.display()),
            Self::Postgres(url) => url.clone(),
        }
    }
}

/// What must survive.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) pool: AnyPool,
    pub(super) dialect: &'static dyn Dialect,
    pub(super) address: Arc<Address>,
    pub(super) writer: Writer,
}

impl Store {
    /// Opens a store, makes it where it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// When it cannot be reached or made, or was written by a later version.
    pub async fn open(address: Address) -> Result<Self, StoreError> {
        static DRIVERS: std::sync::Once = std::sync::Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let dialect: &'static dyn Dialect = match &address {
            Address::Sqlite(file) => {
                if let Some(path) = file.parent().filter(|path| !path.as_os_str().is_empty()) {
                    std::fs::create_dir_all(path).map_err(|error| StoreError::Directory { path: path.to_owned(), error })?;
                }
                &Sqlite
            }
            Address::Postgres(_) => &Postgres,
        };
        let options = AnyPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(PATIENCE).test_before_acquire(dialect.is_remote());
        let options = options.after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in dialect.on_connect() {
                    connection.execute(*statement).await?;
                }
                Ok(())
            })
        });
        let unreachable = |error| StoreError::Open { address: address.shown(), error };
        let pool = options.connect(&address.url()).await.map_err(unreachable)?;
        MIGRATIONS.run(&pool).await?;
        let log = match &address {
            Address::Sqlite(file) => Some(Log::of(file)),
            Address::Postgres(_) => None,
        };
        Ok(Self { writer: Writer::start(&pool, dialect, log), pool, dialect, address: Arc::new(address) })
    }

    /// The address without a password.
    #[must_use]
    pub fn shown(&self) -> String {
        self.address.shown()
    }

    /// Writes what is waiting and closes every connection.
    pub async fn close(&self) {
        self.writer.close().await;
        self.pool.close().await;
    }

    /// Its connections, for those who count.
    #[must_use]
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// What it says otherwise than other databases.
    #[must_use]
    pub fn dialect(&self) -> &'static dyn Dialect {
        self.dialect
    }

    /// A statement made of parts that this crate wrote.
    pub(super) fn sql(&self, make: impl FnOnce(&dyn Dialect) -> String) -> AssertSqlSafe<String> {
        AssertSqlSafe(make(self.dialect))
    }
}
