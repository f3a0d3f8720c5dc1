//! Coupon codes: letters and digits in one word, and a word such as `code` or `voucher` beside it.

use super::surroundings::{follows_one_of, joined};
use super::{Form, Hit, Pattern, ValueContext, surface};
use crate::text::Span;
use serde_json::Value;

/// `SAVE20`, `WELCOME-10`; the value is in upper case.
pub struct PromoCode;

macro_rules! code {
    () => {
        "[A-Za-z0-9]{2,20}(?:[-_][A-Za-z0-9]{1,12}){0,2}"
    };
}

static CUE_BEFORE: Form = Form::new(concat!(
    "(?i:codes?|coupons?|promo(?:tion)?s?|vouchers?|discount)",
    "(?i:,? (?:code|coupon|voucher|is|was|called|named|the|of|with|for|says|saying|reads|like|this|it's|i.e\\.))*",
    "[\\s:=(,\"'#\u{201c}\u{2018}-]{1,4}(?P<v>",
    code!(),
    ")"
));
static CUE_AFTER: Form = Form::new(concat!(
    "(?P<v>",
    code!(),
    ")[\"')\u{201d}\u{2019}]? (?i:(?:promo|promotion|discount|coupon|voucher) )?(?i:code|coupon|promo|voucher)s?"
));
static CODE: Form = Form::new(code!());

/// Codes that give no discount.
const OTHER_CODES: &[&str] = &[
    "error",
    "postal",
    "post",
    "zip",
    "area",
    "country",
    "dialling",
    "dialing",
    "product",
    "item",
    "article",
    "model",
    "colour",
    "color",
    "tracking",
    "order",
    "parcel",
    "pickup",
    "pick-up",
    "collection",
    "return",
    "bar",
    "qr",
    "security",
    "verification",
    "confirmation",
    "access",
    "login",
    "pin",
    "sms",
    "source",
    "reference",
    "sort",
    "swift",
    "iban",
    "door",
    "gate",
    "hs",
    "tax",
    "vat",
    "status",
    "batch",
    "size",
    "fault",
];

impl Pattern for PromoCode {
    fn label(&self) -> &'static str {
        "promo_code"
    }

    fn forms(&self) -> Vec<&'static Form> {
        vec![&CUE_BEFORE, &CUE_AFTER, &CODE]
    }

    fn find(&self, text: &str) -> Vec<Span> {
        let before = CUE_BEFORE.hits(text).into_iter().filter(|hit| !follows_one_of(text, hit.all.start, OTHER_CODES));
        before.chain(CUE_AFTER.hits(text)).filter(|hit| is_code(text, *hit)).map(|hit| hit.entity).collect()
    }

    fn value(&self, surface: &str, _context: &ValueContext) -> Option<Value> {
        let code = surface::plain(surface);
        CODE.is(&code).then(|| code.to_uppercase().into())
    }
}

/// Upper-case letters together with digits; lower case will do for a word with digits that follows `code` at once.
fn is_code(text: &str, hit: Hit) -> bool {
    let code = hit.entity.slice(text);
    let letters = code.chars().filter(char::is_ascii_alphabetic).count();
    let mixed = letters >= 2 && code.chars().any(|c| c.is_ascii_digit()) && code.len() >= 4;
    let shouted = !code.chars().any(|c| c.is_ascii_lowercase());
    let begins_as_word = letters >= 4 && code.chars().take(4).all(|c| c.is_ascii_alphabetic());
    mixed && (shouted || begins_as_word) && !joined(text, hit.entity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::{found, value};

    #[test]
    fn a_code_needs_its_word() {
        for (text, wanted) in [
            ("the code SAVE20 does not work", vec!["SAVE20"]),
            ("coupon: WELCOME-10!", vec!["WELCOME-10"]),
            ("my promo code is \"HELLO10\"", vec!["HELLO10"]),
            ("is the SPRING15 code still valid", vec!["SPRING15"]),
            ("SUMMER15 promo code", vec!["SUMMER15"]),
            ("code welcome15 please", vec!["welcome15"]),
            ("voucher\u{1f381} XMAS24", vec![]),
            ("voucher XMAS24\u{1f381}", vec!["XMAS24"]),
            ("SAVE20", vec![]),
            ("error code E4012", vec![]),
            ("postal code SW1A2AA", vec![]),
            ("THE CODE DOES NOT WORK", vec![]),
            ("the code 123456", vec![]),
            ("code for the kettle", vec![]),
            ("voucher for 20euros", vec![]),
        ] {
            assert_eq!(found(&PromoCode, text), wanted, "{text}");
        }
    }

    #[test]
    fn codes_are_upper_case() {
        assert_eq!(value(&PromoCode, "welcome15"), Some("WELCOME15".into()));
        assert_eq!(value(&PromoCode, "10 off"), None);
    }
}
