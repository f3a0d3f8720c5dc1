//! How do rows become other systems' files? One exporter a format, each in a file of its own and with one line in [`EXPORTERS`].
//! Every exporter reads its own output back: what its format cannot say exactly is reported and left out, never bent.

mod conll;
mod jsonl;
mod rasa;

use super::import::{Imported, Problem};
use std::io;

/// A format that can be written.
pub trait Exporter: Sync {
    /// Name on the command line.
    fn name(&self) -> &'static str;

    /// One line about what it writes, for the list.
    fn about(&self) -> &'static str;

    /// Writes rows and gives those that the format cannot say.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn write(&self, rows: &[Imported], out: &mut dyn io::Write) -> io::Result<Vec<Problem>>;
}

/// Every format, in the order of the list.
pub const EXPORTERS: &[&dyn Exporter] = &[&jsonl::Jsonl, &rasa::Nlu, &conll::Conll];

/// The exporter of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Exporter> {
    EXPORTERS.iter().copied().find(|exporter| exporter.name() == name)
}
