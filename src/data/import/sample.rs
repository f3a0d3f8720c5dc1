//! The beginning of a source, from which its format is told.

use super::{Archive, Problem, Shape, Source};
use std::io::Read as _;

/// Bytes that are looked at.
const SIZE: u64 = 256 << 10;

/// How sure an importer is that a source is in its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// It is another format.
    No,
    /// It can be read, and so can much else: a general format.
    Possible,
    /// Names and layout fit.
    Likely,
    /// Something stands there that only this format has.
    Certain,
}

impl Confidence {
    /// `self` where the condition holds, else [`Confidence::No`].
    #[must_use]
    pub fn when(self, condition: bool) -> Self {
        if condition { self } else { Self::No }
    }
}

/// What is known of a source before it is read.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Extension of the file in lower case, without the dot.
    pub extension: String,
    /// The first text of it; bytes that are not UTF-8 are replaced. Empty for an archive.
    pub text: String,
    /// Names of the entries of an archive; empty for other files.
    pub entries: Vec<String>,
    /// Keys of the first JSON value; empty for what is not JSON.
    pub shape: Shape,
}

impl Sample {
    /// Looks at a source.
    ///
    /// # Errors
    /// When the file cannot be read, or is empty.
    pub fn of(source: &Source) -> Result<Self, Problem> {
        let extension = source.file_name().rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase());
        if Archive::is_one(source)? {
            let entries = Archive::open(source)?.names().map(str::to_owned).collect();
            return Ok(Self { extension, entries, ..Self::default() });
        }
        let mut bytes = Vec::new();
        source.reader()?.take(SIZE).read_to_end(&mut bytes).map_err(|error| source.unreadable(&error))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if text.trim().is_empty() {
            return Err(source.problem(0, "the file is empty"));
        }
        let shape = if text.trim_start().starts_with(['{', '[']) { Shape::of(&text) } else { Shape::default() };
        Ok(Self { extension, text, entries: Vec::new(), shape })
    }

    /// Whether an entry's name ends so.
    #[must_use]
    pub fn has_entry(&self, end: &str) -> bool {
        self.entries.iter().any(|name| name.ends_with(end))
    }

    /// The first record of a CSV file, in lower case and trimmed; empty for JSON.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        if !self.shape.is_empty() {
            return Vec::new();
        }
        let first = self.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let delimiter = super::table::delimiter_of(first);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(self.text.as_bytes());
        let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
        record.iter().map(|field| field.trim().to_lowercase()).collect()
    }

    /// Whether a line begins so, spaces aside.
    #[must_use]
    pub fn has_line(&self, start: &str) -> bool {
        self.text.lines().any(|line| line.trim_start().starts_with(start))
    }
}
