//! Writes a data directory. Files grow under names of their own and take their places at the end, so that a directory that was
//! only half written is never taken for data.

use super::import::Lexicon;
use super::{Row, Split};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// A data directory that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// There is data already.
    #[error("`{}` is there already; choose another --out, or write over it with --force", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The disk.
    #[error("`{}` cannot be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Splits and their rows.
    pub splits: Vec<(Split, usize)>,
    /// Whether there is a `lexicon.json`.
    pub lexicon: bool,
}

/// A data directory as it is written.
#[derive(Debug)]
pub struct DataWriter {
    directory: PathBuf,
    /// Whether the directory was not there before.
    made: bool,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    split: Split,
    rows: usize,
    path: PathBuf,
    file: BufWriter<File>,
}

const LEXICON: &str = "lexicon.json";

impl DataWriter {
    /// A writer into `directory`, which is made if it is not there.
    ///
    /// # Errors
    /// When it holds data already and `force` is off, or cannot be made.
    pub fn create(directory: &Path, force: bool) -> Result<Self, WriteError> {
        let names = Split::ALL.iter().map(|split| format!("{split}.jsonl")).chain([LEXICON.to_owned()]);
        let there = names.map(|name| directory.join(name)).find(|path| path.exists());
        if let Some(path) = there.filter(|_| !force) {
            return Err(WriteError::Exists { path });
        }
        let made = !directory.exists();
        fs::create_dir_all(directory).map_err(|source| WriteError::Io { path: directory.to_owned(), source })?;
        Ok(Self { directory: directory.to_owned(), made, parts: Vec::new() })
    }

    /// Writes a row.
    ///
    /// # Errors
    /// When the disk is full or the like.
    pub fn row(&mut self, split: Split, row: &Row) -> Result<(), WriteError> {
        let index = match self.parts.iter().position(|part| part.split == split) {
            Some(index) => index,
            None => self.begin(split)?,
        };
        let Some(part) = self.parts.get_mut(index) else { return Ok(()) };
        let written = serde_json::to_writer(&mut part.file, row).map_err(io::Error::from).and_then(|()| part.file.write_all(b"\n"));
        written.map_err(|source| WriteError::Io { path: part.path.clone(), source })?;
        part.rows += 1;
        Ok(())
    }

    fn begin(&mut self, split: Split) -> Result<usize, WriteError> {
        let path = self.directory.join(format!(".{split}.jsonl.{}.part", std::process::id()));
        let file = File::create(&path).map_err(|source| WriteError::Io { path: path.clone(), source })?;
        self.parts.push(Part { split, rows: 0, path, file: BufWriter::new(file) });
        Ok(self.parts.len() - 1)
    }

    /// Puts the files in their places. Files of an earlier data directory that have no successor are removed.
    ///
    /// # Errors
    /// When the disk is full or the like.
    pub fn finish(mut self, lexicon: &Lexicon) -> Result<Written, WriteError> {
        let mut written = Written { splits: Vec::new(), lexicon: !lexicon.is_empty() };
        let lexicon_part = self.directory.join(format!(".{LEXICON}.{}.part", std::process::id()));
        if written.lexicon {
            let text = serde_json::to_string_pretty(lexicon).map_err(io::Error::from);
            let io = |source| WriteError::Io { path: lexicon_part.clone(), source };
            fs::write(&lexicon_part, text.map_err(io)? + "\n").map_err(io)?;
        }
        for part in &mut self.parts {
            let io = |source| WriteError::Io { path: part.path.clone(), source };
            part.file.flush().and_then(|()| part.file.get_ref().sync_all()).map_err(io)?;
        }
        for split in Split::ALL {
            let path = self.directory.join(format!("{split}.jsonl"));
            match self.parts.iter().find(|part| part.split == split) {
                Some(part) => {
                    fs::rename(&part.path, &path).map_err(|source| WriteError::Io { path, source })?;
                    written.splits.push((split, part.rows));
                }
                None => remove(path)?,
            }
        }
        let path = self.directory.join(LEXICON);
        if written.lexicon {
            fs::rename(&lexicon_part, &path).map_err(|source| WriteError::Io { path, source })?;
        } else {
            remove(path)?;
        }
        Ok(written)
    }
}

fn remove(path: PathBuf) -> Result<(), WriteError> {
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(WriteError::Io { path, source }),
        _ => Ok(()),
    }
}

impl Drop for DataWriter {
    fn drop(&mut self) {
        for part in &self.parts {
            let _ = fs::remove_file(&part.path); // it is gone where it took its place
        }
        if self.made {
            let _ = fs::remove_dir(&self.directory); // which succeeds only where nothing was written
        }
    }
}
