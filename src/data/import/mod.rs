//! How do other systems' files become rows? One importer a format, each in a file or folder of its own and with one line in
//! [`IMPORTERS`]. An importer reads a [`Source`] and gives a [`Sink`] rows and problems; a thing that cannot be read never stops
//! the rest.

mod archive;
mod bitext;
mod clu;
mod conll;
mod dialogflow;
mod huggingface;
pub mod json;
mod jsonl;
mod lex;
mod lexicon;
mod lines;
mod pieces;
mod problem;
mod rasa;
mod run;
mod sample;
mod shape;
mod sink;
mod snips;
mod source;
pub mod table;
mod talk;
mod transcripts;
mod watson;
mod wit;
pub mod yaml;

pub use archive::Archive;
pub use conll::{Tagged, spans};
pub use huggingface::label_names;
pub use lexicon::Lexicon;
pub use lines::{Line, Lines, MAX_LINE};
pub use pieces::{Label, Pieces, located};
pub use problem::Problem;
pub use rasa::{Annotated, annotated};
pub use run::{import, recognise};
pub use sample::{Confidence, Sample};
pub use shape::Shape;
pub use sink::{Imported, Receiver, Settings, Sink};
pub use source::{MAX_DOCUMENT, Source};
pub use talk::Talk;

/// A format that can be read.
pub trait Importer: Sync {
    /// Name on the command line.
    fn name(&self) -> &'static str;

    /// One line about what it reads, for the list.
    fn about(&self) -> &'static str;

    /// How sure it is that the source is in this format.
    fn detect(&self, sample: &Sample) -> Confidence;

    /// Reads a source.
    ///
    /// # Errors
    /// When nothing more can be read from the source. What is wrong with a part of it goes to the sink.
    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem>;
}

/// Every format, in the order of the list.
pub const IMPORTERS: &[&dyn Importer] = &[
    &rasa::Nlu,
    &rasa::Tracker,
    &dialogflow::Dialogflow,
    &lex::Lex,
    &watson::Watson,
    &clu::Clu,
    &snips::Snips,
    &wit::Wit,
    &conll::Conll,
    &huggingface::HuggingFace,
    &bitext::Bitext,
    &jsonl::Jsonl,
    &transcripts::Chatwoot,
    &transcripts::Intercom,
    &transcripts::ZendeskChat,
    &transcripts::ZendeskTickets,
    &transcripts::ContactLens,
    &transcripts::CxInsights,
    &transcripts::Vcon,
    &transcripts::Transcript,
];

/// The importer of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Importer> {
    IMPORTERS.iter().copied().find(|importer| importer.name() == name)
}

/// Every importer's name, for messages.
#[must_use]
pub fn names() -> String {
    IMPORTERS.iter().map(|importer| importer.name()).collect::<Vec<_>>().join(", ")
}
