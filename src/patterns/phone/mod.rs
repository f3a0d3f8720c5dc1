//! Telephone numbers: international ones wherever they stand; national ones after a word such as `phone` or `call`, or where the
//! customer's region tells that the digits are a number there. Digits that an order could as well have are left alone.

mod number;

use super::surroundings::{before, joined, touches};
use super::{Form, Pattern, ValueContext, date};
use crate::text::Span;
use number::{MOST_DIGITS, e164, has_length_of_its_country, is_north_american, read, region};
use phonenumber::{PhoneNumber, country};
use serde_json::Value;

/// `+44 7700 900915`; the value is the E.164 form, none when the country is not known.
pub struct Phone;

static DIGITS: Form = Form::new("(?:\\+ ?|00)?\\(?[0-9](?:[ .()\u{a0}\u{2010}\u{2011}\u{2013}-]{0,3}[0-9]){6,18}");
static CUE: Form = Form::new(concat!(
    "(?is).*\\b(?:phone|telephone|tel|mobile|mob|cell|cellphone|handy|call|ring|dial|texts?|sms|whatsapp|reach|fax|landline|reached|telephoned?)",
    "(?:\\W+(?:me|us|him|her|on|at|is|my|back|to|number|num|no|nr|under|via|it|s|are|now|or))*\\W*"
));
static NUMBER_CUE: Form = Form::new("(?is).*\\b(?:number|num)(?:\\W+(?:is|s|was|to|now))*\\W*");
static OTHER_CUE: Form = Form::new(concat!(
    "(?is).*\\b(?:orders?|tracking|parcel|consignment|shipment|ref|reference|account|card|customer|member|invoice|serial|model|item|article|part|",
    "confirmation|vat|ticket|case|return|claim|iban)(?:\\W+(?:number|num|no|nr|id|ref|reference|code|is|s|was))*\\W*"
));
static NORTH_AMERICAN: Form = Form::new("\\(?[2-9][0-9]{2}\\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}");

/// How many groups of digits behind a number may turn out to be something else.
const MOST_TRIMS: usize = 3;

/// What the words before a run of digits say about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cue {
    /// `call me on`, `phone:`.
    Telephone,
    /// `my number is`.
    Number,
    /// `my order number is`.
    Other,
    /// Nothing.
    Absent,
}

impl Pattern for Phone {
    fn label(&self) -> &'static str {
        "phone"
    }

    fn forms(&self) -> Vec<&'static Form> {
        vec![&DIGITS, &CUE, &NUMBER_CUE, &OTHER_CUE, &NORTH_AMERICAN]
    }

    fn find(&self, text: &str) -> Vec<Span> {
        self.find_in(text, &ValueContext { now: None, region: None })
    }

    fn find_in(&self, text: &str, context: &ValueContext) -> Vec<Span> {
        let region = region(context);
        DIGITS.spans(text).into_iter().filter_map(|span| number_in(text, balanced(text, span), region)).collect()
    }

    fn value(&self, surface: &str, context: &ValueContext) -> Option<Value> {
        read(surface, region(context)).map(|number| e164(&number).into())
    }

    fn is_certain(&self, surface: &str) -> bool {
        surface.starts_with('+')
    }
}

/// The span without an opening bracket that nothing inside closes.
fn balanced(text: &str, span: Span) -> Span {
    let lone = span.slice(text).starts_with('(') && !span.slice(text).contains(')');
    Span { start: span.start + usize::from(lone), ..span }
}

fn number_in(text: &str, span: Span, region: Option<country::Id>) -> Option<Span> {
    let run = span.slice(text);
    if run.starts_with('+') {
        return trimmed(text, span, None).filter(|_| !touches(text, span.start));
    }
    if joined(text, span) || date::is_numeric(run) {
        return None;
    }
    let trunk = run.starts_with(['0', '(']);
    match cue(text, span.start) {
        Cue::Telephone => trimmed(text, span, region).or_else(|| (digits(run) <= MOST_DIGITS).then_some(span)),
        Cue::Number if trunk || grouped(run) => trimmed(text, span, region).or_else(|| (digits(run) <= MOST_DIGITS).then_some(span)),
        Cue::Other => None,
        Cue::Absent | Cue::Number => {
            let domestic = if region.is_some_and(is_north_american) { NORTH_AMERICAN.is(run) } else { trunk };
            let found = trimmed(text, span, region).filter(|_| region.is_some() && domestic)?;
            let sure = grouped(run) || run.contains(' ') || read(found.slice(text), region)?.is_valid();
            sure.then_some(found)
        }
    }
}

/// The longest valid number at the start of the span. Where there is none: of an international one the longest of a length that its
/// country has, else all of it.
fn trimmed(text: &str, span: Span, region: Option<country::Id>) -> Option<Span> {
    let numbers: Vec<(Span, PhoneNumber)> =
        shortened(text, span).into_iter().filter_map(|span| Some((span, read(span.slice(text), region)?))).collect();
    let abroad = span.slice(text).starts_with('+');
    let valid = numbers.iter().find(|(_, number)| number.is_valid());
    let possible = numbers.iter().find(|(_, number)| abroad && has_length_of_its_country(number));
    let whole = numbers.first().filter(|(candidate, _)| *candidate == span);
    valid.or(possible).or(whole).map(|(span, _)| *span)
}

/// The span, and the span without its last group or groups of digits.
fn shortened(text: &str, span: Span) -> Vec<Span> {
    let mut spans = vec![span];
    let mut run = span.slice(text);
    for _ in 0..MOST_TRIMS {
        let cut = run.rfind(|c: char| !c.is_ascii_digit()).unwrap_or_default();
        run = run.get(..cut).unwrap_or_default().trim_end_matches(|c: char| !c.is_ascii_digit());
        if run.is_empty() {
            break;
        }
        spans.push(Span { end: span.start + run.len(), ..span });
    }
    spans
}

fn cue(text: &str, at: usize) -> Cue {
    let head = before(text, at, 40);
    if CUE.is(head) {
        return Cue::Telephone;
    }
    match (OTHER_CUE.is(head), NUMBER_CUE.is(head)) {
        (true, _) => Cue::Other,
        (false, true) => Cue::Number,
        (false, false) => Cue::Absent,
    }
}

/// Written in three groups or more, as telephone numbers are.
fn grouped(run: &str) -> bool {
    run.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count() >= 3
}

fn digits(run: &str) -> usize {
    run.chars().filter(char::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::{context, context_in, found};

    #[test]
    fn international_numbers_stand_anywhere() {
        for (text, wanted) in [
            ("I am +44 7700 900915.", vec!["+44 7700 900915"]),
            ("+49 151 5550 1827 2 times", vec!["+49 151 5550 1827"]),
            ("\u{1f4de}+33 6 39 98 41 07\u{1f600}", vec!["+33 6 39 98 41 07"]),
            ("(+44 (0)20 7946 0958)", vec!["+44 (0)20 7946 0958"]),
            ("+44 7700 900915 24 hours", vec!["+44 7700 900915"]),
            ("2+447700900915", vec![]),
            ("+1", vec![]),
            ("+447700900915447700900915", vec![]),
        ] {
            assert_eq!(found(&Phone, text), wanted, "{text}");
        }
    }

    #[test]
    fn national_numbers_need_a_word_or_a_region() {
        for (text, anywhere, britain) in [
            ("call me on 07700 900461", true, true),
            ("my number's 0117 496 0289", true, true),
            ("mobile: 07700900182!", true, true),
            ("(07700 900461)", false, true),
            ("text 555-0148 instead", true, true),
            ("07700 900461", false, true),
            ("my order number is 07700900461", false, false),
            ("order 4419027", false, false),
            ("my number is 882-3105", false, false),
            ("12.04.2025", false, false),
            ("call me about order 4419027", false, false),
            ("4400 8172 6651", false, false),
        ] {
            assert_eq!(Phone.find_in(text, &context()).len(), usize::from(anywhere), "{text}");
            assert_eq!(Phone.find_in(text, &context_in("GB")).len(), usize::from(britain), "{text}");
        }
        assert_eq!(Phone.find_in("at 312-555-0148 now", &context_in("US")).len(), 1);
    }

    #[test]
    fn values_are_e164() {
        for (surface, region, wanted) in [
            ("+44 7700 900915", None, Some("+447700900915")),
            ("+44 (0)20 7946 0958", None, Some("+442079460958")),
            ("0044 7700 900915", None, Some("+447700900915")),
            ("07700 900461", Some("GB"), Some("+447700900461")),
            ("07700 900461", Some("gb"), Some("+447700900461")),
            ("07700 900461", None, None),
            ("(312) 555-0148", Some("US"), Some("+13125550148")),
            ("06 12345678", Some("IT"), Some("+390612345678")),
            ("07700 900461", Some("AQ"), None),
            ("555-0148", Some("GB"), None),
            ("+4477009009154477009009", None, None),
            ("call me", Some("GB"), None),
        ] {
            let context = region.map_or_else(context, context_in);
            assert_eq!(Phone.value(surface, &context), wanted.map(Value::from), "{surface} {region:?}");
        }
    }
}
