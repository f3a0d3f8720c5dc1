//! Where importers put what they read. Every row is checked here, so no importer can let a wrong one pass.

use super::{Lexicon, Problem, Source};
use crate::data::{Example, Place, Row, Split};

/// A row that has been read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// Where it was written.
    pub place: Place,
    /// The split that the format marks.
    pub split: Option<Split>,
    /// The row.
    pub row: Row,
}

/// What the user chose.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Seed of every random choice.
    pub seed: u64,
    /// Names of numbered labels, by their numbers.
    pub labels: Vec<String>,
}

/// Takes what is read, as it is read.
pub trait Receiver {
    /// A row.
    fn row(&mut self, imported: Imported);
    /// Something that could not be read.
    fn problem(&mut self, problem: Problem);
}

/// The importer's side of a [`Receiver`].
pub struct Sink<'a> {
    receiver: &'a mut dyn Receiver,
    settings: &'a Settings,
    lexicon: Lexicon,
}

impl std::fmt::Debug for Sink<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("settings", &self.settings).field("lexicon", &self.lexicon).finish_non_exhaustive()
    }
}

impl<'a> Sink<'a> {
    pub(super) fn new(receiver: &'a mut dyn Receiver, settings: &'a Settings) -> Self {
        Self { receiver, settings, lexicon: Lexicon::default() }
    }

    /// What the user chose.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.settings
    }

    /// Gives a row on. One that [`Example::new`] refuses becomes a problem.
    pub fn row(&mut self, imported: Imported) {
        match Example::new(imported.row.clone(), imported.place.clone()) {
            Ok(_) => self.receiver.row(imported),
            Err(detail) => self.receiver.problem(Problem::new(&imported.place, detail)),
        }
    }

    /// Gives the rows of one document on. Where any row has entities, those without have none; where no row has, they are unknown: a
    /// file without a single annotation says nothing about entities.
    pub fn rows(&mut self, rows: Vec<Imported>) {
        let annotated = rows.iter().any(|imported| imported.row.entities.as_ref().is_some_and(|entities| !entities.is_empty()));
        for mut imported in rows {
            imported.row.entities = if annotated { Some(imported.row.entities.unwrap_or_default()) } else { None };
            self.row(imported);
        }
    }

    /// Reports what cannot be read.
    pub fn problem(&mut self, problem: Problem) {
        self.receiver.problem(problem);
    }

    /// Notes that `word` stands for `value`, whatever the entity.
    pub fn synonym(&mut self, place: &Place, value: &str, word: &str) {
        if let Err(detail) = self.lexicon.synonym(value, word) {
            self.problem(Problem::new(place, detail));
        }
    }

    /// Notes a value of an entity, and the words that stand for it there.
    pub fn value<'w>(&mut self, place: &Place, entity: &str, value: &str, words: impl IntoIterator<Item = &'w str>) {
        for detail in self.lexicon.value(entity, value, words) {
            self.problem(Problem::new(place, detail));
        }
    }

    /// Notes a regular expression of an entity.
    pub fn regex(&mut self, name: &str, pattern: &str) {
        self.lexicon.regex(name, pattern);
    }

    pub(super) fn finish(self) -> Lexicon {
        self.lexicon
    }
}

impl Imported {
    /// A row at a line of a source.
    #[must_use]
    pub fn new(source: &Source, line: usize, row: Row) -> Self {
        Self { place: source.place(line), split: None, row }
    }
}
