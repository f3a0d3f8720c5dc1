//! Snips NLU: the YAML documents that people write, the JSON dataset made of them, and the JSON of the 2017 benchmark.

mod dataset;
mod documents;

use super::{Confidence, Importer, Problem, Sample, Sink, Source};

/// Datasets of Snips NLU.
#[derive(Debug)]
pub struct Snips;

impl Importer for Snips {
    fn name(&self) -> &'static str {
        "snips"
    }

    fn about(&self) -> &'static str {
        "Snips NLU datasets (YAML documents, or JSON with texts in chunks)"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let yaml = ["yml", "yaml"].contains(&sample.extension.as_str());
        let documents = yaml && (sample.has_line("type: intent") || sample.has_line("type: entity"));
        Confidence::Certain.when(documents || dataset::looks_like_one(&sample.text))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let json = Sample::of(source)?.text.trim_start().starts_with('{');
        if json { dataset::read(source, sink) } else { documents::read(source, sink) }
    }
}
