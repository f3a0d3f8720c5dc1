//! Counts of items in forms that count nothing else: `2x`, `x3`, `qty 4`, `a dozen`. A bare number is the model's to judge.

use super::numerals::{integer, numeral};
use super::surroundings::{after, before, follows_one_of, joined, precedes_one_of};
use super::{Form, Hit, Pattern, ValueContext, surface};
use crate::text::Span;
use serde_json::Value;

/// The value is an integer.
pub struct Quantity;

static TIMES_AFTER: Form = Form::new("(?P<v>[0-9]{1,3}) ?[x\u{d7}]");
static TIMES_BEFORE: Form = Form::new("[x\u{d7}] ?(?P<v>[0-9]{1,3})");
static NAMED: Form = Form::new("(?i:qty|quantity)(?i:\\.? ?(?:is|of|[:=-])? ?)(?P<v>[0-9]{1,4})");
static DOZENS: Form = Form::new(concat!("(?i:half a dozen|a dozen|", numeral!(), " dozen)"));
static SURFACE: Form =
    Form::new("(?:qty|quantity|x|\u{d7})?[ :=]*(?P<n>[0-9a-z][0-9a-z ,.-]*?)(?: ?[x\u{d7}]| (?:pcs|pieces?|units?|items?|of them))?");

/// What is multiplied but not bought.
const NOT_ITEMS: &[&str] = &[
    "zoom",
    "optical",
    "magnification",
    "faster",
    "slower",
    "better",
    "bigger",
    "more",
    "speed",
    "times",
    "people",
    "emails",
    "mails",
    "calls",
    "chats",
    "messages",
    "reasons",
    "attempts",
    "slot",
    "slots",
];

impl Pattern for Quantity {
    fn label(&self) -> &'static str {
        "quantity"
    }

    fn forms(&self) -> Vec<&'static Form> {
        vec![&TIMES_AFTER, &TIMES_BEFORE, &NAMED, &DOZENS, &SURFACE]
    }

    fn find(&self, text: &str) -> Vec<Span> {
        let after = TIMES_AFTER.hits(text).into_iter().filter(|hit| !is_measure(text, *hit));
        let before = TIMES_BEFORE.hits(text).into_iter().filter(|hit| !is_measure(text, *hit));
        let dozens = DOZENS.hits(text).into_iter();
        after
            .chain(before)
            .chain(NAMED.hits(text))
            .chain(dozens)
            .filter(|hit| !precedes_one_of(text, hit.all.end, NOT_ITEMS) && !joined(text, hit.all))
            .map(|hit| hit.entity)
            .collect()
    }

    fn value(&self, surface: &str, _context: &ValueContext) -> Option<Value> {
        let surface = surface::folded(surface);
        let count = || integer(SURFACE.read(&surface)?.name("n")?.as_str());
        integer(&surface).or_else(count).map(Value::from)
    }

    fn has_exact_ends(&self) -> bool {
        false
    }
}

/// Whether the cross stands between two measures or in a sum: `78 x 60`, `2 x 3 x 4`, `64x 64`, `3x + 7`.
fn is_measure(text: &str, hit: Hit) -> bool {
    let spaced = hit.all.slice(text).contains(char::is_whitespace);
    let digit_after = after(text, hit.all.end, 8).trim_start().starts_with(|c: char| c.is_ascii_digit());
    let sum_after = after(text, hit.all.end, 8).trim_start().starts_with(['+', '=', '*', '^', '$', '\u{20ac}', '\u{a3}']);
    let head = before(text, hit.all.start, 8).trim_end();
    let sum_before = head.ends_with(['+', '=', '*', '^']);
    let measured_before = head.ends_with(|c: char| c.is_ascii_digit() || c == 'x' || c == '\u{d7}') && !head.ends_with("box");
    let by_size = follows_one_of(text, hit.all.start, &["size", "sizes", "iphone", "galaxy", "mate", "bmw"]);
    measured_before
        || by_size
        || sum_before
        || sum_after
        || (digit_after && (spaced || hit.entity.end == hit.all.end || hit.entity.len() > 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::{found, value};

    #[test]
    fn multiplied_items_are_counted() {
        for (text, wanted) in [
            ("I want 2x mugs and 3 x plates", vec!["2", "3"]),
            ("mugs x4, plates \u{d7} 5", vec!["4", "5"]),
            ("qty 4, Quantity: 12", vec!["4", "12"]),
            ("a dozen eggs or half a dozen or two dozen", vec!["a dozen", "half a dozen", "two dozen"]),
            ("2x 500ml bottles", vec!["2"]),
            ("\u{1f6d2}2x\u{1f600}", vec!["2"]),
            ("a 78x60 rug, 78 x 60, 2 x 3 x 4", vec![]),
            ("a 2XL, 10x zoom, x300z, 4x4", vec![]),
            ("3x + 7 = 2x, 2 x \u{a3}64.99", vec![]),
            ("I asked a dozen times", vec![]),
            ("two shirts and 3 mugs", vec![]),
            ("2\u{fe0f}\u{20e3}x", vec![]),
        ] {
            let mut seen = found(&Quantity, text);
            seen.sort_by_key(|s| s.as_ptr());
            assert_eq!(seen, wanted, "{text}");
        }
    }

    #[test]
    fn counts_are_integers() {
        for (surface, wanted) in [
            ("two", Some(2)),
            ("Two", Some(2)),
            ("six", Some(6)),
            ("12", Some(12)),
            ("a dozen", Some(12)),
            ("x3", Some(3)),
            ("2x", Some(2)),
            ("qty: 4", Some(4)),
            ("3 pcs", Some(3)),
            ("twenty-five", Some(25)),
            ("1,000", Some(1000)),
            ("a few", None),
            ("", None),
            ("1.5", None),
        ] {
            assert_eq!(value(&Quantity, surface), wanted.map(|n: u32| n.into()), "{surface}");
        }
    }
}
