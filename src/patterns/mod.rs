//! Which entities have a fixed form? A text becomes order numbers, amounts, dates and the like, each with its normalised value, and
//! what the model found is joined with them.
//!
//! A label's form is one file and one line in [`PATTERNS`]. A form is a second witness, not a rival model: where a word could as well
//! be something else it stays silent, and the model decides.

mod date;
mod email;
mod entity;
mod form;
mod merge;
mod money;
mod numerals;
mod order_number;
mod overlap;
mod phone;
mod promo_code;
mod quantity;
mod surface;
mod surroundings;
#[cfg(test)]
mod testing;
mod tracking_number;

pub use entity::{Entity, Source};
pub use form::{Form, Hit};
pub use merge::{PATTERN_SCORE, merge};

use crate::text::Span;
use serde_json::Value;

/// What resolving a value may depend on.
#[derive(Debug, Clone)]
pub struct ValueContext {
    /// When the message was written, in the customer's time zone; relative dates have no value without it.
    pub now: Option<jiff::Zoned>,
    /// ISO 3166 alpha-2 country, for national telephone numbers, the order of day and month, and signs that currencies share.
    pub region: Option<String>,
}

/// One hit of a pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternMatch {
    /// The label of the schema.
    pub label: &'static str,
    /// Where it stands, without cue words.
    pub span: Span,
    /// Normalised; none when the context does not tell what the words mean.
    pub value: Option<Value>,
}

/// A label's fixed form.
pub trait Pattern: Sync {
    /// The label of the schema.
    fn label(&self) -> &'static str;

    /// Where the form occurs, whoever writes and whenever. The spans may overlap.
    fn find(&self, text: &str) -> Vec<Span>;

    /// What a surface means; none when it does not parse, or when only an absent context could tell.
    fn value(&self, surface: &str, context: &ValueContext) -> Option<Value>;

    /// Every expression the pattern uses.
    fn forms(&self) -> Vec<&'static Form>;

    /// Where the form occurs once the context is known; as [`Pattern::find`] unless the form depends on it.
    fn find_in(&self, text: &str, _context: &ValueContext) -> Vec<Span> {
        self.find(text)
    }

    /// Whether this surface can be nothing else, so that it stands against any other label of the model.
    fn is_certain(&self, _surface: &str) -> bool {
        false
    }

    /// Whether the form tells the entity's ends exactly, so that its span replaces the model's of the same label.
    fn has_exact_ends(&self) -> bool {
        true
    }
}

/// All forms; of two that match the same place equally long, the first wins.
pub const PATTERNS: &[&dyn Pattern] = &[
    &email::Email,
    &tracking_number::TrackingNumber,
    &phone::Phone,
    &money::Money,
    &date::Date,
    &promo_code::PromoCode,
    &order_number::OrderNumber,
    &quantity::Quantity,
];

/// All hits in a text, sorted, no overlaps: the longer wins, then the order of [`PATTERNS`].
///
/// ```
/// use hearken::patterns::{find_all, ValueContext};
/// let context = ValueContext { now: None, region: None };
/// let text = "order #A-10293: where are my $49.90?";
/// let hits = find_all(text, &context);
/// assert_eq!(hits[0].span.slice(text), "A-10293");
/// assert_eq!(hits[1].value, Some(serde_json::json!({"amount": "49.90", "currency": "USD"})));
/// ```
#[must_use]
pub fn find_all(text: &str, context: &ValueContext) -> Vec<PatternMatch> {
    find_known(text, &[], context)
}

/// [`find_all`] of the labels in `known`, or of all where it is empty.
fn find_known(text: &str, known: &[String], context: &ValueContext) -> Vec<PatternMatch> {
    let wanted = |label: &str| known.is_empty() || known.iter().any(|name| name == label);
    let hits: Vec<(&dyn Pattern, Span)> = PATTERNS
        .iter()
        .filter(|pattern| wanted(pattern.label()))
        .flat_map(|&pattern| pattern.find_in(text, context).into_iter().map(move |span| (pattern, span)))
        .collect();
    overlap::longest_wins(hits, |(_, span)| *span)
        .into_iter()
        .map(|(pattern, span)| PatternMatch { label: pattern.label(), span, value: pattern.value(span.slice(text), context) })
        .collect()
}

/// Normalised value of a span that the model found; none if the label has no fixed form or the surface does not parse.
#[must_use]
pub fn value_of(label: &str, surface: &str, context: &ValueContext) -> Option<Value> {
    pattern_of(label)?.value(surface, context)
}

fn pattern_of(label: &str) -> Option<&'static dyn Pattern> {
    PATTERNS.iter().copied().find(|pattern| pattern.label() == label)
}

#[cfg(test)]
mod tests {
    use super::testing::{HOSTILE, context, context_in};
    use super::*;
    use serde_json::json;
    use std::time::{Duration, Instant};

    #[test]
    fn every_form_compiles() {
        for pattern in PATTERNS {
            for (place, form) in pattern.forms().iter().enumerate() {
                assert!(form.compiles(), "{} form {place}", pattern.label());
            }
        }
    }

    #[test]
    fn labels_are_unique() {
        for (place, pattern) in PATTERNS.iter().enumerate() {
            assert!(PATTERNS.iter().skip(place + 1).all(|other| other.label() != pattern.label()), "{}", pattern.label());
        }
    }

    #[test]
    fn hits_are_sorted_and_apart() {
        let text = "hi \u{1f600} order #A-10293 from last Monday, $49.90, 2x, track RR123456785GB, mail a@b.co, call +44 7700 900915";
        let hits = find_all(text, &context());
        let seen: Vec<(&str, &str)> = hits.iter().map(|hit| (hit.label, hit.span.slice(text))).collect();
        assert_eq!(
            seen,
            [
                ("order_number", "A-10293"),
                ("date", "last Monday"),
                ("money", "$49.90"),
                ("quantity", "2"),
                ("tracking_number", "RR123456785GB"),
                ("email", "a@b.co"),
                ("phone", "+44 7700 900915"),
            ]
        );
        assert!(hits.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
    }

    #[test]
    fn the_longer_hit_wins_then_the_table() {
        for (text, wanted) in [
            ("order 2024-05-01", vec![("date", "2024-05-01")]),
            ("order RR123456785GB", vec![("tracking_number", "RR123456785GB")]),
            ("order A-10293@example.com", vec![("email", "A-10293@example.com")]),
        ] {
            let seen: Vec<(&str, &str)> = find_all(text, &context()).iter().map(|hit| (hit.label, hit.span.slice(text))).collect();
            assert_eq!(seen, wanted, "{text}");
        }
    }

    #[test]
    fn a_models_surface_has_a_value() {
        assert_eq!(value_of("quantity", "a dozen", &context()), Some(json!(12)));
        assert_eq!(value_of("date", "2024-05-01", &context()), Some(json!({"date": "2024-05-01"})));
        assert_eq!(value_of("product", "kettle", &context()), None);
        assert_eq!(value_of("money", "a fortune", &context()), None);
    }

    #[test]
    fn no_text_breaks_a_pattern() {
        for text in HOSTILE {
            for context in [context(), context_in("GB"), context_in("AQ"), context_in("\u{e9}")] {
                for hit in find_all(text, &context) {
                    assert!(!hit.span.slice(text).is_empty(), "{text:?} {hit:?}");
                }
                for pattern in PATTERNS {
                    let _ = pattern.value(text, &context);
                    let _ = pattern.is_certain(text);
                }
            }
        }
    }

    #[test]
    fn long_runs_cost_linear_time() {
        for unit in
            ["7", "1 ", "+1 ", "0 ", "$1", "1,", "1.", "a@", "order ", "#1 ", "1x", "by ", "1/1/", "code A1", "RR1", "1Z", "-", "\u{301}"]
        {
            let text = unit.repeat(16_000 / unit.len());
            let started = Instant::now();
            let _ = find_all(&text, &context_in("GB"));
            assert!(started.elapsed() < Duration::from_secs(3), "{unit:?} took {:?}", started.elapsed());
        }
    }
}
