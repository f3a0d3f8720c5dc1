//! Which currency a sign, code or name means, here.

use iso_currency::{Country, Currency};

/// Signs and names of one currency.
const OWN: &[(&[&str], Currency)] = &[
    (&["us$", "us dollar", "u.s. dollar", "american dollar"], Currency::USD),
    (&["ca$", "c$", "canadian dollar"], Currency::CAD),
    (&["au$", "a$", "australian dollar"], Currency::AUD),
    (&["nz$", "new zealand dollar"], Currency::NZD),
    (&["hk$", "hong kong dollar"], Currency::HKD),
    (&["sg$", "s$", "singapore dollar"], Currency::SGD),
    (&["mx$", "mexican peso"], Currency::MXN),
    (&["tt$"], Currency::TTD),
    (&["r$", "real", "reais"], Currency::BRL),
    (&["\u{20ac}", "euro"], Currency::EUR),
    (&["quid", "sterling"], Currency::GBP),
    (&["yen"], Currency::JPY),
    (&["\u{20b9}", "indian rupee"], Currency::INR),
    (&["\u{20ba}", "lira"], Currency::TRY),
    (&["\u{20bd}", "ruble", "rouble"], Currency::RUB),
    (&["\u{20a9}"], Currency::KRW),
    (&["\u{20aa}", "shekel"], Currency::ILS),
    (&["\u{20ab}"], Currency::VND),
    (&["\u{e3f}", "baht"], Currency::THB),
    (&["\u{20b1}"], Currency::PHP),
    (&["\u{20a6}"], Currency::NGN),
    (&["\u{20b4}"], Currency::UAH),
    (&["\u{20a1}"], Currency::CRC),
    (&["z\u{142}", "zl", "z\u{142}oty", "zloty", "z\u{142}otych", "zlotych"], Currency::PLN),
    (&["lei"], Currency::RON),
    (&["rand"], Currency::ZAR),
    (&["ringgit"], Currency::MYR),
    (&["forint"], Currency::HUF),
    (&["koruna"], Currency::CZK),
    (&["swiss franc"], Currency::CHF),
    (&["danish kroner"], Currency::DKK),
    (&["swedish kronor"], Currency::SEK),
    (&["norwegian kroner"], Currency::NOK),
];

/// Signs and names that currencies share, what the region's currency must be called or written for it to be meant, and what is meant
/// elsewhere.
type Shared = (&'static [&'static str], &'static str, &'static str, Option<Currency>);

const SHARED: &[Shared] = &[
    (&["$", "dollar", "buck"], "dollar", "$", Some(Currency::USD)),
    (&["\u{a3}", "pound"], "pound", "\u{a3}", Some(Currency::GBP)),
    (&["\u{a5}", "\u{ffe5}"], "yuan", "\u{a5}", Some(Currency::JPY)),
    (&["rupee", "rs", "rs."], "rupee", "\u{20a8}", Some(Currency::INR)),
    (&["franc"], "franc", "\u{20a3}", Some(Currency::CHF)),
    (&["kr", "kroner", "kronor"], "kron", "kr", None),
    (&["peso"], "peso", "\u{20b1}", None),
    (&["dirham"], "dirham", "", None),
];

/// Codes that people also write in small letters.
const USUAL: &[&str] = &[
    "usd", "eur", "gbp", "cad", "aud", "nzd", "chf", "jpy", "inr", "pln", "sek", "nok", "dkk", "czk", "huf", "sgd", "hkd", "zar", "aed",
    "brl",
];

/// Codes that are words, brands or names as well.
const WORDS: &[&str] =
    &["ALL", "AMD", "ANG", "BAM", "BOB", "CUP", "ERN", "GEL", "LAK", "MAD", "MOP", "NIO", "PEN", "RON", "SOS", "TOP", "TRY", "SLE", "STN"];

/// The currency that `name` means to somebody in `region`; none when several are as likely.
#[must_use]
pub fn resolve(name: &str, region: Option<&str>) -> Option<Currency> {
    if let Some(currency) = own(name) {
        return Some(currency);
    }
    let Some((_, word, sign, default)) = shared(name) else {
        return Currency::from_code(&name.to_uppercase()).filter(|currency| currency.flags().is_empty());
    };
    let so_called = |currency: &Currency| currency.name().to_lowercase().contains(word);
    let so_written = |currency: &Currency| !sign.is_empty() && currency.symbol().symbol == *sign;
    let local = region.and_then(currency_of).filter(|currency| so_called(currency) || so_written(currency));
    local.or(*default)
}

/// Whether `name` is a sign or a name, and so no code that could be a word.
#[must_use]
pub fn is_sign_or_name(name: &str) -> bool {
    own(name).is_some() || shared(name).is_some()
}

fn own(name: &str) -> Option<Currency> {
    OWN.iter().find(|(names, _)| is_one_of(name, names)).map(|(_, currency)| *currency)
}

fn shared(name: &str) -> Option<&'static Shared> {
    SHARED.iter().find(|(names, ..)| is_one_of(name, names))
}

/// Whether the name, in any case, singular or plural, is among `names`.
fn is_one_of(name: &str, names: &[&str]) -> bool {
    let name = name.to_lowercase();
    let singular = name.strip_suffix('s').filter(|stem| stem.len() > 2).unwrap_or(&name);
    names.iter().any(|known| *known == name || *known == singular)
}

/// Whether `name` is a code as it is written for money: a usual one in any case, any other in capitals; one that is a word only
/// beside an amount with cents.
#[must_use]
pub fn is_plain_code(name: &str, cents: bool) -> bool {
    let usual = USUAL.contains(&name.to_lowercase().as_str());
    let capitals =
        name.chars().all(|c| c.is_ascii_uppercase()) && Currency::from_code(name).is_some_and(|currency| currency.flags().is_empty());
    usual || (capitals && (cents || !WORDS.contains(&name)))
}

fn currency_of(region: &str) -> Option<Currency> {
    let country: Country = region.to_uppercase().parse().ok()?;
    Currency::from_country(country).into_iter().find(|currency| currency.flags().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_signs_follow_the_region() {
        for (name, region, wanted) in [
            ("$", None, Some("USD")),
            ("$", Some("CA"), Some("CAD")),
            ("$", Some("MX"), Some("MXN")),
            ("$", Some("DE"), Some("USD")),
            ("$", Some("??"), Some("USD")),
            ("Dollars", Some("SG"), Some("SGD")),
            ("bucks", None, Some("USD")),
            ("pesos", None, None),
            ("pesos", Some("CL"), Some("CLP")),
            ("kr", Some("NO"), Some("NOK")),
            ("kr", Some("DK"), Some("DKK")),
            ("\u{a3}", Some("EG"), Some("EGP")),
            ("francs", None, Some("CHF")),
            ("eur", None, Some("EUR")),
            ("XAU", None, None),
            ("XXX", None, None),
            ("zzz", None, None),
        ] {
            assert_eq!(resolve(name, region).map(|currency| currency.code()), wanted, "{name} {region:?}");
        }
    }

    #[test]
    fn words_are_no_codes() {
        assert!(is_plain_code("CHF", false) && is_plain_code("eur", false));
        assert!(!is_plain_code("ALL", false) && !is_plain_code("all", true) && !is_plain_code("chair", false));
        assert!(is_plain_code("TRY", true));
    }
}
