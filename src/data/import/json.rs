//! JSON whose every part knows its line: documents, lists and lines of records. A wrong part is one problem; the others are read.

use super::{Problem, Source};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A JSON document.
#[derive(Debug)]
pub struct Document {
    source: Source,
    text: String,
    /// Where each line begins, in bytes.
    lines: Vec<usize>,
}

/// A value and the line it begins on.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    source: &'a Source,
    text: &'a str,
    document: Option<&'a Document>,
    /// The line, from 1.
    pub line: usize,
}

/// Takes the records of a source, and what is wrong with those that are none.
type Each<'a> = &'a mut dyn FnMut(Result<Part<'_>, Problem>);

/// What is wrong, without the place, which is told in its own way.
pub(super) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

impl<'a> Part<'a> {
    fn new(source: &'a Source, text: &'a str, line: usize) -> Self {
        Self { source, text, document: None, line }
    }

    /// A part of this part that was left raw, with its line.
    #[must_use]
    pub fn part(&self, raw: &'a RawValue) -> Self {
        match self.document {
            Some(document) => document.part(raw),
            None => Self::new(self.source, raw.get(), self.line),
        }
    }

    /// Something wrong with it.
    pub fn problem(&self, message: impl Into<String>) -> Problem {
        self.source.problem(self.line, message)
    }

    /// Reads the value.
    ///
    /// # Errors
    /// When it is not JSON, or not what is wanted; the line and the path in the value are named.
    pub fn parse<T: Deserialize<'a>>(&self) -> Result<T, Problem> {
        let mut deserializer = serde_json::Deserializer::from_str(self.text);
        let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
            let line = self.line + error.inner().line().saturating_sub(1);
            let detail = message(error.inner());
            match error.path().to_string().as_str() {
                "." | "?" => self.source.problem(line, detail),
                path => self.source.problem(line, format!("`{path}`: {detail}")),
            }
        })?;
        match deserializer.end() {
            Ok(()) => Ok(value),
            Err(_) => Err(self.source.problem(self.line, "there is more behind the JSON value; write one object a line")),
        }
    }
}

impl Document {
    /// Reads a source as a whole.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn read(source: &Source) -> Result<Self, Problem> {
        let text = source.text()?;
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Ok(Self { source: source.clone(), text, lines })
    }

    /// The document as one value.
    ///
    /// # Errors
    /// As [`Part::parse`].
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        self.whole().parse()
    }

    /// The document as a part.
    #[must_use]
    pub fn whole(&self) -> Part<'_> {
        Part { source: &self.source, text: &self.text, document: Some(self), line: 1 }
    }

    /// A part of the document that was left raw, with its line.
    #[must_use]
    pub fn part<'a>(&'a self, raw: &'a RawValue) -> Part<'a> {
        Part { source: &self.source, text: raw.get(), document: Some(self), line: self.line_of(raw.get()) }
    }

    /// The line of a slice of the text.
    fn line_of(&self, slice: &str) -> usize {
        let at = (slice.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        self.lines.partition_point(|start| *start <= at).max(1)
    }

    /// Gives every value of the text to `each`; those of a list one by one, also when the list breaks off.
    fn values(&self, each: Each<'_>) {
        let mut at = 0;
        while let Some(rest) = self.text.get(at..).filter(|rest| !rest.trim_start().is_empty()) {
            let first = self.line_of(rest);
            let mut values = serde_json::Deserializer::from_str(rest);
            let walk = Walk { document: self, each: &mut *each };
            let outcome = if rest.trim_start().starts_with('[') {
                walk.deserialize(&mut values)
            } else {
                <&RawValue>::deserialize(&mut values).map(|raw| (walk.each)(Ok(self.part(raw))))
            };
            if let Err(error) = outcome {
                let line = first + error.line().saturating_sub(1);
                return each(Err(self.source.problem(line, format!("the JSON is broken: {}; what follows is not read", message(&error)))));
            }
            at += values.into_iter::<&RawValue>().byte_offset();
        }
    }
}

/// Gives the elements of a list on as they come.
struct Walk<'a, 'e> {
    document: &'a Document,
    each: Each<'e>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(raw) = list.next_element::<&RawValue>()? {
            (self.each)(Ok(self.document.part(raw)));
        }
        Ok(())
    }
}

/// Gives every record of a source to `each`: the lines of JSON lines, read one at a time, the elements of a list, or the values of a
/// document.
///
/// # Errors
/// When the source cannot be read.
pub fn records(source: &Source, each: Each<'_>) -> Result<(), Problem> {
    if !is_lines(source)? {
        Document::read(source)?.values(each);
        return Ok(());
    }
    for line in source.lines()? {
        match line {
            Ok(line) if line.text.trim().is_empty() => {}
            Ok(line) => each(Ok(Part::new(source, &line.text, line.number))),
            Err(problem) => each(Err(problem)),
        }
    }
    Ok(())
}

/// Whether a source is JSON lines: its first line is a whole object; or it breaks off in the middle, and the second is a whole one.
fn is_lines(source: &Source) -> Result<bool, Problem> {
    let mut first = None;
    for line in source.lines()? {
        let Ok(line) = line else { return Ok(true) };
        let text = line.text.trim();
        if text.is_empty() {
            continue;
        }
        match first {
            None if !text.starts_with('{') => return Ok(!text.starts_with('[')),
            None if text.ends_with('}') => return Ok(true),
            None if text.ends_with(['{', '[', ',']) => return Ok(false),
            None => first = Some(()),
            Some(()) => return Ok(text.starts_with('{') && text.ends_with('}')),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<Result<(usize, u32), String>> {
        #[derive(Deserialize)]
        struct Record {
            n: u32,
        }
        let mut read = Vec::new();
        let source = Source::bytes("f", text.as_bytes());
        let mut each = |part: Result<Part<'_>, Problem>| {
            read.push(part.and_then(|part| Ok((part.line, part.parse::<Record>()?.n))).map_err(|problem| problem.to_string()));
        };
        records(&source, &mut each).unwrap();
        read
    }

    #[test]
    fn lines_lists_and_documents_are_the_same_records() {
        assert_eq!(numbers("{\"n\": 1}\n\n{\"n\": 2}\n"), [Ok((1, 1)), Ok((3, 2))]);
        assert_eq!(numbers("[\n{\"n\": 1},\n{\"n\":\n2}]"), [Ok((2, 1)), Ok((3, 2))]);
        assert_eq!(numbers("{\n\"n\": 1\n}\n{\n\"n\": 2\n}"), [Ok((1, 1)), Ok((4, 2))]);
        assert_eq!(numbers("[{\"n\": 1}]\n[{\"n\": 2}]"), [Ok((1, 1)), Ok((2, 2))]);
        assert_eq!(numbers("{\"n\": 1, \"m\": [\n{}\n]}"), [Ok((1, 1))]);
    }

    #[test]
    fn a_wrong_record_is_one_problem() {
        let read = numbers("{\"n\": 1}\n{\"n\": \n{\"n\": -1}\n{\"n\": 4} x\n{\"n\": 5}");
        assert_eq!((&read[0], &read[4]), (&Ok((1, 1)), &Ok((5, 5))));
        for (place, part) in [(1, "f:2: "), (2, "f:3: `n`: invalid value"), (3, "f:4: there is more")] {
            assert!(read[place].as_ref().unwrap_err().starts_with(part), "{read:?}");
        }
        let read = numbers("[{\"n\": 1},\n{\"n\": \"x\"},\n{\"n\": 3},\n{\"n\" 4}]");
        assert_eq!((&read[0], &read[2]), (&Ok((1, 1)), &Ok((3, 3))));
        assert!(read[1].as_ref().unwrap_err().starts_with("f:2: `n`: invalid type"), "{read:?}");
        assert!(read[3].as_ref().unwrap_err().starts_with("f:4: the JSON is broken"), "{read:?}");
    }
}
