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
    /// A problem of one line. What the message quotes from the file is made harmless: control characters are escaped, and the middle of
    /// a long message is left out.
    pub fn new(place: &Place, message: impl Into<String>) -> Self {
        Self { file: Arc::clone(&place.file), line: place.line, message: harmless(message.into()) }
    }
}

/// Characters of a message that are kept at its beginning and its end.
const KEPT: (usize, usize) = (300, 150);

fn harmless(message: String) -> String {
    if message.len() <= KEPT.0 + KEPT.1 && !message.contains(char::is_control) {
        return message;
    }
    let escaped = |c: char| if c.is_control() { c.escape_default().collect() } else { String::from(c) };
    let length = message.chars().count();
    if length <= KEPT.0 + KEPT.1 {
        return message.chars().map(escaped).collect();
    }
    let beginning: String = message.chars().take(KEPT.0).map(escaped).collect();
    let end: String = message.chars().skip(length - KEPT.1).map(escaped).collect();
    format!("{beginning} … {end}")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_made_harmless() {
        let place = Place { file: "f".into(), line: 3 };
        assert_eq!(Problem::new(&place, "`\u{1b}[2J` is \u{e9}").to_string(), "f:3: `\\u{1b}[2J` is \u{e9}");
        let long = Problem::new(&place, format!("`{}` is no tag", "x".repeat(10_000))).to_string();
        assert!(long.starts_with("f:3: `xx") && long.ends_with("x` is no tag") && long.len() < 500, "{long}");
    }
}
