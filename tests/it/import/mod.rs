//! Importers and exporters: every format's fixtures against its golden rows, round trips, hostile files, and the commands.

mod commands;
mod fixtures;
mod hostile;
mod round_trips;

use hearken::data::import::{Imported, Importer, Lexicon, Problem, Receiver, Settings, Source, import};
use std::io::Write as _;
use std::path::Path;

/// What an import gave.
#[derive(Debug, Default)]
pub struct Read {
    pub rows: Vec<Imported>,
    pub problems: Vec<String>,
    pub lexicon: Lexicon,
}

impl Receiver for Read {
    fn row(&mut self, imported: Imported) {
        self.rows.push(imported);
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem.to_string());
    }
}

pub fn read(source: Source, importer: &dyn Importer) -> Read {
    let mut read = Read::default();
    read.lexicon = import(&[(source, importer)], &Settings { seed: 1, labels: Vec::new() }, &mut read);
    read
}

/// The files of a folder in a zip archive.
pub fn zipped(folder: &Path) -> Vec<u8> {
    fn add(zip: &mut zip::ZipWriter<std::io::Cursor<Vec<u8>>>, folder: &Path, prefix: &str) {
        let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
            if path.is_dir() {
                add(zip, &path, &format!("{name}/"));
            } else {
                zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
                zip.write_all(&std::fs::read(&path).unwrap()).unwrap();
            }
        }
    }
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    add(&mut zip, folder, "");
    zip.finish().unwrap().into_inner()
}
