//! When is what was committed on the disk? PostgreSQL says so with the commit. SQLite in write-ahead mode could too (`synchronous = FULL`), but
//! then every change behind a hand-over would wait for the disk with it. So its log is brought to the disk beside the next commits, and
//! only who must waits: what was committed before is in the log, and a checkpoint brings the log to the disk before it uses it.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The log of a SQLite database.
#[derive(Debug, Clone)]
pub struct Log(PathBuf);

impl Log {
    /// The log of a database.
    #[must_use]
    pub fn of(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push("-wal");
        Self(name.into())
    }

    /// Waits until what was committed is on the disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn reach_disk(&self) -> Result<(), String> {
        let path = self.0.clone();
        // Opened each time: the last connection that closes takes the log away, and the next makes another.
        let sync = move || match File::open(&path) {
            Ok(file) => file.sync_data(),
            // What was in it is in the database.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        let done = tokio::task::spawn_blocking(sync).await;
        done.map_err(|error| error.to_string())?.map_err(|error| format!("the log cannot be brought to the disk: {error}"))
    }
}
