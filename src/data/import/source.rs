//! A file to import, read within bounds: no line and no document takes more memory than the limits say.

use super::{Lines, Problem};
use crate::data::{Place, Split};
use encoding_rs_io::DecodeReaderBytesBuilder;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most bytes of a document that has to be read as a whole, such as YAML or one JSON object.
pub const MAX_DOCUMENT: u64 = 256 << 20;

/// A file, a folder that was an archive, or bytes from an archive.
#[derive(Debug, Clone)]
pub struct Source {
    name: Arc<str>,
    at: At,
    done: Arc<AtomicU64>,
}

#[derive(Debug, Clone)]
enum At {
    Path(PathBuf),
    Bytes(Arc<[u8]>),
}

/// What an archive is read from.
pub trait Seekable: Read + Seek {}

impl<T: Read + Seek> Seekable for T {}

impl Source {
    /// A file on disk; nothing is read yet.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self { name: path.display().to_string().into(), at: At::Path(path.to_owned()), done: Arc::default() }
    }

    /// Bytes in memory under a name.
    #[must_use]
    pub fn bytes(name: &str, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { name: name.into(), at: At::Bytes(bytes.into()), done: Arc::default() }
    }

    /// The name in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The last part of the name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or_default()
    }

    /// The split that the file's name tells: `train`, `valid`, `validation`, `dev`, `test` as a word of its own.
    #[must_use]
    pub fn split_by_name(&self) -> Option<Split> {
        let name = self.file_name().to_lowercase();
        name.split(|c: char| !c.is_alphanumeric()).find_map(|word| match word {
            "train" | "training" => Some(Split::Train),
            "valid" | "validation" | "val" | "dev" | "testa" => Some(Split::Valid),
            "test" | "testing" | "testb" => Some(Split::Test),
            _ => None,
        })
    }

    /// The directory, where the source is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.at {
            At::Path(path) if path.is_dir() => Some(path),
            At::Path(_) | At::Bytes(_) => None,
        }
    }

    /// Bytes in it; 0 where that is unknown.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.at {
            At::Path(path) => path.metadata().map_or(0, |data| data.len()),
            At::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// Bytes read so far, for a progress bar.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// A line of it; 0 is the source as a whole.
    #[must_use]
    pub fn place(&self, line: usize) -> Place {
        Place { file: Arc::clone(&self.name), line }
    }

    /// Something wrong at a line; 0 is the source as a whole.
    pub fn problem(&self, line: usize, message: impl Into<String>) -> Problem {
        Problem::new(&self.place(line), message)
    }

    /// The bytes as they are.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(&self) -> Result<Box<dyn Seekable>, Problem> {
        match &self.at {
            At::Path(path) if path.is_dir() => Err(self.problem(0, "this is a folder; name the files in it")),
            At::Path(path) => {
                let file = File::open(path).map_err(|error| self.unreadable(&error))?;
                Ok(Box::new(Counting { inner: file, done: Arc::clone(&self.done) }))
            }
            At::Bytes(bytes) => Ok(Box::new(Cursor::new(Arc::clone(bytes)))),
        }
    }

    /// The bytes as UTF-8: a byte order mark is taken off, and what it announces as UTF-16 is converted. Bytes that are not UTF-8
    /// come as they are; [`Lines`] and [`Source::text`] find them.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn reader(&self) -> Result<Box<dyn Read>, Problem> {
        Ok(Box::new(DecodeReaderBytesBuilder::new().utf8_passthru(true).strip_bom(true).build(self.open()?)))
    }

    /// Line by line, never holding more than one.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn lines(&self) -> Result<Lines, Problem> {
        Ok(Lines::new(self.reader()?, self.clone()))
    }

    /// The whole text.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than [`MAX_DOCUMENT`], is empty or is not UTF-8.
    pub fn text(&self) -> Result<String, Problem> {
        let mut bytes = Vec::new();
        let mut reader = self.reader()?.take(MAX_DOCUMENT + 1);
        reader.read_to_end(&mut bytes).map_err(|error| self.unreadable(&error))?;
        if bytes.len() as u64 > MAX_DOCUMENT {
            let limit = MAX_DOCUMENT >> 20;
            return Err(self.problem(
                0,
                format!("the file is larger than {limit} MiB, the most for one document; split it, or export one object a line"),
            ));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count();
            self.problem(line, format!("invalid UTF-8 at byte {at} of the file; save it as UTF-8"))
        })?;
        if text.trim().is_empty() {
            return Err(self.problem(0, "the file is empty"));
        }
        if text.contains('\0') {
            return Err(self.problem(1, "the file holds NUL characters; if it is UTF-16 without a byte order mark, save it as UTF-8"));
        }
        Ok(text)
    }

    pub(super) fn unreadable(&self, error: &io::Error) -> Problem {
        self.problem(0, format!("cannot be read: {error}"))
    }
}

/// A reader that counts what passes.
struct Counting<R> {
    inner: R,
    done: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.done.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: Seek> Seek for Counting<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}
