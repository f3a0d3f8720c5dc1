//! One thing that was found, and what kind of thing it is.

use crate::data::Place;
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Training refuses it, or an evaluation on it would be wrong.
    Error,
    /// Likely a slip.
    Warning,
}

impl Severity {
    /// Name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What kind of thing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// A line that is no row, or whose labels or offsets make no sense.
    Row,
    /// A split without an example.
    EmptySplit,
    /// A text that stands in two splits.
    Leak,
    /// A conversation that stands in two splits.
    ConversationLeak,
    /// A label that is in valid or test but not in train.
    UnseenLabel,
    /// One text with two labels.
    Conflict,
    /// The same row again.
    Duplicate,
    /// The same text but for case, punctuation or numbers.
    NearDuplicate,
    /// The same text but for the values of its entities.
    Template,
    /// Nearly the same text in another split, by an encoder's vectors.
    Similar,
    /// A label with too few examples.
    RareLabel,
    /// Labels that differ in case or separators only.
    LabelSpelling,
    /// Labels of which one has many times the examples of another.
    Imbalance,
    /// A text longer than an encoder reads.
    LongText,
}

impl FindingKind {
    /// Every kind, the worst first.
    pub const ALL: [Self; 14] = [
        Self::Row,
        Self::EmptySplit,
        Self::Leak,
        Self::ConversationLeak,
        Self::UnseenLabel,
        Self::Conflict,
        Self::Duplicate,
        Self::NearDuplicate,
        Self::Template,
        Self::Similar,
        Self::RareLabel,
        Self::LabelSpelling,
        Self::Imbalance,
        Self::LongText,
    ];

    /// Name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::EmptySplit => "empty-split",
            Self::Leak => "leak",
            Self::ConversationLeak => "conversation-leak",
            Self::UnseenLabel => "unseen-label",
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::NearDuplicate => "near-duplicate",
            Self::Template => "template",
            Self::Similar => "similar",
            Self::RareLabel => "rare-label",
            Self::LabelSpelling => "label-spelling",
            Self::Imbalance => "imbalance",
            Self::LongText => "long-text",
        }
    }

    /// How bad such a finding is.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Row | Self::EmptySplit | Self::Leak | Self::ConversationLeak | Self::UnseenLabel => Severity::Error,
            _ => Severity::Warning,
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// Where, if it has a place.
    pub place: Option<Place>,
    /// What.
    pub message: String,
}

impl Finding {
    /// Something at a place.
    #[must_use]
    pub fn at(kind: FindingKind, place: &Place, message: String) -> Self {
        Self { kind, place: Some(place.clone()), message }
    }

    /// Something about the data as a whole.
    #[must_use]
    pub fn overall(kind: FindingKind, message: String) -> Self {
        Self { kind, place: None, message }
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.kind.severity()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = self.severity().name();
        match &self.place {
            Some(place) => write!(f, "{place}: {severity}: {}", self.message),
            None => write!(f, "{severity}: {}", self.message),
        }
    }
}
