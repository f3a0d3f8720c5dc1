//! A source line by line. A line that is too long or not UTF-8 is one problem; the next line is read all the same.

use super::{Problem, Source};
use std::io::{BufRead, BufReader, Read};

/// Most bytes of one line.
pub const MAX_LINE: usize = 16 << 20;

/// A line and its number, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The number.
    pub number: usize,
    /// The text, without its end.
    pub text: String,
}

/// The lines of a source.
pub struct Lines {
    reader: BufReader<Box<dyn Read>>,
    source: Source,
    number: usize,
    over: bool,
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines").field("source", &self.source).field("number", &self.number).finish_non_exhaustive()
    }
}

/// How a line ended.
enum End {
    /// It is whole.
    Whole,
    /// It is longer than [`MAX_LINE`]; the rest of it was passed over.
    TooLong,
    /// There is no line.
    Nothing,
}

impl Lines {
    pub(super) fn new(reader: Box<dyn Read>, source: Source) -> Self {
        Self { reader: BufReader::with_capacity(1 << 16, reader), source, number: 0, over: false }
    }

    fn fill(&mut self, line: &mut Vec<u8>) -> std::io::Result<End> {
        let (mut too_long, mut any) = (false, false);
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', buffer);
            let (part, _) = buffer.split_at(end.unwrap_or(buffer.len()));
            too_long |= line.len() + part.len() > MAX_LINE;
            if !too_long {
                line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        Ok(match (any, too_long) {
            (false, _) => End::Nothing,
            (true, true) => End::TooLong,
            (true, false) => End::Whole,
        })
    }
}

impl Iterator for Lines {
    type Item = Result<Line, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let mut line = Vec::new();
        let end = self.fill(&mut line);
        self.number += 1;
        match end {
            Ok(End::Nothing) => None,
            Ok(End::TooLong) => {
                let message = format!("the line is longer than {} MiB; one line is one message or one conversation", MAX_LINE >> 20);
                Some(Err(self.source.problem(self.number, message)))
            }
            Ok(End::Whole) => {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                Some(match String::from_utf8(line) {
                    Ok(text) => Ok(Line { number: self.number, text }),
                    Err(error) => {
                        let at = error.utf8_error().valid_up_to();
                        Err(self.source.problem(self.number, format!("invalid UTF-8 at byte {at} of the line; save the file as UTF-8")))
                    }
                })
            }
            Err(error) => {
                self.over = true;
                Some(Err(self.source.unreadable(&error)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_line_does_not_end_the_reading() {
        let mut bytes = b"one\r\n\xff\n".to_vec();
        bytes.extend(std::iter::repeat_n(b'a', MAX_LINE + 1));
        bytes.extend(b"\n\nlast");
        let lines: Vec<_> = Source::bytes("a", bytes).lines().unwrap().map(|line| line.map_err(|problem| problem.to_string())).collect();
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[0], Ok(Line { number: 1, text: "one".into() }));
        assert_eq!(lines[1], Err("a:2: invalid UTF-8 at byte 0 of the line; save the file as UTF-8".into()));
        assert_eq!(lines[2], Err("a:3: the line is longer than 16 MiB; one line is one message or one conversation".into()));
        assert_eq!(lines[3], Ok(Line { number: 4, text: String::new() }));
        assert_eq!(lines[4], Ok(Line { number: 5, text: "last".into() }));
    }

    #[test]
    fn utf_16_is_converted_where_a_mark_announces_it() {
        let units: Vec<u8> = "\u{feff}a\nb\u{1f600}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let texts: Vec<_> = Source::bytes("a", units).lines().unwrap().map(|line| line.unwrap().text).collect();
        assert_eq!(texts, ["a", "b\u{1f600}"]);
    }
}
