//! Lengths of time: `3 days`, `within two weeks`, `20 mins ago`.

use super::particle::Particle;
use super::{Core, Frame, Meaning, Takes};
use crate::patterns::Form;
use crate::patterns::numerals::{integer, numeral};
use jiff::{Span, ToSpan};

macro_rules! unit {
    () => {
        "(?i:minutes?|mins?|hours?|hrs?|days?|weeks?|wks?|months?|years?|yrs?|fortnights?)"
    };
}
macro_rules! units {
    () => {
        "(?i:seconds|minutes|mins?|hours|hrs?|h|days|nights|weeks|wks|months|years|yrs|fortnights)"
    };
}

pub static AGO: Core = Core::new(
    Takes::Point,
    concat!("(?:", numeral!(), "|(?i:an?|half an|a couple of)) (?i:(?:business|working) )?", unit!(), " (?i:ago|later)"),
);
pub static SEVERAL: Core = Core::new(
    Takes::Length,
    concat!(
        "(?i:half an hour)|",
        numeral!(),
        "(?:(?: ?[-\u{2013}] ?| (?i:to|or) )",
        numeral!(),
        ")?(?: (?i:business|working|full|whole|more))? ?",
        units!()
    ),
);
pub static SINGLE: Core = Core::new(Takes::LengthOnly, concat!("(?:1|(?i:one|an?|a couple of|the next ", numeral!(), ")) ", unit!()));
pub static AMOUNT: Form =
    Form::new(concat!("(?P<n>", numeral!(), "|an?|a couple of|half an)[ -]?(?:full |whole )?(?P<u>[a-z]+)(?P<ago> ago)?"));

/// What a number of days before it describes: an age, a service, a rate.
pub const NOT_SPANS: &[&str] = &["old", "delivery", "shipping", "guarantee", "warranty", "battery", "straight", "late"];

/// A length of time, or what lies that far from now after `in`, `since` or before `ago`.
pub fn read(words: &str, frame: Frame<'_>) -> Option<Meaning> {
    let parts = AMOUNT.read(words)?;
    let count = parts.name("n")?.as_str();
    let unit = parts.name("u")?.as_str();
    let (length, clock) =
        if count == "half an" { (unit.starts_with("hour").then(|| 30.minutes())?, true) } else { span(i64::from(integer(count)?), unit)? };
    let ahead = match (parts.name("ago").is_some(), frame.particle) {
        (true, _) | (_, Some(Particle::Since)) => false,
        (_, Some(Particle::In)) => true,
        _ => return Some(Meaning::Length(length)),
    };
    let now = frame.now?;
    let then = if ahead { now.checked_add(length) } else { now.checked_sub(length) }.ok()?;
    Some(if clock { Meaning::Moment(then.date(), then.time()) } else { Meaning::Day(then.date()) })
}

/// The span, and whether it is told on the clock. Nobody counts a thousand of any unit.
fn span(count: i64, unit: &str) -> Option<(Span, bool)> {
    if !(0..1000).contains(&count) {
        return None;
    }
    let singular = unit.strip_suffix('s').filter(|stem| !stem.is_empty()).unwrap_or(unit);
    Some(match singular {
        "second" | "sec" => (count.seconds(), true),
        "minute" | "min" => (count.minutes(), true),
        "hour" | "hr" | "h" => (count.hours(), true),
        "day" | "night" => (count.days(), false),
        "week" | "wk" => (count.weeks(), false),
        "fortnight" => ((count * 2).weeks(), false),
        "month" => (count.months(), false),
        "year" | "yr" => (count.years(), false),
        _ => return None,
    })
}
