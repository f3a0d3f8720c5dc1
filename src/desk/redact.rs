//! Masking what must not be stored: an entity becomes its label in brackets.

use crate::heads::Prediction;
use crate::text::Span;

/// Labels that name people or things of theirs.
pub const PERSONAL: [&str; 6] = ["person", "email", "phone", "location", "order_number", "tracking_number"];

/// The text with masked entities, and the prediction with its spans where they are then.
#[must_use]
pub fn masked(text: &str, mut prediction: Prediction, labels: &[String]) -> (String, Prediction) {
    if labels.is_empty() {
        return (text.to_owned(), prediction);
    }
    let mut out = String::with_capacity(text.len());
    let mut read = 0;
    for entity in prediction.entities.iter_mut().flatten() {
        let Span { start, end } = entity.span;
        out.push_str(text.get(read..start).unwrap_or_default());
        let begin = out.len();
        if labels.contains(&entity.label) {
            out.push('[');
            out.push_str(&entity.label);
            out.push(']');
            entity.value = None;
        } else {
            out.push_str(entity.span.slice(text));
        }
        entity.span = Span { start: begin, end: out.len() };
        read = end;
    }
    out.push_str(text.get(read..).unwrap_or_default());
    (out, prediction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::{Entity, Source};

    #[test]
    fn what_is_personal_goes_and_the_other_spans_follow() {
        let text = "I'm Zoë, order A-1 is the blue lamp";
        let entity = |label: &str, word: &str| {
            let start = text.find(word).unwrap();
            let span = Span { start, end: start + word.len() };
            Entity { label: label.to_owned(), span, score: 1.0, source: Source::Model, value: Some(word.into()) }
        };
        let entities = vec![entity("person", "Zoë"), entity("order_number", "A-1"), entity("color", "blue")];
        let prediction = Prediction { entities: Some(entities), ..Prediction::default() };
        let (out, prediction) = masked(text, prediction, &PERSONAL.map(str::to_owned));
        assert_eq!(out, "I'm [person], order [order_number] is the blue lamp");
        let entities = prediction.entities.unwrap();
        assert_eq!(entities.iter().map(|entity| entity.span.slice(&out)).collect::<Vec<_>>(), ["[person]", "[order_number]", "blue"]);
        assert_eq!(entities[0].value, None);
        assert_eq!(entities[2].value, Some("blue".into()));
    }
}
