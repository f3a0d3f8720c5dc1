//! When is what was committed on the disk? PostgreSQL says so with the commit. SQLite in write-ahead mode could too (`synchronous = FULL`), but
//! then every change behind a hand-over would wait for the disk with it. So its log is brought to the disk beside the next commits, and
//! only who must waits: what was committed before is in the log, and a checkpoint brings the log to the disk before it uses it.

use super::error::StoreError;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The log of a SQLite database.
#[derive(Debug, Clone)]
pub struct Log(Arc<File>);

impl Log {
    /// The log of an open database.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn of(database: &Path) -> Result<Self, StoreError> {
        let mut name = database.as_os_str().to_owned();
        name.push("-wal");
        let path = PathBuf::from(name);
        File::open(&path).map(|file| Self(Arc::new(file))).map_err(|error| StoreError::Directory { path, error })
    }

    /// Waits until what was committed is on the disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn reach_disk(&self) -> Result<(), String> {
        let file = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || file.sync_data()).await;
        done.map_err(|error| error.to_string())?.map_err(|error| format!("the log cannot be brought to the disk: {error}"))
    }
}
