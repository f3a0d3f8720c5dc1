//! From sources to rows: tells the format of each source and lets its importer read it.

use super::{Confidence, IMPORTERS, Importer, Lexicon, Problem, Receiver, Sample, Settings, Sink, Source, names};

/// The importer for a source whose format is not named.
///
/// # Errors
/// When the source cannot be read, its format is not known, or several fit equally well.
pub fn recognise(source: &Source) -> Result<&'static dyn Importer, Problem> {
    let sample = Sample::of(source)?;
    let scored: Vec<_> = IMPORTERS.iter().map(|importer| (importer.detect(&sample), *importer)).collect();
    let best = scored.iter().map(|(confidence, _)| *confidence).max().unwrap_or(Confidence::No);
    if best == Confidence::No {
        return Err(source.problem(0, format!("the format is not known; name one of {}", names())));
    }
    let mut fitting = scored.into_iter().filter(|(confidence, _)| *confidence == best).map(|(_, importer)| importer);
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (first, second) => {
            let all: Vec<_> = first.into_iter().chain(second).chain(fitting).map(Importer::name).collect();
            Err(source.problem(0, format!("the format may be any of {}; name one", all.join(", "))))
        }
    }
}

/// Reads sources, each with its importer, and gives what they say beside their rows.
pub fn import(sources: &[(Source, &dyn Importer)], settings: &Settings, receiver: &mut dyn Receiver) -> Lexicon {
    let mut sink = Sink::new(receiver, settings);
    for (source, importer) in sources {
        if let Err(problem) = importer.read(source, &mut sink) {
            sink.problem(problem);
        }
    }
    sink.finish()
}
