//! Dates told from today: `yesterday`, `last Monday`, `next week`, `Christmas`.
//!
//! A weekday is never today: `last Monday` is the one before today, `next`, `this` or `by Friday` the first one after. Weeks run from
//! Monday to Sunday (ISO 8601). A bare `Monday` may be either one, so it has no value.

use super::absolute::nearest;
use super::calendar::{feast, month, month_name, weekday, weekday_name};
use super::particle::Particle;
use super::{Core, Frame, Meaning, Takes};
use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan};

macro_rules! part {
    () => {
        "(?i:morning|afternoon|evening|night)"
    };
}

pub static DAY: Core = Core::new(
    Takes::Point,
    concat!(
        "(?i:(?:the )?day before yesterday|(?:the )?day after tomorrow|(?:today|tonight|tomorrow|tmrw|yesterday)",
        "(?: ",
        part!(),
        ")?|(?:this|last) ",
        part!(),
        ")"
    ),
);
pub static WEEKDAY: Core = Core::new(
    Takes::Point,
    concat!(
        "(?:(?i:last|next|this|coming|past) )?",
        weekday_name!(),
        "(?: ",
        part!(),
        ")?|(?i:last|next|this) (?i:mon|tue|wed|thu|thur|fri|sat|sun)"
    ),
);
pub static SHORT_WEEKDAY: Core = Core::new(Takes::PointOnly, "(?i:mon|tue|wed|thu|thur|fri|sat|sun)");
pub static PERIOD: Core = Core::new(Takes::Point, concat!("(?i:last|this|next) (?:(?i:weekend|week|month|year)|", month_name!(), ")"));
pub static FEAST: Core = Core::new(
    Takes::Point,
    "(?i:christmas eve|christmas day|new year['\u{2019}]?s (?:eve|day)|boxing day|valentine['\u{2019}]?s day|black friday|cyber monday|good friday|easter (?:sunday|monday))",
);
pub static HOLIDAY: Core = Core::new(
    Takes::PointOnly,
    concat!(
        "(?i:christmas|xmas|new year|easter|halloween|the weekend)|(?i:(?:the )?end of )(?:(?i:(?:the |this |next )?(?:week|month|year))|",
        month_name!(),
        "|",
        weekday_name!(),
        ")"
    ),
);

/// A date told from today; none without a `now`.
pub fn read(words: &str, frame: Frame<'_>) -> Option<Meaning> {
    let today = frame.today()?;
    let words = without_part(words);
    let shifted = |days: i64| today.checked_add(days.days()).ok().map(Meaning::Day);
    match words {
        "today" | "tonight" | "this" => shifted(0),
        "tomorrow" | "tmrw" => shifted(1),
        "yesterday" | "last" => shifted(-1),
        "day before yesterday" => shifted(-2),
        "day after tomorrow" => shifted(2),
        _ => end_of(words, frame)
            .or_else(|| period(words, today))
            .or_else(|| on_weekday(words, today, frame.particle).map(Meaning::Day))
            .or_else(|| nearest(frame, |year| feast(words, year)).map(Meaning::Day)),
    }
}

/// The words without the part of the day; `last night` is then `last`.
fn without_part(words: &str) -> &str {
    ["morning", "afternoon", "evening", "night"].iter().find_map(|part| words.strip_suffix(part)?.strip_suffix(' ')).unwrap_or(words)
}

fn end_of(words: &str, frame: Frame<'_>) -> Option<Meaning> {
    let of = words.strip_prefix("end of ")?;
    let of = of.strip_prefix("the ").unwrap_or(of);
    let whole = match of {
        "week" | "month" | "year" => period(&format!("this {of}"), frame.today()?),
        named => read(named, frame).or_else(|| super::absolute::named(named, frame)),
    };
    match whole? {
        Meaning::Day(end) | Meaning::Days(_, end) => Some(Meaning::Day(end)),
        _ => None,
    }
}

/// `last week`, `this weekend`, `next month`, `last May`.
fn period(words: &str, today: Date) -> Option<Meaning> {
    let (which, what) = words.split_once(' ').unwrap_or(("this", words));
    let step: i64 = match which {
        "last" | "past" => -1,
        "this" => 0,
        "next" | "coming" => 1,
        _ => return None,
    };
    let moved = |span: Span| today.checked_add(span).ok();
    let monday = |date: Date| date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).ok();
    match what {
        "week" => monday(moved(step.weeks())?).and_then(|first| Some(Meaning::Days(first, first.checked_add(6.days()).ok()?))),
        "weekend" => {
            let first = monday(moved(step.weeks())?)?;
            Some(Meaning::Days(first.checked_add(5.days()).ok()?, first.checked_add(6.days()).ok()?))
        }
        "month" => moved(step.months()).map(|date| Meaning::Days(date.first_of_month(), date.last_of_month())),
        "year" => moved(step.years()).map(|date| Meaning::Days(date.first_of_year(), date.last_of_year())),
        name => named_month(month(name).filter(|_| which != "this" || words.contains(' '))?, step, today),
    }
}

fn named_month(month: i8, step: i64, today: Date) -> Option<Meaning> {
    let fits = |first: &Date| match step {
        -1 => first.last_of_month() < today,
        1 => *first > today,
        _ => first.year() == today.year(),
    };
    let mut years = [today.year() - 1, today.year(), today.year() + 1];
    if step < 0 {
        years.reverse();
    }
    let first = years.into_iter().filter_map(|year| Date::new(year, month, 1).ok()).find(fits)?;
    Some(Meaning::Days(first, first.last_of_month()))
}

fn on_weekday(words: &str, today: Date, particle: Option<Particle>) -> Option<Date> {
    let (which, name) = words.split_once(' ').unwrap_or(("", words));
    let day: Weekday = weekday(name)?;
    let nth = match (which, particle) {
        ("last" | "past", _) | ("", Some(Particle::Since)) => -1,
        ("next" | "this" | "coming", _) | ("", Some(Particle::Deadline | Particle::Side)) => 1,
        _ => return None,
    };
    today.nth_weekday(nth, day).ok()
}
