//! hearken's own rows, one JSON object a line.

use super::json::{Part, records};
use super::{Confidence, Imported, Importer, Problem, Sample, Sink, Source};
use crate::conversation::Role;
use crate::data::Row;

/// Rows as a data directory has them.
#[derive(Debug)]
pub struct Jsonl;

/// Fields by which a row is known.
const FIELDS: [&str; 8] = ["intent", "entities[].label", "sentiment", "emotions", "context[].role", "conversation", "speaker", "escalate"];

impl Importer for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn about(&self) -> &'static str {
        "hearken's own rows, one JSON object a line: text, intent, entities, sentiment, emotions, context, …"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let shape = &sample.shape;
        let known = FIELDS.iter().any(|field| shape.has(field));
        let other = ["label", "traits", "entities[].entity"].iter().any(|field| shape.has(field));
        if shape.has("text") && known && !other { Confidence::Likely } else { Confidence::Possible.when(shape.has("text")) }
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let split = source.split_by_name();
        records(source, &mut |part| match part.and_then(|part: Part<'_>| Ok((part.line, part.parse::<Row>()?))) {
            Ok((_, row)) if row.speaker.is_some_and(|speaker| speaker != Role::Customer) => {}
            Ok((line, row)) => sink.row(Imported { split, ..Imported::new(source, line, row) }),
            Err(problem) => sink.problem(problem),
        })
    }
}
