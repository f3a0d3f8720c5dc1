//! The model's spans and the forms', joined: one winner per place.
//!
//! Under one label the two confirm each other. Under two, a surface that can be nothing else beats the model, and otherwise the model
//! decides where it is reasonably sure.

use super::overlap::first_wins;
use super::{Entity, Pattern, PatternMatch, Source, ValueContext, find_known, pattern_of, value_of};
use crate::text::Span;
use std::cmp::Ordering;

/// The score of an entity that only a form found: forms are silent where in doubt, so nearly certain.
pub const PATTERN_SCORE: f32 = 0.99;

/// From this score on the model stands against a form that could be wrong.
const MODEL_STANDS: f32 = 0.6;

/// Joins what the model found in `text` with what the forms find there; sorted, no overlaps.
///
/// `known` are the labels that the model has: a form adds no other, unless `known` is empty. Every entity has the value of its final span.
#[must_use]
pub fn merge(text: &str, model: Vec<Entity>, known: &[String], context: &ValueContext) -> Vec<Entity> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut open: Vec<(Entity, bool)> = by_score(model, text).into_iter().map(|entity| (entity, true)).collect();
    for hit in find_known(text, known, context) {
        candidates.extend(confronted(text, &hit, &mut open));
    }
    candidates.extend(open.into_iter().filter(|(_, standing)| *standing).map(|(entity, _)| Candidate { certain: false, entity }));
    candidates.sort_by(Candidate::strongest_first);
    let mut entities = first_wins(candidates, |candidate| candidate.entity.span);
    for candidate in &mut entities {
        let entity = &mut candidate.entity;
        entity.value = value_of(&entity.label, entity.span.slice(text), context);
    }
    entities.into_iter().map(|candidate| candidate.entity).collect()
}

/// An entity that may still lose its place to another.
struct Candidate {
    certain: bool,
    entity: Entity,
}

impl Candidate {
    fn strongest_first(&self, other: &Self) -> Ordering {
        let rank = |candidate: &Self| (candidate.certain, candidate.entity.source != Source::Pattern);
        rank(other).cmp(&rank(self)).then(other.entity.score.total_cmp(&self.entity.score)).then(self.entity.span.cmp(&other.entity.span))
    }
}

/// The model's entities that fit the text, the most probable of what overlaps.
fn by_score(mut model: Vec<Entity>, text: &str) -> Vec<Entity> {
    model.retain(|entity| !entity.span.slice(text).is_empty());
    model.sort_by(|a, b| b.score.total_cmp(&a.score));
    first_wins(model, |entity| entity.span)
}

/// What becomes of a hit among the model's entities. Those that it confirms or beats no longer stand.
fn confronted(text: &str, hit: &PatternMatch, model: &mut [(Entity, bool)]) -> Option<Candidate> {
    let pattern = pattern_of(hit.label)?;
    let certain = pattern.is_certain(hit.span.slice(text));
    let from = model.partition_point(|(entity, _)| entity.span.end <= hit.span.start);
    let to = model.partition_point(|(entity, _)| entity.span.start < hit.span.end);
    let touched = model.get_mut(from..to)?;
    if !certain && touched.iter().any(|(entity, standing)| *standing && entity.label != hit.label && entity.score >= MODEL_STANDS) {
        return None;
    }
    let mut allies: Option<(Span, f32)> = None;
    for (entity, standing) in touched {
        *standing = false;
        if entity.label == hit.label {
            let (span, score) = allies.unwrap_or((entity.span, entity.score));
            allies = Some((Span { start: span.start.min(entity.span.start), end: span.end.max(entity.span.end) }, score.max(entity.score)));
        }
    }
    let (span, score, source) = match allies {
        Some((span, score)) => (ends(pattern, hit.span, span), score, Source::Both),
        None => (hit.span, PATTERN_SCORE, Source::Pattern),
    };
    Some(Candidate { certain, entity: Entity { label: hit.label.to_owned(), span, score, source, value: None } })
}

/// The ends of an entity that both found: the form's where it tells them exactly or covers all that the model marked.
fn ends(pattern: &dyn Pattern, form: Span, model: Span) -> Span {
    let covers = form.start <= model.start && model.end <= form.end;
    if covers || pattern.has_exact_ends() { form } else { model }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::context;
    use serde_json::{Value, json};

    fn entity(text: &str, label: &str, surface: &str, score: f32) -> Entity {
        let start = text.find(surface).unwrap();
        Entity { label: label.into(), span: Span { start, end: start + surface.len() }, score, source: Source::Model, value: None }
    }

    type Row<'t> = (String, &'t str, Source);

    fn merged<'t>(text: &'t str, model: &[(&str, &str, f32)]) -> Vec<Row<'t>> {
        let model = model.iter().map(|(label, surface, score)| entity(text, label, surface, *score)).collect();
        let entities = merge(text, model, &[], &context());
        assert!(entities.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start), "{entities:?}");
        entities.iter().map(|e| (e.label.clone(), e.span.slice(text), e.source)).collect()
    }

    fn row<'t>(label: &str, surface: &'t str, source: Source) -> Row<'t> {
        (label.to_owned(), surface, source)
    }

    #[test]
    fn the_same_label_is_one_entity() {
        use Source::{Both, Model, Pattern};
        for (text, model, wanted) in [
            ("order #A-10293", vec![("order_number", "#A-10293", 0.9)], vec![row("order_number", "A-10293", Both)]),
            ("pay $49.90", vec![("money", "$", 0.5), ("money", "49", 0.7)], vec![row("money", "$49.90", Both)]),
            (
                "late since last Monday morning at 9",
                vec![("date", "last Monday morning at 9", 0.9)],
                vec![row("date", "last Monday morning at 9", Both)],
            ),
            ("come by Friday", vec![("date", "Friday", 0.9)], vec![row("date", "by Friday", Both)]),
            ("two mugs", vec![("quantity", "two", 0.9)], vec![row("quantity", "two", Model)]),
            ("$5 and $10", vec![("money", "$5 and $10", 0.9)], vec![row("money", "$5", Both), row("money", "$10", Both)]),
            ("today", vec![], vec![row("date", "today", Pattern)]),
        ] {
            assert_eq!(merged(text, &model), wanted, "{text}");
        }
    }

    #[test]
    fn between_two_labels_certainty_decides() {
        use Source::{Model, Pattern};
        for (text, model, wanted) in [
            ("mail a@b.co", vec![("person", "a@b", 0.99)], vec![row("email", "a@b.co", Pattern)]),
            (
                "is RR123456785GB there",
                vec![("order_number", "RR123456785GB", 0.99)],
                vec![row("tracking_number", "RR123456785GB", Pattern)],
            ),
            ("call +44 7700 900915", vec![("order_number", "7700", 0.9)], vec![row("phone", "+44 7700 900915", Pattern)]),
            ("pay \u{20ac}5", vec![("size", "5", 0.9)], vec![row("money", "\u{20ac}5", Pattern)]),
            ("order 4419027", vec![("tracking_number", "4419027", 0.8)], vec![row("tracking_number", "4419027", Model)]),
            ("order 4419027", vec![("tracking_number", "4419027", 0.5)], vec![row("order_number", "4419027", Pattern)]),
            ("5 quid", vec![("quantity", "5", 0.7)], vec![row("quantity", "5", Model)]),
        ] {
            assert_eq!(merged(text, &model), wanted, "{text}");
        }
    }

    #[test]
    fn scores_and_values_follow_the_winner() {
        let text = "order A-10293 today, 4 mugs";
        let model = vec![entity(text, "order_number", "A-10293", 0.7), entity(text, "quantity", "4", 0.8)];
        let entities = merge(text, model, &[], &context());
        let seen: Vec<(f32, Option<Value>)> = entities.iter().map(|e| (e.score, e.value.clone())).collect();
        assert_eq!(seen, [(0.7, Some(json!("A-10293"))), (PATTERN_SCORE, Some(json!({"date": "2026-11-18"}))), (0.8, Some(json!(4)))]);
    }

    #[test]
    fn a_form_adds_only_labels_the_model_has() {
        let text = "order A-10293 by a@b.co";
        let entities = merge(text, Vec::new(), &["email".to_owned()], &context());
        assert_eq!(entities.iter().map(|e| e.label.as_str()).collect::<Vec<_>>(), ["email"]);
    }

    #[test]
    fn strange_spans_of_a_model_do_no_harm() {
        let text = "\u{1f600} today";
        let odd = [(0, 0), (1, 3), (5, 99), (9, 4), (0, 10), (4, 10)];
        let model = odd.map(|(start, end)| Entity {
            label: "date".into(),
            span: Span { start, end },
            score: f32::NAN,
            source: Source::Model,
            value: None,
        });
        let entities = merge(text, model.to_vec(), &[], &context());
        assert_eq!(entities.len(), 1);
    }
}
