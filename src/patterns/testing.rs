//! What the tests of all patterns share: contexts, and short ways to a result.

use super::{Pattern, ValueContext};
use serde_json::Value;

/// A Wednesday afternoon in Berlin; no region.
pub fn context() -> ValueContext {
    ValueContext { now: "2026-11-18T15:30:00+01:00[Europe/Berlin]".parse().ok(), region: None }
}

/// The same, with a region.
pub fn context_in(region: &str) -> ValueContext {
    ValueContext { region: Some(region.to_owned()), ..context() }
}

/// Neither time nor region.
pub fn nowhere() -> ValueContext {
    ValueContext { now: None, region: None }
}

/// The surfaces that a pattern finds without a context.
pub fn found<'t>(pattern: &dyn Pattern, text: &'t str) -> Vec<&'t str> {
    pattern.find(text).into_iter().map(|span| span.slice(text)).collect()
}

/// The value of a surface on that Wednesday.
pub fn value(pattern: &dyn Pattern, surface: &str) -> Option<Value> {
    pattern.value(surface, &context())
}

/// Texts that must not break anything.
pub const HOSTILE: &[&str] = &[
    "",
    " ",
    "\u{0}\u{0}",
    "\u{301}\u{301}",
    "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} $\u{301}5 #\u{fe0f}\u{20e3}1",
    "+",
    "+()()()()1",
    "+999999999999999",
    "+0000000000",
    "00000000000000000000",
    "tel:+1;phone-context=\u{e9}",
    "order \u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff15}",
    "$99999999999999999999999999999999999999999",
    "$999.999.999.999.999.999.999.999.999.999.999,99",
    "in 999999999 years",
    "999 years ago",
    "in 999 years",
    "0000-00-00 99/99/9999 31/02/2024 2/30/24 31.06.2025",
    "\u{5d0}\u{5d1} order #A-10293 \u{5d2}",
    "by by by by friday friday",
    "call +49 (0) (0) (0) 151 5550 1827",
    "RR123456785G\u{df} 1Z\u{131}\u{131}\u{131}",
    "\u{130}\u{130}\u{130} 5 \u{20ac}\u{20ac}\u{20ac}",
    "2\u{212a} x\u{b2} \u{bd}x \u{2460}x",
];
