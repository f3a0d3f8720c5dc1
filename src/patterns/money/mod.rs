//! Amounts of money: a number beside a currency's sign, code or name.

mod amount;
mod currency;

use super::numerals::numeral;
use super::surroundings::after;
use super::{Form, Pattern, ValueContext, surface};
use crate::text::Span;
use serde_json::{Value, json};

/// `$49.90`, `1.299,00 €`, `20 euros`; the value is `{"amount": "49.90", "currency": "USD"}` with the decimals as written.
pub struct Money;

macro_rules! sign {
    () => {
        "(?:(?:US|CA|AU|NZ|HK|SG|MX|TT|S|C|A|R)?\\$|[\u{20ac}\u{a3}\u{a5}\u{ffe5}\u{20b9}\u{20ba}\u{20bd}\u{20a9}\u{20aa}\u{20ab}\u{e3f}\u{20b1}\u{20a6}\u{20b4}\u{20a1}])"
    };
}
macro_rules! word {
    () => {
        concat!(
            "(?i:(?:us|u\\.s\\.|canadian|australian|american|new zealand|hong kong|singapore|mexican|swiss|danish|swedish|norwegian|indian) )?",
            "(?i:dollars?|bucks?|euros?|quid|yen|rupees?|z[\u{142}l](?:oty(?:ch)?)?|kr|kroner|kronor|francs?|dirhams?|pesos?|rand|lei|reais|",
            "ringgit|ro?ubles?|baht|shekels?|lira|forint|koruna)"
        )
    };
}
macro_rules! number {
    ($gap:literal) => {
        concat!("(?:[0-9]{1,3}(?:[.,'\u{2019}\u{a0}\u{202f}", $gap, "][0-9]{3}){1,3}(?:[.,][0-9]{1,2})?|[0-9]{1,9}(?:[.,][0-9]{1,2})?)")
    };
}

static SIGN_FIRST: Form = Form::new(concat!("(?P<c>", sign!(), "|(?i:Rs\\.?)|[A-Za-z]{3})[ \u{a0}\u{202f}]?(?P<n>", number!(""), ")"));
static SIGN_LAST: Form = Form::new(concat!("(?P<n>", number!(" "), ")[ \u{a0}\u{202f}]?(?P<c>", sign!(), "|", word!(), "|[A-Za-z]{3})"));
static SPELLED: Form = Form::new(concat!("(?P<n>", numeral!(), ")[ -](?P<c>", word!(), ")"));
static ARTICLE: Form = Form::new("(?P<n>an?) (?P<c>dollar|euro|pound|quid|buck)|(?P<m>[0-9a-z.,' -]+?) ?(?P<d>pounds?|sterling)");

/// Signs that mean money and nothing else.
const SIGNS: &[char] = &[
    '$', '\u{20ac}', '\u{a3}', '\u{a5}', '\u{ffe5}', '\u{20b9}', '\u{20ba}', '\u{20bd}', '\u{20a9}', '\u{20aa}', '\u{20ab}', '\u{e3f}',
    '\u{20b1}',
];

impl Pattern for Money {
    fn label(&self) -> &'static str {
        "money"
    }

    fn forms(&self) -> Vec<&'static Form> {
        vec![&SIGN_FIRST, &SIGN_LAST, &SPELLED, &ARTICLE]
    }

    fn find(&self, text: &str) -> Vec<Span> {
        let first = SIGN_FIRST.spans(text);
        let signed_number =
            |span: &Span| span.slice(text).ends_with(SIGNS) && after(text, span.end, 1).starts_with(|c: char| c.is_ascii_digit());
        let last = SIGN_LAST.spans(text).into_iter().filter(|span| !signed_number(span));
        let all = first.into_iter().chain(last).chain(SPELLED.spans(text));
        let sound = all.filter(|span| is_money(span.slice(text)) && !part_of_number(text, *span)).collect();
        super::overlap::longest_wins(sound, |span| *span)
    }

    fn value(&self, surface: &str, context: &ValueContext) -> Option<Value> {
        let surface = surface::plain(surface);
        let (number, name) = parts(&surface)?;
        let amount = amount::decimal(&number)?;
        let currency = currency::resolve(&name, context.region.as_deref())?;
        Some(json!({"amount": amount, "currency": currency.code()}))
    }

    fn is_certain(&self, surface: &str) -> bool {
        surface.contains(SIGNS)
    }
}

/// The number and what names the currency.
fn parts(surface: &str) -> Option<(String, String)> {
    let lower = surface.to_lowercase();
    let form = |form: &Form, surface: &str| {
        form.read(surface).and_then(|groups| Some((groups.name("n")?.as_str().to_owned(), groups.name("c")?.as_str().to_owned())))
    };
    let pounds =
        || ARTICLE.read(&lower).and_then(|groups| Some((groups.name("m")?.as_str().to_owned(), groups.name("d")?.as_str().to_owned())));
    form(&SIGN_FIRST, surface)
        .or_else(|| form(&SIGN_LAST, surface))
        .or_else(|| form(&SPELLED, &lower))
        .or_else(|| form(&ARTICLE, &lower))
        .or_else(pounds)
}

/// Whether the surface names a currency, and not one of the words that some codes are as well.
fn is_money(surface: &str) -> bool {
    parts(surface).is_some_and(|(number, name)| {
        let cents = number.len() > 3 && number.get(number.len() - 3..).is_some_and(|tail| tail.starts_with(['.', ',']));
        amount::decimal(&number).is_some() && (currency::is_sign_or_name(&name) || currency::is_plain_code(&name, cents))
    })
}

/// Whether the digits go on beside the span, as in `1,2345 €` or `v1.20 €`.
fn part_of_number(text: &str, span: Span) -> bool {
    let inside = span.slice(text);
    let number_first = inside.starts_with(|c: char| c.is_ascii_digit());
    let before = text.get(..span.start).unwrap_or_default();
    let led = before.ends_with([',', '.']) && before.trim_end_matches([',', '.']).ends_with(|c: char| c.is_ascii_digit());
    let number_last = inside.ends_with(|c: char| c.is_ascii_digit());
    let rest = after(text, span.end, 2);
    let goes_on = rest.trim_start_matches([',', '.']).starts_with(|c: char| c.is_ascii_digit());
    (number_first && led) || (number_last && goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::{context, context_in, found};

    #[test]
    fn amounts_are_found() {
        for (text, wanted) in [
            ("I paid $49.90 and \u{a3}5.", vec!["$49.90", "\u{a3}5"]),
            ("1.299,00 \u{20ac} or 1,299.00 EUR", vec!["1.299,00 \u{20ac}", "1,299.00 EUR"]),
            ("49,90 EUR, EUR 12, CHF 132.40", vec!["49,90 EUR", "EUR 12", "CHF 132.40"]),
            ("20 euros, 15 dollars, 5 quid, five bucks", vec!["20 euros", "15 dollars", "5 quid", "five bucks"]),
            ("1 249 kr today", vec!["1 249 kr"]),
            ("AU$129 and 250 US dollars", vec!["AU$129", "250 US dollars"]),
            ("$5-$10, $20/month", vec!["$5", "$10", "$20"]),
            ("5 $10 vouchers", vec!["$10"]),
            ("\u{1f4b8}$20\u{1f4b8}", vec!["$20"]),
            ("\u{20b9}1,20,000", vec![]),
            ("20 usd", vec!["20 usd"]),
            ("1\u{a0}299,00\u{a0}\u{20ac}", vec!["1\u{a0}299,00\u{a0}\u{20ac}"]),
            ("Twenty five dollars", vec!["Twenty five dollars"]),
        ] {
            assert_eq!(found(&Money, text), wanted, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_money_is_left() {
        for text in [
            "20 all",
            "2 ALL",
            "AMD 5600",
            "3 TOP sheets",
            "20 items",
            "size 42 EU",
            "5 pounds lighter",
            "$",
            "\u{20ac}",
            "$1,2345",
            "$x",
            "2\u{301}\u{20ac}1\u{301}",
        ] {
            assert_eq!(found(&Money, text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn values_keep_the_written_decimals() {
        for (surface, region, wanted) in [
            ("$49.90", None, Some(("49.90", "USD"))),
            ("$49.90", Some("CA"), Some(("49.90", "CAD"))),
            ("$49.90", Some("au"), Some(("49.90", "AUD"))),
            ("$5", Some("DE"), Some(("5", "USD"))),
            ("AU$129", Some("US"), Some(("129", "AUD"))),
            ("20 euros", None, Some(("20", "EUR"))),
            ("1.299,00 \u{20ac}", None, Some(("1299.00", "EUR"))),
            ("1\u{a0}299,00\u{a0}\u{20ac}", None, Some(("1299.00", "EUR"))),
            ("49,90 EUR", None, Some(("49.90", "EUR"))),
            ("\u{a5}9,800", None, Some(("9800", "JPY"))),
            ("\u{a5}98", Some("CN"), Some(("98", "CNY"))),
            ("5 quid", None, Some(("5", "GBP"))),
            ("twenty dollars", Some("NZ"), Some(("20", "NZD"))),
            ("20 pounds", None, Some(("20", "GBP"))),
            ("a euro", None, Some(("1", "EUR"))),
            ("499 kr", None, None),
            ("499 kr", Some("SE"), Some(("499", "SEK"))),
            ("80 TRY", None, Some(("80", "TRY"))),
            ("a lot", None, None),
            ("40 to 60 quid", None, None),
        ] {
            let context = region.map_or_else(context, context_in);
            let wanted = wanted.map(|(amount, currency)| json!({"amount": amount, "currency": currency}));
            assert_eq!(Money.value(surface, &context), wanted, "{surface} {region:?}");
        }
    }
}
