//! Dates that name their day, month or year: `2024-05-01`, `12/04/2025`, `3rd of May`, `May 2023`.

use super::calendar::{month, month_name, weekday, weekday_name};
use super::particle::Particle;
use super::{Core, Frame, Meaning, Takes};
use crate::patterns::{Form, surface};
use jiff::ToSpan;
use jiff::civil::Date;

pub static NUMERIC: Core = Core::new(
    Takes::Point,
    concat!(
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?|[0-9]{4}/[0-9]{2}/[0-9]{2}|",
        "[0-9]{1,2}/[0-9]{1,2}/(?:[0-9]{4}|[0-9]{2})|[0-9]{1,2}[.-][0-9]{1,2}[.-][0-9]{4}|(?:0?[1-9]|1[0-2])/20[0-9]{2}"
    ),
);
pub static NAMED: Core = Core::new(
    Takes::Point,
    concat!(
        "(?:",
        weekday_name!(),
        ",? (?:the )?)?(?:[0-9]{1,2}(?:st|nd|rd|th)?(?: of)? ",
        month_name!(),
        "(?:\\.?,? (?:19|20)[0-9]{2})?|",
        month_name!(),
        "\\.? (?:(?:19|20)[0-9]{2}|[0-9]{1,2}(?:st|nd|rd|th)?(?:,? (?:19|20)[0-9]{2})?))"
    ),
);
pub static MONTH: Core = Core::new(Takes::Month, month_name!());
pub static YEAR: Core = Core::new(Takes::Month, "20[0-4][0-9]|19[5-9][0-9]");
pub static ORDINAL: Core = Core::new(Takes::Ordinal, "(?i:the )?(?:[12]?[0-9]|3[01])(?i:st|nd|rd|th)");
pub static PARTS: Form = Form::new("(?P<a>[0-9]{1,4})(?P<x>[-/.])(?P<b>[0-9]{1,2})(?P<y>[-/.])(?P<c>[0-9]{1,4})(?:t.*)?");

/// Countries that write the month before the day.
const MONTH_FIRST: &[&str] = &["US", "PH", "FM", "MH", "PW", "PR", "GU", "VI", "AS", "MP", "UM"];

/// Countries that write it either way.
const EITHER: &[&str] = &["CA", "KE", "ZA"];

/// Whether the surface has the form of a numeric date, and so is no other number.
#[must_use]
pub fn is_numeric(surface: &str) -> bool {
    NUMERIC.form.is(surface) && candidates(surface).is_some()
}

/// Whether numbers and letter case allow a date: the day exists, and `may` is no verb.
#[must_use]
pub fn is_sound(surface: &str) -> bool {
    let surface = surface::plain(surface);
    let surface = surface.as_str();
    if NUMERIC.form.is(surface) {
        return candidates(surface).is_some();
    }
    let lower = surface.to_lowercase();
    let dated = surface.chars().any(|c| c.is_ascii_digit())
        && surface.split(' ').any(|word| word.len() >= 4 && word.starts_with(|c: char| c.is_ascii_digit()));
    let verb = surface.split(' ').any(|word| word == "may") && !dated && !lower.contains("of may") && !ordinal(surface);
    let days = lower.split([' ', ',']).filter_map(|word| word.trim_end_matches(char::is_alphabetic).parse::<u16>().ok());
    let named = NAMED.form.is(surface);
    let exists = !named || days.into_iter().all(|number| (1..=31).contains(&number) || number >= 1900);
    !verb && exists
}

fn ordinal(surface: &str) -> bool {
    surface.split(' ').any(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.ends_with(char::is_alphabetic))
}

/// A numeric date; none when day and month could change places and the region does not tell.
pub fn numeric(words: &str, frame: Frame<'_>) -> Option<Meaning> {
    let readings = candidates(words)?;
    match readings {
        Readings::Month(year, month) => whole_month(year, month),
        Readings::One(day) => Some(Meaning::Day(day)),
        Readings::Two { day_first, month_first } => {
            let region = frame.region?.to_ascii_uppercase();
            let region = region.as_str();
            let day = if MONTH_FIRST.contains(&region) { month_first } else { day_first };
            (!EITHER.contains(&region)).then_some(Meaning::Day(day))
        }
    }
}

enum Readings {
    One(Date),
    Two { day_first: Date, month_first: Date },
    Month(i16, i8),
}

fn candidates(words: &str) -> Option<Readings> {
    let words = words.to_lowercase();
    if let Some(month) = month_and_year(&words) {
        return Some(month);
    }
    let parts = PARTS.read(&words)?;
    let number = |name: &str| parts.name(name).and_then(|part| part.as_str().parse::<i16>().ok());
    let width = |name: &str| parts.name(name).map_or(0, |part| part.len());
    let (a, b, c) = (number("a")?, number("b")?, number("c")?);
    let mark = parts.name("x")?.as_str();
    if mark != parts.name("y")?.as_str() {
        return None;
    }
    if width("a") == 4 {
        return exact(a, b, c).map(Readings::One);
    }
    let year = if width("c") == 2 { 2000 + c } else { c };
    let (day_first, month_first) = (exact(year, b, a), exact(year, a, b).filter(|_| mark != "."));
    match (day_first, month_first) {
        (Some(day), None) | (None, Some(day)) => Some(Readings::One(day)),
        (Some(day), Some(other)) if day == other => Some(Readings::One(day)),
        (Some(day_first), Some(month_first)) => Some(Readings::Two { day_first, month_first }),
        (None, None) => None,
    }
}

fn month_and_year(words: &str) -> Option<Readings> {
    let (month, year) = words.split_once('/')?;
    let (month, year) = (month.parse().ok()?, year.parse().ok()?);
    ((1..=12).contains(&month) && (2000..2100).contains(&year)).then_some(Readings::Month(year, month))
}

fn exact(year: i16, month: i16, day: i16) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    Date::new(year, month, day).ok().filter(|_| (1900..2200).contains(&year))
}

fn whole_month(year: i16, month: i8) -> Option<Meaning> {
    let first = Date::new(year, month, 1).ok()?;
    Some(Meaning::Days(first, first.last_of_month()))
}

/// A date that names its month, or only a year: `3rd of may`, `may 3 2025`, `last may`, `2021`.
pub fn named(words: &str, frame: Frame<'_>) -> Option<Meaning> {
    let (mut day, mut found, mut year) = (None, None, None);
    let ordinal = ordinal(words);
    for word in words.split(' ').filter(|word| !matches!(*word, "of" | "the")) {
        let number = word
            .strip_suffix("st")
            .or_else(|| word.strip_suffix("nd"))
            .or_else(|| word.strip_suffix("rd"))
            .or_else(|| word.strip_suffix("th"));
        let number = number.unwrap_or(word).parse::<i16>().ok();
        match number {
            Some(number) if (1..=31).contains(&number) && day.is_none() => day = Some(number),
            Some(number) if (1900..2200).contains(&number) && year.is_none() => year = Some(number),
            None if found.is_none() && month(word).is_some() => found = month(word),
            None if weekday(word).is_some() => {}
            _ => return None,
        }
    }
    match (day, found, year) {
        (Some(day), Some(month), Some(year)) => exact(year, i16::from(month), day).map(Meaning::Day),
        (Some(day), Some(month), None) => nearest(frame, |year| exact(year, i16::from(month), day)).map(Meaning::Day),
        (None, Some(month), Some(year)) => whole_month(year, month),
        (None, Some(month), None) => {
            nearest(frame, |year| Date::new(year, month, 1).ok()).and_then(|first| whole_month(first.year(), month))
        }
        (Some(day), None, None) if ordinal => day_of_month(i8::try_from(day).ok()?, frame).map(Meaning::Day),
        (None, None, Some(year)) => Some(Meaning::Days(Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?)),
        _ => None,
    }
}

/// The yearly day that is meant: the last one after `since`, the next one after `by` or `until`, else the one closest to now.
pub fn nearest(frame: Frame<'_>, in_year: impl Fn(i16) -> Option<Date>) -> Option<Date> {
    let today = frame.today()?;
    let years = [today.year() - 1, today.year(), today.year() + 1];
    closest(years.into_iter().filter_map(in_year), today, frame)
}

/// The same among months, for a day such as `the 15th`.
fn day_of_month(day: i8, frame: Frame<'_>) -> Option<Date> {
    let today = frame.today()?;
    let months = (-2..=2).filter_map(|step: i64| today.first_of_month().checked_add(step.months()).ok());
    closest(months.filter_map(|month| Date::new(month.year(), month.month(), day).ok()), today, frame)
}

fn closest(days: impl Iterator<Item = Date>, today: Date, frame: Frame<'_>) -> Option<Date> {
    let suits = |date: &Date| match frame.particle {
        Some(Particle::Since) => *date <= today,
        Some(Particle::Deadline) => *date >= today,
        _ => true,
    };
    let distance = |date: &Date| date.duration_since(today).as_hours().abs();
    days.filter(suits).min_by_key(distance)
}
