//! A directory that a command writes: a fresh one, so that nothing of an earlier run is taken for its result.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A directory of results.
#[derive(Debug, Clone)]
pub struct OutputDirectory {
    path: PathBuf,
}

/// Why nothing can be written.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// There is something in it.
    #[error("`{}` is not empty; choose a fresh --out, or --force to write into it", path.display())]
    Occupied {
        /// The directory.
        path: PathBuf,
    },
    /// What is read would be overwritten.
    #[error("`{}` is where the data is read from; choose another --out", path.display())]
    IsInput {
        /// The directory.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("`{}` cannot be written: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl OutputDirectory {
    /// Creates the directory where there is none.
    ///
    /// # Errors
    /// When it is the directory of `input`, or holds something and `force` is not given, or cannot be created.
    pub fn create(path: &Path, input: &Path, force: bool) -> Result<Self, OutputError> {
        let failed = |source| OutputError::Io { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(failed)?;
        let input = if input.is_dir() { Some(input) } else { input.parent() };
        let same = |input: &Path| matches!((input.canonicalize(), path.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if input.is_some_and(same) {
            return Err(OutputError::IsInput { path: path.to_owned() });
        }
        if !force && std::fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(OutputError::Occupied { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned() })
    }

    /// Removes what an earlier run wrote under a name that this one does not write.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn remove(&self, name: &str) -> Result<(), OutputError> {
        let path = self.path.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(OutputError::Io { path, source: error }),
            _ => Ok(()),
        }
    }

    /// Writes a file whole or not at all.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write_lines<L: AsRef<str>>(&self, name: &str, lines: impl IntoIterator<Item = L>) -> Result<(), OutputError> {
        let part = self.path.join(format!("{name}.part"));
        let write = || -> std::io::Result<()> {
            let mut file = std::io::BufWriter::new(std::fs::File::create(&part)?);
            for line in lines {
                file.write_all(line.as_ref().as_bytes())?;
                file.write_all(b"\n")?;
            }
            file.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            std::fs::rename(&part, self.path.join(name))
        };
        write().map_err(|source| OutputError::Io { path: self.path.join(name), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fresh_directory_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (input, out) = (folder.path().join("in"), folder.path().join("a/b"));
        std::fs::create_dir(&input).unwrap();
        let output = OutputDirectory::create(&out, &input, false).unwrap();
        output.write_lines("train.jsonl", ["a", "b"]).unwrap();
        assert_eq!(std::fs::read_to_string(out.join("train.jsonl")).unwrap(), "a\nb\n");
        assert!(matches!(OutputDirectory::create(&out, &input, false), Err(OutputError::Occupied { .. })));
        assert!(OutputDirectory::create(&out, &input, true).is_ok());
        assert!(matches!(OutputDirectory::create(&input, &input.join("../in"), true), Err(OutputError::IsInput { .. })));
        assert!(matches!(OutputDirectory::create(&input, &input.join("train.jsonl"), true), Err(OutputError::IsInput { .. })));
    }
}
