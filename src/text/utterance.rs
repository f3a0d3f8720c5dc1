//! One message of a customer, within bounds. It is checked once, here, and everything behind may rely on it.

use std::ops::Deref;

/// A message that has something in it, is not longer than the limits, and holds no control characters but tab and line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Utterance(String);

/// Why a text is not an utterance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UtteranceError {
    /// No visible character.
    #[error("the text is empty; send at least one visible character")]
    Empty,
    /// More characters than allowed.
    #[error("the text has {characters} characters; the limit is {limit}: split it or send the part that matters")]
    TooManyCharacters {
        /// Found.
        characters: usize,
        /// Allowed.
        limit: usize,
    },
    /// More bytes than allowed.
    #[error("the text has {bytes} bytes; the limit is {limit}: split it or send the part that matters")]
    TooManyBytes {
        /// Found.
        bytes: usize,
        /// Allowed.
        limit: usize,
    },
    /// A control character such as NUL or escape.
    #[error("control character U+{code:04X} at character {position}; remove it (tab and line ends are allowed)")]
    ControlCharacter {
        /// Code point.
        code: u32,
        /// Index in code points.
        position: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("invalid UTF-8 at byte {position}; send the text as UTF-8")]
    InvalidUtf8 {
        /// Index of the first wrong byte.
        position: usize,
    },
}

impl Utterance {
    /// Most characters (code points) of one message. Far above what the encoder reads, so that pasted mails are accepted.
    pub const MAX_CHARACTERS: usize = 16_384;
    /// Most bytes of one message: every character at its longest encoding.
    pub const MAX_BYTES: usize = 4 * Self::MAX_CHARACTERS;

    /// Checks a text.
    ///
    /// # Errors
    /// When the text is empty, too long or holds control characters.
    ///
    /// ```
    /// use hearken::text::Utterance;
    /// assert!(Utterance::new("Where is my order?").is_ok());
    /// assert!(Utterance::new(" \u{200b}\n").is_err());
    /// ```
    pub fn new(text: impl Into<String>) -> Result<Self, UtteranceError> {
        let text = text.into();
        if text.len() > Self::MAX_BYTES {
            return Err(UtteranceError::TooManyBytes { bytes: text.len(), limit: Self::MAX_BYTES });
        }
        let characters = text.chars().count();
        if characters > Self::MAX_CHARACTERS {
            return Err(UtteranceError::TooManyCharacters { characters, limit: Self::MAX_CHARACTERS });
        }
        if let Some((position, c)) = text.chars().enumerate().find(|(_, c)| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            return Err(UtteranceError::ControlCharacter { code: u32::from(c), position });
        }
        if text.chars().all(is_invisible) {
            return Err(UtteranceError::Empty);
        }
        Ok(Self(text))
    }

    /// Checks bytes that should be UTF-8.
    ///
    /// # Errors
    /// As [`Utterance::new`], and when the bytes are not UTF-8.
    pub fn from_utf8(bytes: &[u8]) -> Result<Self, UtteranceError> {
        let text = std::str::from_utf8(bytes).map_err(|error| UtteranceError::InvalidUtf8 { position: error.valid_up_to() })?;
        Self::new(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Utterance {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// White space and the zero-width characters that leave nothing on the screen.
fn is_invisible(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{ad}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_named() {
        assert_eq!(Utterance::new("  \n"), Err(UtteranceError::Empty));
        assert_eq!(Utterance::new("\u{200d}\u{feff}"), Err(UtteranceError::Empty));
        assert_eq!(Utterance::new("a\u{0}b"), Err(UtteranceError::ControlCharacter { code: 0, position: 1 }));
        assert_eq!(Utterance::from_utf8(b"ab\xff"), Err(UtteranceError::InvalidUtf8 { position: 2 }));
        let limit = Utterance::MAX_CHARACTERS;
        assert!(Utterance::new("\u{1f600}".repeat(limit)).is_ok());
        assert_eq!(Utterance::new("a".repeat(limit + 1)), Err(UtteranceError::TooManyCharacters { characters: limit + 1, limit }));
        assert!(matches!(Utterance::new("\u{1f600}".repeat(limit + 1)), Err(UtteranceError::TooManyBytes { .. })));
    }
}
