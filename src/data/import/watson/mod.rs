//! Watson Assistant: a workspace or skill as JSON, or its intents and entities as CSV.

mod tables;
mod workspace;

use super::{Confidence, Importer, Problem, Sample, Sink, Source};

/// Workspaces of Watson Assistant.
#[derive(Debug)]
pub struct Watson;

impl Importer for Watson {
    fn name(&self) -> &'static str {
        "watson"
    }

    fn about(&self) -> &'static str {
        "Watson Assistant workspace or skill (JSON), or its intents or entities (CSV without column names)"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let shape = &sample.shape;
        let places = ["", "workspace.", "skills[].workspace.", "dialog_skill.workspace."];
        let workspace = places.iter().any(|place| {
            let has = |path: &str| shape.has(&format!("{place}{path}"));
            (has("intents[].intent") && has("intents[].examples")) || has("entities[].values[].type")
        });
        let table = sample.extension == "csv" && tables::looks_like_one(&sample.columns());
        Confidence::Certain.when(workspace).max(Confidence::Possible.when(table))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let sample = Sample::of(source)?;
        if sample.shape.is_empty() { tables::read(source, sink) } else { workspace::read(source, sink) }
    }
}
