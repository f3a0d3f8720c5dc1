//! Times of day: `3pm`, `11:42`, `noon`.

use super::{Core, Meaning, Takes};
use crate::patterns::Form;
use jiff::civil::Time;

pub static CLOCK: Core = Core::new(
    Takes::Point,
    "(?:1[0-2]|0?[1-9])(?:[:.][0-5][0-9])? ?(?:[ap]m|[AP]M|[ap]\\.m\\.)|(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?|(?i:noon)",
);
pub static NAMED: Core = Core::new(Takes::PointOnly, "(?i:midnight|midday)");
pub static PARTS: Form = Form::new("(?P<h>[0-9]{1,2})(?:[:.](?P<m>[0-9]{2}))?(?::[0-9]{2})? ?(?P<half>[ap]\\.?m\\.?)?");

/// A time of day.
pub fn read(words: &str) -> Option<Meaning> {
    let at = |hour: i8, minute: i8| Time::new(hour, minute, 0, 0).ok().map(Meaning::Clock);
    match words {
        "noon" | "midday" => return at(12, 0),
        "midnight" => return at(0, 0),
        _ => {}
    }
    let parts = PARTS.read(words)?;
    let number = |name: &str| parts.name(name).and_then(|part| part.as_str().parse::<i8>().ok());
    let hour = number("h")?;
    match parts.name("half").map(|half| half.as_str().starts_with('p')) {
        Some(_) if !(1..=12).contains(&hour) => None,
        Some(afternoon) => at(hour % 12 + if afternoon { 12 } else { 0 }, number("m").unwrap_or(0)),
        None => at(hour, number("m")?),
    }
}
