//! A zip archive, or the folder it was unpacked into. Nothing is written to disk; each entry is read within bounds when asked for.

use super::source::Seekable;
use super::{Problem, Source};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read as _;
use std::path::Path;

/// Most entries of an archive.
const MAX_ENTRIES: usize = 50_000;
/// Most bytes of one entry, unpacked.
const MAX_ENTRY: u64 = 64 << 20;
/// Most bytes of all entries together, unpacked.
const MAX_TOTAL: u64 = 512 << 20;
/// Deepest folder.
const MAX_DEPTH: usize = 16;

/// An archive and the names in it.
pub struct Archive {
    source: Source,
    zip: Option<zip::ZipArchive<Box<dyn Seekable>>>,
    /// Name with `/` between its parts → index in the archive.
    entries: BTreeMap<String, usize>,
    refused: Vec<Problem>,
    left: u64,
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("source", &self.source).field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Archive {
    /// Whether a source is a zip archive or a folder.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_one(source: &Source) -> Result<bool, Problem> {
        if source.folder().is_some() {
            return Ok(true);
        }
        let mut start = Vec::new();
        source.open()?.take(4).read_to_end(&mut start).map_err(|error| source.unreadable(&error))?;
        Ok(start == b"PK\x03\x04" || start == b"PK\x05\x06")
    }

    /// Reads the list of entries.
    ///
    /// # Errors
    /// When the archive is cut off, damaged, or has too many entries.
    pub fn open(source: &Source) -> Result<Self, Problem> {
        let mut archive = Self { source: source.clone(), zip: None, entries: BTreeMap::new(), refused: Vec::new(), left: MAX_TOTAL };
        if let Some(folder) = source.folder() {
            archive.list_folder(folder, "", 0)?;
            return Ok(archive);
        }
        let zip = zip::ZipArchive::new(source.open()?)
            .map_err(|error| source.problem(0, format!("the zip archive cannot be read: {error}; it may be cut off: export it again")))?;
        if zip.len() > MAX_ENTRIES {
            return Err(source.problem(0, format!("the archive has {} entries; {MAX_ENTRIES} are the most", zip.len())));
        }
        for index in 0..zip.len() {
            let name = zip.name_for_index(index).and_then(Result::ok).unwrap_or_default().replace('\\', "/");
            if name.ends_with('/') || name.starts_with("__MACOSX/") {
                continue;
            }
            archive.enlist(name, index);
        }
        archive.zip = Some(zip);
        Ok(archive)
    }

    fn enlist(&mut self, name: String, index: usize) {
        let outside = name.starts_with('/') || name.split('/').any(|part| part == ".." || part.contains(':')) || name.contains('\0');
        let place = self.entry_name(&name);
        let mut refuse = |message: &str| self.refused.push(Source::bytes(&place, Vec::new()).problem(0, message));
        if outside {
            return refuse("the entry's name leads out of the archive; it is not read");
        }
        match self.entries.entry(name) {
            Entry::Occupied(_) => refuse("the archive has two entries of this name; the first is read"),
            Entry::Vacant(free) => {
                free.insert(index);
            }
        }
    }

    fn list_folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), Problem> {
        let unreadable = |source: &Source, error: &std::io::Error| source.unreadable(error);
        for entry in std::fs::read_dir(folder).map_err(|error| unreadable(&self.source, &error))? {
            let entry = entry.map_err(|error| unreadable(&self.source, &error))?;
            let kind = entry.file_type().map_err(|error| unreadable(&self.source, &error))?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if kind.is_dir() && depth < MAX_DEPTH {
                self.list_folder(&entry.path(), &format!("{name}/"), depth + 1)?;
            } else if kind.is_file() {
                self.entries.insert(name, 0);
            }
            if self.entries.len() > MAX_ENTRIES {
                return Err(self.source.problem(0, format!("the folder has more than {MAX_ENTRIES} files")));
            }
        }
        Ok(())
    }

    /// Names of the entries, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Entries that are not read, and why; given once.
    pub fn refused(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.refused)
    }

    /// The name of an entry in reports.
    #[must_use]
    pub fn entry_name(&self, name: &str) -> String {
        format!("{}/{name}", self.source.name().trim_end_matches('/'))
    }

    /// An entry as a source of its own.
    ///
    /// # Errors
    /// When there is no such entry, it is damaged, encrypted or too large.
    pub fn read(&mut self, name: &str) -> Result<Source, Problem> {
        let full = self.entry_name(name);
        let wrong = |message: String| Source::bytes(&full, Vec::new()).problem(0, message);
        let Some(index) = self.entries.get(name) else { return Err(wrong("there is no such entry in the archive".to_owned())) };
        let Some(zip) = &mut self.zip else {
            let folder = self.source.folder().map(Path::to_owned).unwrap_or_default();
            return Ok(Source::file(&folder.join(name)));
        };
        let entry = zip.by_index(*index).map_err(|error| wrong(format!("the entry cannot be read: {error}")))?;
        let limit = MAX_ENTRY.min(self.left);
        let mut bytes = Vec::new();
        entry.take(limit + 1).read_to_end(&mut bytes).map_err(|error| wrong(format!("the entry is damaged: {error}; export it again")))?;
        if bytes.len() as u64 > limit {
            return Err(wrong(format!(
                "the entry unpacks to more than {} MiB, or all entries to more than {} MiB; it is not read",
                MAX_ENTRY >> 20,
                MAX_TOTAL >> 20
            )));
        }
        self.left -= bytes.len() as u64;
        Ok(Source::bytes(&full, bytes))
    }
}
