//! Order numbers. The word `order`, a `#`, or a reference word must stand before them, unless they have a shop's usual letter-dash-digits
//! form; bare digits without such a word are never taken.

mod words;

use super::surroundings::{before, continues, follows_one_of, joined};
use super::{Form, Hit, Pattern, ValueContext, date, surface};
use crate::text::Span;
use serde_json::Value;
use words::{OTHER_NUMBERS, OTHER_SERIES, VERB_LEADS};

/// `A-10293`, `ORD-55812`, `2024-000817`; the value is in upper case and has no `#`.
pub struct OrderNumber;

macro_rules! token {
    () => {
        "[A-Za-z0-9]{1,20}(?:[-_/][A-Za-z0-9]{1,20}|\\.[0-9]{2,20}){0,4}"
    };
}

static ORDER: Form = Form::new(concat!(
    "(?i:orders?|purchase)(?P<named>(?i: ?(?:no\\.?|nos\\.?|nr\\.?|num|numbers?|#|ids?|ref(?:erence)?s?\\.?|codes?))*)",
    "(?i:(?:['\u{2019}]s| is| was| are)?)[\\s:=#,(\"'\u{201c}\u{2018}\u{2013}-]{1,4}(?P<v>",
    token!(),
    ")"
));
static HASH: Form = Form::new(concat!("# ?(?P<v>", token!(), ")"));
static REFERENCE: Form =
    Form::new(concat!("(?i:ref(?:erence)?\\.?(?: (?:no\\.?|nr\\.?|number|id|code))?(?: is| was)?)[\\s:=#(\"'-]{1,4}(?P<v>", token!(), ")"));
static NUMBER: Form = Form::new(concat!("(?i:number|num)(?i:['\u{2019}]s| is| was)?[\\s:=#(\"'-]{1,4}(?P<v>", token!(), ")"));
static SHAPE: Form = Form::new("[A-Z]{1,4}-[0-9]{5,10}|ORD[-_][0-9]{4,10}|20[0-9]{2}-[0-9]{5,8}");
static TOKEN: Form = Form::new(token!());
static DECIMAL: Form = Form::new("[0-9]+\\.[0-9]+|[0-9]+[xX][0-9]+");
static MEASURE: Form = Form::new("[0-9]+[A-Za-z]{1,4}");
static COLOUR: Form = Form::new("[0-9a-f]{6}|[0-9A-F]{6}");

/// How sure the word before makes it that an order number follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cue {
    /// `order no`, `#`, `ref`.
    Named,
    /// Only `order`.
    Mentioned,
}

impl Pattern for OrderNumber {
    fn label(&self) -> &'static str {
        "order_number"
    }

    fn forms(&self) -> Vec<&'static Form> {
        vec![&ORDER, &HASH, &REFERENCE, &NUMBER, &SHAPE, &TOKEN, &DECIMAL, &MEASURE, &COLOUR]
    }

    fn find(&self, text: &str) -> Vec<Span> {
        let mut spans: Vec<Span> = [ordered(text), hashed(text), referred(text), numbered(text), shaped(text)].concat();
        for place in 0..spans.len() {
            spans.extend(spans.get(place).and_then(|span| next_in_list(text, *span)));
        }
        spans
    }

    fn value(&self, surface: &str, _context: &ValueContext) -> Option<Value> {
        let number = surface::plain(surface);
        let number = number.trim_start_matches(['#', ' ']);
        let written = number.chars().all(|c| c.is_alphanumeric() || "-_/. ".contains(c));
        (written && digits(number) > 0).then(|| number.to_uppercase().into())
    }
}

fn ordered(text: &str) -> Vec<Span> {
    let cue = |hit: &Hit| {
        let gap = Span { start: hit.all.start, end: hit.entity.start }.slice(text);
        let named = gap.contains('#')
            || gap.split(|c: char| c.is_whitespace() || c == ':').nth(1).is_some_and(|word| word.chars().any(char::is_alphabetic));
        if named { Cue::Named } else { Cue::Mentioned }
    };
    let verb = |hit: &Hit| follows_one_of(text, hit.all.start, VERB_LEADS);
    let mut hits = ORDER.hits(text);
    hits.retain(|hit| is_number(text, hit.entity, cue(hit)) && (cue(hit) == Cue::Named || !verb(hit)));
    hits.into_iter().map(|hit| hit.entity).collect()
}

fn hashed(text: &str) -> Vec<Span> {
    let mut hits = HASH.hits(text);
    hits.retain(|hit| {
        let token = hit.entity.slice(text);
        let coloured = COLOUR.is(token) && token.chars().any(char::is_alphabetic);
        is_number(text, hit.entity, Cue::Named) && !coloured && !follows_one_of(text, hit.all.start, OTHER_NUMBERS)
    });
    hits.into_iter().map(|hit| hit.entity).collect()
}

fn referred(text: &str) -> Vec<Span> {
    let mut hits = REFERENCE.hits(text);
    hits.retain(|hit| is_number(text, hit.entity, Cue::Named) && !follows_one_of(text, hit.all.start, OTHER_NUMBERS));
    hits.into_iter().map(|hit| hit.entity).collect()
}

/// `my order … its number is 55120`: the word `number` serves where an order was spoken of shortly before.
fn numbered(text: &str) -> Vec<Span> {
    let mut hits = NUMBER.hits(text);
    hits.retain(|hit| {
        let spoken = before(text, hit.all.start, 80).to_lowercase().contains("order");
        let telephone = hit.entity.slice(text).starts_with('0');
        spoken && !telephone && is_number(text, hit.entity, Cue::Mentioned) && !follows_one_of(text, hit.all.start, OTHER_NUMBERS)
    });
    hits.into_iter().map(|hit| hit.entity).collect()
}

fn shaped(text: &str) -> Vec<Span> {
    let mut spans = SHAPE.spans(text);
    spans.retain(|span| !joined(text, *span) && !span.slice(text).split('-').next().is_some_and(|series| OTHER_SERIES.contains(&series)));
    spans
}

/// `30877 and 30878`: what follows in the same shape.
fn next_in_list(text: &str, span: Span) -> Option<Span> {
    let rest = text.get(span.end..)?;
    let shape = |token: &str| -> String { token.chars().map(|c| if c.is_ascii_digit() { '9' } else { c.to_ascii_uppercase() }).collect() };
    let link = [", and ", ", ", " and ", " & ", " + ", " or "].into_iter().find(|link| rest.starts_with(link))?;
    let begin = link.len() + rest.get(link.len()..)?.chars().take_while(|c| *c == '#').count();
    let first = span.slice(text);
    let end = begin + first.len();
    let next = Span { start: span.end + begin, end: span.end + end };
    let alike = shape(first) == shape(rest.get(begin..end)?);
    let whole = !continues(text, next.end, true) && !joined(text, next);
    (alike && whole && (digits(first) >= 5 || first.contains('-'))).then_some(next)
}

fn digits(token: &str) -> usize {
    token.chars().filter(char::is_ascii_digit).count()
}

fn is_number(text: &str, span: Span, cue: Cue) -> bool {
    let token = span.slice(text);
    let mixed = token.chars().any(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '_' | '/'));
    let fewest = match (cue, mixed) {
        (Cue::Named, _) => 3,
        (Cue::Mentioned, true) => 4,
        (Cue::Mentioned, false) => 5,
    };
    let measure = cue == Cue::Mentioned && MEASURE.is(token);
    digits(token) >= fewest && !measure && !DECIMAL.is(token) && !date::is_numeric(token) && !joined(text, span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::{found, value};

    fn unique(text: &str) -> Vec<&str> {
        let mut seen = found(&OrderNumber, text);
        seen.sort_by_key(|s| s.as_ptr());
        seen.dedup();
        seen
    }

    #[test]
    fn a_cue_makes_an_order_number() {
        for (text, wanted) in [
            ("order #A-10293", vec!["A-10293"]),
            ("my order 4419027 is late", vec!["4419027"]),
            ("Order no. 123, order number: 9014-336", vec!["123", "9014-336"]),
            ("order W3381-07.", vec!["W3381-07"]),
            ("Order SO/2025/0917.", vec!["SO/2025/0917"]),
            ("cancel #31877 pls", vec!["31877"]),
            ("ref #NL-6650-21, paid", vec!["NL-6650-21"]),
            ("The reference is HG-48213.", vec!["HG-48213"]),
            ("where is my order? number is KX20418", vec!["KX20418"]),
            ("orders 30877 and 30878", vec!["30877", "30878"]),
            ("status of ORD-55812?", vec!["ORD-55812"]),
            ("it's 2024-000817\u{1f600}", vec!["2024-000817"]),
            ("\u{2764}\u{fe0f}A-10293", vec!["A-10293"]),
        ] {
            assert_eq!(unique(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_could_be_something_else_is_left() {
        for text in [
            "4419027",
            "I want to order 15000 flyers",
            "can I order RTX4090 cards",
            "order 2 mugs",
            "order 1000ml bottle",
            "order 10.99",
            "order 2024-05-01",
            "order from 2024",
            "border 1234567",
            "#2 is broken",
            "ticket #48213",
            "phone number 4419027",
            "my order, my phone number is 07700900461",
            "paint #ff0055",
            "ISO-27001",
            "tracking ref 4419027",
            "see shop/A-10293-B",
            "A-10293\u{301}",
        ] {
            assert_eq!(unique(text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn values_are_upper_case() {
        assert_eq!(value(&OrderNumber, "#a-10293"), Some("A-10293".into()));
        assert_eq!(value(&OrderNumber, "mh-002219"), Some("MH-002219".into()));
        assert_eq!(value(&OrderNumber, "my order"), None);
    }
}
