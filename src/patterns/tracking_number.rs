//! Parcel identifiers. UPS and postal (S10) numbers are known by their form; other long numbers need the word `tracking`, `parcel` or a
//! carrier's name right before them.

use super::surroundings::joined;
use super::{Form, Pattern, ValueContext, surface};
use crate::text::Span;
use serde_json::Value;

/// `1Z84F9030391245576`, `RR123456785GB`, `JD0002258830019472`; the value is in upper case and has no spaces.
pub struct TrackingNumber;

static UPS: Form = Form::new("(?i:1Z[0-9A-Z]{16})|1Z(?: ?[0-9A-Z]){16}");
static S10: Form = Form::new("(?i:[A-Z]{2}[0-9]{9}[A-Z]{2})|[A-Z]{2}(?: ?[0-9]){9} ?[A-Z]{2}");
static PARCELFORCE: Form = Form::new("(?i:JJ?D)0[0-9]{2}(?: ?[0-9]){8,18}");
static CUED: Form = Form::new(concat!(
    "(?i:tracking|track|parcels?|packages?|shipments?|consignments?|waybill|courier|carrier|ups|dhl|fedex|usps|royal mail|evri|hermes|dpd|gls|",
    "yodel|tnt|postnl|correos|colissimo|inpost|an post|parcelforce|bpost|postnord|parcelway)",
    "(?i:(?:['\u{2019}]s)?(?: (?:parcel|package|tracking|number|no\\.?|nr\\.?|num|code|id|ref(?:erence)?|is|was|says|say|reads|shows|link|with|",
    "under|my|the|for|on|of|it|label|barcode))*)",
    "[\\s:#=(\"'-]{1,4}(?P<v>[0-9]{3,6}(?: [0-9]{2,8}){1,5}|(?i:[A-Z0-9]{9,34}))",
));
static WRITTEN: Form = Form::new("[A-Z0-9]{8,40}");

impl Pattern for TrackingNumber {
    fn label(&self) -> &'static str {
        "tracking_number"
    }

    fn forms(&self) -> Vec<&'static Form> {
        vec![&UPS, &S10, &PARCELFORCE, &CUED, &WRITTEN]
    }

    fn find(&self, text: &str) -> Vec<Span> {
        let known = [&UPS, &S10].into_iter().flat_map(|form| form.spans(text)).filter(|span| self.is_certain(span.slice(text)));
        let cued = CUED.spans(text).into_iter().filter(|span| is_long(span.slice(text)));
        known.chain(PARCELFORCE.spans(text)).chain(cued).filter(|span| !joined(text, *span)).collect()
    }

    fn value(&self, surface: &str, _context: &ValueContext) -> Option<Value> {
        let number = compact(surface);
        (WRITTEN.is(&number) && digits(&number) >= 5).then(|| number.into())
    }

    fn is_certain(&self, surface: &str) -> bool {
        let number = compact(surface);
        (UPS.is(&number) && digits(&number) >= 8) || (S10.is(&number) && s10_check(&number))
    }
}

fn compact(surface: &str) -> String {
    surface::plain(surface).chars().filter(|c| *c != ' ' && *c != '-').collect::<String>().to_uppercase()
}

fn digits(number: &str) -> usize {
    number.chars().filter(char::is_ascii_digit).count()
}

fn is_long(number: &str) -> bool {
    let letters = number.chars().any(|c| c.is_ascii_alphabetic());
    digits(number) >= if letters { 7 } else { 10 }
}

/// Check digit of UPU standard S10: 11 less the weighted sum of the eight digits before it modulo 11, where 10 becomes 0 and 11 becomes 5.
fn s10_check(number: &str) -> bool {
    let mut digits = number.chars().filter_map(|c| c.to_digit(10));
    let sum: u32 = [8, 6, 4, 2, 3, 5, 9, 7].iter().zip(digits.by_ref()).map(|(weight, digit)| weight * digit).sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        other => other,
    };
    digits.next() == Some(check)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::{found, value};

    #[test]
    fn known_forms_need_no_word() {
        for (text, wanted) in [
            ("RR123456785GB?", vec!["RR123456785GB"]),
            ("rr123456785gb", vec!["rr123456785gb"]),
            ("RR 123 456 785 GB", vec!["RR 123 456 785 GB"]),
            ("RR123456784GB", vec![]),
            ("is 1Z84F9030391245576 lost", vec!["1Z84F9030391245576"]),
            ("1Z 999 AA1 01 2345 6784 please", vec!["1Z 999 AA1 01 2345 6784"]),
            ("1Z84F903039124557", vec![]),
            ("JD0002258830019472", vec!["JD0002258830019472"]),
            ("\u{1f4e6}\u{fe0f}RR123456785GB\u{1f622}", vec!["RR123456785GB"]),
            ("RR123456785GB\u{301}", vec![]),
            ("4400817266512", vec![]),
        ] {
            let mut seen = found(&TrackingNumber, text);
            seen.dedup();
            assert_eq!(seen, wanted, "{text}");
        }
    }

    #[test]
    fn other_numbers_need_their_word() {
        for (text, wanted) in [
            ("tracking number is 4400817266512", vec!["4400817266512"]),
            ("FedEx 7749 2031 8840 cleared", vec!["7749 2031 8840"]),
            ("Evri ref T00AKX0047119283, where", vec!["T00AKX0047119283"]),
            ("tracking says JD4471902288 is", vec!["JD4471902288"]),
            ("parcel 300958", vec![]),
            ("parcel for order 4419027123", vec![]),
            ("tracking is wonderful", vec![]),
            ("package internationally", vec![]),
            ("backtracking 44008172665", vec![]),
        ] {
            assert_eq!(found(&TrackingNumber, text), wanted, "{text}");
        }
    }

    #[test]
    fn values_are_compact() {
        assert_eq!(value(&TrackingNumber, "rr 123 456 785 gb"), Some("RR123456785GB".into()));
        assert_eq!(value(&TrackingNumber, "4400 8172 6651"), Some("440081726651".into()));
        assert_eq!(value(&TrackingNumber, "my parcel"), None);
        assert!(TrackingNumber.is_certain("RR123456785GB"));
        assert!(!TrackingNumber.is_certain("RR123456784GB"));
    }
}
