//! What could not be imported, and where it stands.

use crate::data::Place;
use std::fmt;
use std::sync::Arc;

/// Something that could not be read. What stands around it is read all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the entry of an archive as `agent.zip/intents/greet.json`.
    pub file: Arc<str>,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem of one line.
    pub fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { file: Arc::clone(&place.file), line: place.line, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}
