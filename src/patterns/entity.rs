//! An entity and where it was found.

use crate::text::Span;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where an entity was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Source {
    /// By the model alone.
    #[serde(rename = "model")]
    Model,
    /// By a fixed form alone.
    #[serde(rename = "pattern")]
    Pattern,
    /// By both, under the same label.
    #[serde(rename = "model+pattern")]
    Both,
}

/// A span of the model, or of the merge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// The label of the schema.
    pub label: String,
    /// Where it stands.
    pub span: Span,
    /// The model's probability, or [`super::PATTERN_SCORE`].
    pub score: f32,
    /// Who found it.
    pub source: Source,
    /// Normalised; none when the label has no fixed form or the words do not tell.
    pub value: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_have_their_wire_names() {
        for (source, wanted) in [(Source::Model, "model"), (Source::Pattern, "pattern"), (Source::Both, "model+pattern")] {
            assert_eq!(serde_json::to_value(source).unwrap(), wanted);
        }
    }
}
