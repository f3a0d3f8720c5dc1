//! One file of one commit into the cache: resumed, tried again, and checked.

use super::{HubError, Watcher};
use crate::model::file_sha256;
use hf_hub::api::Progress;
use hf_hub::api::sync::{Api, ApiError};
use hf_hub::{Cache, Repo};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

/// So long without a byte is a dead connection.
const PATIENCE: Duration = Duration::from_mins(1);

/// Attempts at a file; each goes on where the one before stopped.
const ATTEMPTS: u32 = 4;

/// A commit of a model, and where its files are kept.
pub struct Commit<'a> {
    /// The hub.
    pub api: &'a Api,
    /// The cache.
    pub cache: &'a Cache,
    /// The model at this commit.
    pub repo: Repo,
    /// Name of the model.
    pub name: &'a str,
}

/// What a download reports.
enum Event {
    Begins(usize),
    Bytes(usize),
    Ends(Box<Result<PathBuf, ApiError>>),
}

struct Reporter(mpsc::Sender<Event>);

impl Progress for Reporter {
    fn init(&mut self, size: usize, _filename: &str) {
        let _ = self.0.send(Event::Begins(size)); // nobody listens once the download was given up
    }

    fn update(&mut self, size: usize) {
        let _ = self.0.send(Event::Bytes(size));
    }

    fn finish(&mut self) {}
}

impl Commit<'_> {
    /// The file in the cache, fetched if it is not there yet.
    ///
    /// # Errors
    /// When the hub, the network or the disk refuses, or the bytes are wrong twice.
    pub fn fetch(&self, file: &str, watcher: &mut dyn Watcher) -> Result<PathBuf, HubError> {
        let mut damage = None;
        for _ in 0..2 {
            let path = match self.cache.repo(self.repo.clone()).get(file) {
                Some(path) => path,
                None => self.persist(file, watcher)?,
            };
            match damaged(&path)? {
                None => return Ok(path),
                Some(detail) => {
                    remove(&path)?;
                    damage = Some(detail);
                }
            }
        }
        Err(HubError::Damaged { file: file.to_owned(), detail: damage.unwrap_or_default() })
    }

    /// Several attempts at a download.
    fn persist(&self, file: &str, watcher: &mut dyn Watcher) -> Result<PathBuf, HubError> {
        let mut attempt = 1;
        loop {
            let error = match self.download(file, watcher)? {
                Ok(path) => return Ok(path),
                // What is there already does not fit what the hub has: from the beginning.
                Err(ApiError::InvalidResume) => {
                    self.forget_parts()?;
                    HubError::Network("a part of the file does not fit".to_owned())
                }
                Err(ApiError::RequestError(error)) if matches!(*error, ureq::Error::StatusCode(416)) => {
                    self.forget_parts()?;
                    HubError::Network("it refuses to go on within the file".to_owned())
                }
                Err(error) => HubError::of(error, self.name, file, self.cache.path()),
            };
            if attempt == ATTEMPTS || !error.passes() {
                return Err(error);
            }
            tracing::warn!(file, attempt, %error, "the download is tried again");
            std::thread::sleep(Duration::from_millis(250) * attempt);
            attempt += 1;
        }
    }

    /// One download on a thread of its own, so that a dead connection is noticed.
    fn download(&self, file: &str, watcher: &mut dyn Watcher) -> Result<Result<PathBuf, ApiError>, HubError> {
        let (sender, events) = mpsc::channel();
        let (api, repo, name) = (self.api.clone(), self.repo.clone(), file.to_owned());
        std::thread::spawn(move || {
            let result = api.repo(repo).download_with_progress(&name, Reporter(sender.clone()));
            let _ = sender.send(Event::Ends(Box::new(result)));
        });
        let (mut size, mut position) = (None, 0u64);
        loop {
            match events.recv_timeout(PATIENCE) {
                Ok(Event::Begins(bytes)) => {
                    (size, position) = (Some(bytes as u64), 0);
                    watcher.file(file, bytes as u64);
                }
                Ok(Event::Bytes(bytes)) => {
                    position += bytes as u64;
                    watcher.position(position);
                }
                Ok(Event::Ends(result)) => return Ok(whole(*result, size)),
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(HubError::Stalled { file: file.to_owned(), seconds: PATIENCE.as_secs() });
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(HubError::Answer(format!("the download of `{file}` broke off")));
                }
            }
        }
    }

    /// Removes what interrupted downloads left behind.
    fn forget_parts(&self) -> Result<(), HubError> {
        let blobs = self.cache.repo(self.repo.clone()).blob_path("");
        let parts = blobs.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
        for part in parts.filter(|path| path.extension().is_some_and(|extension| extension == "part")) {
            std::fs::remove_file(&part).map_err(|source| HubError::Disk { path: part.clone(), source })?;
        }
        Ok(())
    }
}

/// A download that ended early left a file too short: it is taken out of the cache and counts as a broken connection.
fn whole(result: Result<PathBuf, ApiError>, size: Option<u64>) -> Result<PathBuf, ApiError> {
    let path = result?;
    let found = std::fs::metadata(&path)?.len();
    if size.is_none_or(|size| size == found) {
        return Ok(path);
    }
    let _ = remove(&path);
    Err(ApiError::IoError(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, format!("{found} bytes came of {}", size.unwrap_or(0)))))
}

/// What is wrong with a file whose name in the cache is its sha256, as large files are kept; nothing of any other.
fn damaged(path: &Path) -> Result<Option<String>, HubError> {
    let disk = |source| HubError::Disk { path: path.to_owned(), source };
    let blob = path.canonicalize().map_err(disk)?;
    let wanted = blob.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if wanted.len() != 64 || !wanted.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(None);
    }
    let found = file_sha256(&blob).map_err(disk)?;
    Ok((found != wanted).then(|| format!("wanted sha256 {wanted}, found {found}")))
}

/// Takes a file out of the cache, with the bytes it points to.
fn remove(path: &Path) -> Result<(), HubError> {
    for path in [path.canonicalize().unwrap_or_else(|_| path.to_owned()), path.to_owned()] {
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(HubError::Disk { path, source }),
        }
    }
    Ok(())
}
