//! A data directory: `train.jsonl`, and `valid.jsonl` and `test.jsonl` where they exist.

use super::{Example, Place, Row};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A part of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// What weights are fitted on.
    Train,
    /// What is chosen by: when to stop, calibration, thresholds.
    Valid,
    /// What is reported.
    Test,
}

impl Split {
    /// Every split.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// Name of the split and of its file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Split {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let split = Self::ALL.into_iter().find(|split| split.name() == name);
        split.ok_or_else(|| format!("`{name}` is not a split; choose train, valid or test"))
    }
}

/// Data that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// No file.
    #[error("`{}` cannot be read: {source}; a data directory holds train.jsonl, and valid.jsonl and test.jsonl where they exist", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Lines that are wrong; the first of them.
    #[error("{place}: {detail}{}", more(*others))]
    Line {
        /// The line.
        place: Place,
        /// What is wrong.
        detail: String,
        /// How many more lines are wrong.
        others: usize,
    },
    /// Nothing in it.
    #[error("`{}` holds no example", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

fn more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" (and {others} more; `hearken data check` lists them)") }
}

/// A line that is wrong, and what is wrong about it.
pub type WrongLine = (Place, String);

/// A directory of examples.
#[derive(Debug, Clone)]
pub struct DataDirectory {
    path: PathBuf,
}

impl DataDirectory {
    /// A directory; nothing is read yet.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The file of a split.
    #[must_use]
    pub fn file(&self, split: Split) -> PathBuf {
        self.path.join(format!("{split}.jsonl"))
    }

    /// Whether there is a file for the split.
    #[must_use]
    pub fn has(&self, split: Split) -> bool {
        self.file(split).is_file()
    }

    /// The directory's own name and the split's file name, for provenance.
    #[must_use]
    pub fn label(&self, split: Split) -> String {
        let name = self.path.file_name().map_or_else(|| ".".into(), |name| name.to_string_lossy());
        format!("{name}/{split}.jsonl")
    }

    /// Every example of a split.
    ///
    /// # Errors
    /// When the file cannot be read, a line is wrong, or there is none.
    pub fn read(&self, split: Split) -> Result<Vec<Example>, DataError> {
        let (examples, mut wrong) = self.read_all(split)?;
        if !wrong.is_empty() {
            let others = wrong.len() - 1;
            let (place, detail) = wrong.swap_remove(0);
            return Err(DataError::Line { place, detail, others });
        }
        if examples.is_empty() {
            return Err(DataError::Empty { path: self.file(split) });
        }
        Ok(examples)
    }

    /// Every example of a split, and every line that is wrong with what is wrong about it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_all(&self, split: Split) -> Result<(Vec<Example>, Vec<WrongLine>), DataError> {
        let path = self.file(split);
        let bytes = std::fs::read(&path).map_err(|source| DataError::Io { path: path.clone(), source })?;
        let file = path.display().to_string().into();
        let (mut examples, mut wrong) = (Vec::new(), Vec::new());
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let place = Place { file: std::sync::Arc::clone(&file), line: index + 1 };
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match parse(line, &place) {
                Ok(Some(example)) => examples.push(example),
                Ok(None) => {}
                Err(detail) => wrong.push((place, detail)),
            }
        }
        Ok((examples, wrong))
    }
}

/// The row of a line.
pub(super) fn parse_row(line: &[u8]) -> Result<Row, String> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let row: Row = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| match error.path().to_string().as_str() {
        "." => error.inner().to_string(),
        path => format!("`{path}`: {}", error.inner()),
    })?;
    deserializer.end().map_err(|_| "there is more on the line behind the row; write one JSON object a line".to_owned())?;
    Ok(row)
}

/// The example of a line, or none when somebody other than the customer speaks.
fn parse(line: &[u8], place: &Place) -> Result<Option<Example>, String> {
    let row = parse_row(line)?;
    if !row.is_of_customer() {
        return Ok(None);
    }
    Example::new(row, place.clone()).map(Some)
}
