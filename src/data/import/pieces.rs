//! A text put together of pieces, some of which are entities; and entities from offsets in other units.

use crate::data::Row;
use crate::data::row::RowEntity;
use crate::text::{OffsetUnit, Span};

/// What an entity is: its label, and its role where the label has several uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The label.
    pub label: String,
    /// The role.
    pub role: Option<String>,
}

impl Label {
    /// The label of a slot. Where the slot's type is the user's own, the type is the label and the slot's name the role; a type that
    /// the platform brings along, such as a number, says less than the slot's name, which then is the label.
    #[must_use]
    pub fn of_slot(slot: &str, kind: &str, built_in: bool) -> Self {
        let (label, role) = match (slot, kind) {
            (slot, kind) if built_in || kind.is_empty() => (if slot.is_empty() { kind } else { slot }, None),
            (slot, kind) => (kind, Some(slot).filter(|slot| !slot.is_empty() && *slot != kind)),
        };
        Self { label: label.to_owned(), role: role.map(str::to_owned) }
    }
}

/// A text that grows, and its entities.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    text: String,
    length: usize,
    entities: Vec<RowEntity>,
}

impl Pieces {
    /// Adds a text.
    pub fn text(&mut self, text: &str) {
        self.text.push_str(text);
        self.length += text.chars().count();
    }

    /// Adds an entity; white space at its ends is text.
    pub fn entity(&mut self, text: &str, label: Label) {
        let inside = text.trim();
        let before = text.chars().take_while(|c| c.is_whitespace()).count();
        if !inside.is_empty() {
            let start = self.length + before;
            let entity = RowEntity::new(start, start + inside.chars().count(), label.label);
            self.entities.push(RowEntity { role: label.role, ..entity });
        }
        self.text(text);
    }

    /// The row so far; entities are unknown where there are none.
    #[must_use]
    pub fn row(self, intent: Option<String>) -> Row {
        let entities = Some(self.entities).filter(|entities| !entities.is_empty());
        Row { text: self.text, intent, entities, ..Row::default() }
    }
}

/// An entity between two offsets in `unit`, in code points; white space at its ends is left out.
///
/// # Errors
/// A sentence, when the offsets are no place in the text.
pub fn located(text: &str, (start, end): (usize, usize), unit: OffsetUnit, label: Label) -> Result<RowEntity, String> {
    let span = Span::from_offsets(text, start, end, unit).map_err(|error| format!("entity `{}`: {error}", label.label))?;
    let slice = span.slice(text);
    let trimmed = Span { start: span.start + slice.len() - slice.trim_start().len(), end: span.start + slice.trim_end().len() };
    if trimmed.is_empty() {
        return Err(format!("entity `{}`: there is only white space from {start} to {end}", label.label));
    }
    let (start, end) = trimmed.offsets(text, OffsetUnit::Codepoint);
    Ok(RowEntity { role: label.role, ..RowEntity::new(start, end, label.label) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_of_other_units_become_code_points() {
        let text = "\u{1f600} to  Oslo ";
        let label = || Label::of_slot("to", "city", false);
        let wanted = RowEntity { role: Some("to".into()), ..RowEntity::new(6, 10, "city") };
        assert_eq!(located(text, (5, 12), OffsetUnit::Utf16, label()), Ok(wanted.clone()));
        assert_eq!(located(text, (4, 11), OffsetUnit::Codepoint, label()), Ok(wanted));
        assert!(located(text, (1, 4), OffsetUnit::Utf16, label()).unwrap_err().contains("offset 1 falls inside a character"));
        assert!(located(text, (0, 99), OffsetUnit::Utf16, label()).unwrap_err().contains("beyond"));
        assert!(located(text, (5, 6), OffsetUnit::Utf16, label()).unwrap_err().contains("white space"));
    }

    #[test]
    fn pieces_keep_count() {
        let mut pieces = Pieces::default();
        pieces.text("\u{e9} ");
        pieces.entity(" two ", Label::of_slot("n", "number", true));
        assert_eq!(pieces.row(None).entities, Some(vec![RowEntity::new(3, 6, "n")]));
    }
}
