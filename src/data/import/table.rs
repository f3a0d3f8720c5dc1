//! CSV by record: the delimiter is told from the first line, a record of the wrong width or encoding is one problem.

use super::{MAX_LINE, Problem, Source};
use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

/// A record, the line it begins on, and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line, from 1.
    pub line: usize,
    /// The fields.
    pub fields: Vec<String>,
}

/// A table with or without a line of column names.
pub struct Table {
    source: Source,
    reader: csv::Reader<Bounded>,
    /// Names of the columns in lower case, or none where the table has no such line.
    pub columns: Vec<String>,
    left: Rc<Cell<usize>>,
    over: bool,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("source", &self.source).field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl Table {
    /// Opens a table.
    ///
    /// # Errors
    /// When the source cannot be read, or has no line of column names although it should.
    pub fn open(source: &Source, named_columns: bool) -> Result<Self, Problem> {
        let left = Rc::new(Cell::new(MAX_LINE));
        let delimiter = delimiter(source)?;
        let bounded = Bounded { inner: BufReader::new(source.reader()?), left: Rc::clone(&left), out: Vec::new(), given: 0, last: b'\n' };
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bounded);
        let mut table = Self { source: source.clone(), reader, columns: Vec::new(), left, over: false };
        if named_columns {
            let first = table.next().unwrap_or_else(|| Err(source.problem(0, "the file is empty")))?;
            table.columns = first.fields.iter().map(|name| name.trim().to_lowercase()).collect();
        }
        Ok(table)
    }

    /// The column of the first of these names that is there.
    #[must_use]
    pub fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.columns.iter().position(|column| column == name))
    }

    /// The column of the first of these names.
    ///
    /// # Errors
    /// When there is none.
    pub fn need(&self, names: &[&str]) -> Result<usize, Problem> {
        self.column(names).ok_or_else(|| {
            let there = self.columns.join("`, `");
            self.source.problem(1, format!("there is no column `{}`; the columns are `{there}`", names.join("` or `")))
        })
    }

    /// The line on which the parser stands.
    fn line(&self) -> usize {
        usize::try_from(self.reader.position().line()).unwrap_or(0)
    }

    /// The fields of a record. It begins as many lines before `end` as it has line ends, its own among them; `from` is where the record
    /// before it ended, between which and its beginning there may be empty lines.
    fn check(&self, record: &csv::ByteRecord, from: usize, end: usize) -> Result<Record, Problem> {
        let inside = memchr::memchr_iter(b'\n', record.as_slice()).count();
        let line = from.max(end.saturating_sub(inside + 1));
        let text = |(index, field): (usize, &[u8])| {
            std::str::from_utf8(field).map(str::to_owned).map_err(|error| {
                let at = error.valid_up_to();
                self.source.problem(line, format!("invalid UTF-8 at byte {at} of field {}; save the file as UTF-8", index + 1))
            })
        };
        let fields = record.iter().enumerate().map(text).collect::<Result<Vec<_>, _>>()?;
        if !self.columns.is_empty() && fields.len() != self.columns.len() {
            let (there, wanted) = (fields.len(), self.columns.len());
            let message = format!("the record has {there} fields where there are {wanted} columns; a quote may be missing or left open");
            return Err(self.source.problem(line, message));
        }
        Ok(Record { line, fields })
    }
}

impl Iterator for Table {
    type Item = Result<Record, Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let mut record = csv::ByteRecord::new();
        self.left.set(MAX_LINE);
        let line = self.line();
        match self.reader.read_byte_record(&mut record) {
            Ok(true) => Some(self.check(&record, line, self.line())),
            Ok(false) => None,
            Err(error) => {
                self.over = true;
                Some(Err(self.source.problem(line, format!("{error}; what follows is not read"))))
            }
        }
    }
}

fn delimiter(source: &Source) -> Result<u8, Problem> {
    let first = source.lines()?.find_map(|line| line.ok().filter(|line| !line.text.trim().is_empty()));
    Ok(delimiter_of(&first.map(|line| line.text).unwrap_or_default()))
}

/// Comma, semicolon or tab: what the line has most of.
pub(super) fn delimiter_of(line: &str) -> u8 {
    let count = |delimiter: char| line.matches(delimiter).count();
    let (comma, semicolon, tab) = (count(','), count(';'), count('\t'));
    match (tab > comma.max(semicolon), semicolon > comma) {
        (true, _) => b'\t',
        (false, true) => b';',
        (false, false) => b',',
    }
}

/// A reader that ends every line, the last too, with a line feed alone, so that lines can be counted. It fails once a record has taken
/// more than its bytes, so that a quote that is never closed does not fill the memory.
struct Bounded {
    inner: BufReader<Box<dyn Read>>,
    left: Rc<Cell<usize>>,
    out: Vec<u8>,
    given: usize,
    last: u8,
}

impl Bounded {
    /// Fills `out` with the next bytes; empty at the end.
    fn fill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.given = 0;
        let chunk = self.inner.fill_buf()?;
        if chunk.is_empty() {
            if self.last != b'\n' {
                self.out.push(b'\n');
                self.last = b'\n';
            }
            return Ok(());
        }
        for byte in chunk {
            // A carriage return is held back until what follows it is known.
            if self.last == b'\r' && *byte != b'\n' {
                self.out.push(b'\r');
            }
            if *byte != b'\r' {
                self.out.push(*byte);
            }
            self.last = *byte;
        }
        let used = chunk.len();
        self.inner.consume(used);
        if self.out.is_empty() { self.fill() } else { Ok(()) }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left.get() == 0 {
            let message = format!("the record is longer than {} MiB; a quote may be left open", MAX_LINE >> 20);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if self.given >= self.out.len() {
            self.fill()?;
        }
        let read = self.out.get(self.given..).unwrap_or_default().read(buffer)?;
        self.given += read;
        self.left.set(self.left.get().saturating_sub(read));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &[u8]) -> Vec<Result<(usize, Vec<String>), String>> {
        let source = Source::bytes("f", text);
        let table = Table::open(&source, true).unwrap();
        table.map(|record| record.map(|record| (record.line, record.fields)).map_err(|problem| problem.to_string())).collect()
    }

    #[test]
    fn records_know_their_lines_and_ragged_ones_are_named() {
        let read = table(b"\xef\xbb\xbfText;Intent\r\n\"a; \"\"b\"\"\nc\";x\none\n\xff;y\nd;z\n");
        assert_eq!(read[0], Ok((2, vec!["a; \"b\"\nc".into(), "x".into()])));
        assert!(read[1].as_ref().unwrap_err().starts_with("f:4: the record has 1 fields where there are 2 columns"), "{read:?}");
        assert_eq!(read[2], Err("f:5: invalid UTF-8 at byte 0 of field 1; save the file as UTF-8".into()));
        assert_eq!(read[3], Ok((6, vec!["d".into(), "z".into()])));
        let read = table(b"a,b\r\n\r\n\r\n1,\"x\r\ny\"\r\n\r\n2,\"z\rz\"");
        assert_eq!(read, [Ok((4, vec!["1".into(), "x\ny".into()])), Ok((7, vec!["2".into(), "z\rz".into()]))]);
    }

    #[test]
    fn an_open_quote_does_not_fill_the_memory() {
        let mut text = b"text,intent\n\"open".to_vec();
        text.resize(2 * MAX_LINE, b'a');
        let read = table(&text);
        assert_eq!(read.len(), 1);
        let problem = read[0].as_ref().unwrap_err();
        assert!(problem.starts_with("f:2: ") && problem.contains("a quote may be left open"), "{problem}");
    }
}
