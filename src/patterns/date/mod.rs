//! Dates, times and spans of time: numeric and named dates, days told from today, durations and clock times, each with the particle
//! that changes its meaning (`by Friday`, `in 2 days`); `on`, `at` and `for` stay outside. Recurrences and vague words are no dates.

mod absolute;
mod calendar;
mod clock;
mod compound;
mod duration;
mod particle;
mod relative;

use super::surroundings::{after, follows_one_of, joined, precedes_one_of};
use super::{Form, Pattern, ValueContext, overlap, surface};
use crate::text::Span;
use jiff::Zoned;
use jiff::civil::{Date as Day, Time};
use particle::Particle;
use serde_json::{Value, json};

pub(super) use absolute::is_numeric;

/// `2024-05-01`, `last Monday`, `by Friday`, `3 days`. The value is `{"date"}`, `{"start", "end"}`, `{"duration"}` (ISO 8601) or
/// `{"time"}`; none when only the time of writing or the region could tell.
pub struct Date;

/// Which particles belong to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// `by`, `since` and the like, or none.
    Point,
    /// Only after such a particle is it a date.
    PointOnly,
    /// `in`, `within`, `over` and those of a point, or none.
    Length,
    /// Only after one of them is it a date, or after `for`, which stays outside.
    LengthOnly,
    /// Only after such a particle, or after `in` or `from`, which stay outside.
    Month,
    /// As [`Takes::PointOnly`], where no noun follows.
    Ordinal,
}

/// One way to write a date.
struct Core {
    form: Form,
    takes: Takes,
}

impl Core {
    const fn new(takes: Takes, source: &'static str) -> Self {
        Self { form: Form::new(source), takes }
    }
}

/// What the words of a date mean once they are resolved.
#[derive(Debug, Clone)]
enum Meaning {
    Day(Day),
    Days(Day, Day),
    Moment(Day, Time),
    Length(jiff::Span),
    Clock(Time),
}

/// What a reading may use.
#[derive(Clone, Copy)]
struct Frame<'c> {
    now: Option<&'c Zoned>,
    region: Option<&'c str>,
    particle: Option<Particle>,
}

static CORES: &[&Core] = &[
    &absolute::NUMERIC,
    &absolute::NAMED,
    &absolute::MONTH,
    &absolute::YEAR,
    &absolute::ORDINAL,
    &relative::DAY,
    &relative::WEEKDAY,
    &relative::SHORT_WEEKDAY,
    &relative::PERIOD,
    &relative::FEAST,
    &relative::HOLIDAY,
    &duration::AGO,
    &duration::SEVERAL,
    &duration::SINGLE,
    &clock::CLOCK,
    &clock::NAMED,
];

/// Words that make a recurrence or a service of what follows.
const RECURRING: &[&str] = &["every", "each", "per", "other", "alternate", "black", "good", "cyber", "easter"];

/// Words that may follow an ordinal without making it count something.
const LINKS: &[&str] = &["please", "pls", "and", "or", "so", "but", "at", "if", "to", "because", "then", "thanks", "i", "it", "we", "my"];

impl Pattern for Date {
    fn label(&self) -> &'static str {
        "date"
    }

    fn forms(&self) -> Vec<&'static Form> {
        let cores = CORES.iter().map(|core| &core.form);
        cores.chain([&absolute::PARTS, &duration::AMOUNT, &clock::PARTS]).collect()
    }

    fn find(&self, text: &str) -> Vec<Span> {
        let spans =
            CORES.iter().flat_map(|core| core.form.spans(text).into_iter().filter_map(|span| extended(text, span, core.takes))).collect();
        compound::joined(text, overlap::longest_wins(spans, |span| *span))
    }

    fn value(&self, surface: &str, context: &ValueContext) -> Option<Value> {
        let words = surface::folded(surface).replace(',', " ");
        let words = words.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let (particle, rest) = particle::split(&words);
        let frame = Frame { now: context.now.as_ref(), region: context.region.as_deref(), particle };
        read_simple(rest, frame).or_else(|| compound::read(rest, frame)).map(|meaning| meaning.to_json())
    }

    fn has_exact_ends(&self) -> bool {
        false
    }
}

/// The core with its particle; none where the words around make it something else.
fn extended(text: &str, core: Span, takes: Takes) -> Option<Span> {
    let standing = !core.slice(text).starts_with("0-")
        && !follows_one_of(text, core.start, RECURRING)
        && !joined(text, core)
        && absolute::is_sound(core.slice(text));
    let length = matches!(takes, Takes::Length | Takes::LengthOnly);
    let describing = length && precedes_one_of(text, core.end, duration::NOT_SPANS);
    let counting = takes == Takes::Ordinal && !ends_phrase(text, core.end);
    if !standing || describing || counting {
        return None;
    }
    let outside: &[&str] = match takes {
        Takes::Month => &["in", "from"],
        Takes::LengthOnly => &["for"],
        _ => &[],
    };
    match particle::before(text, core.start) {
        Some((particle, start)) if particle.suits(length) => Some(Span { start, ..core }),
        _ if matches!(takes, Takes::Point | Takes::Length) || follows_one_of(text, core.start, outside) => Some(core),
        _ => None,
    }
}

/// Whether no noun follows that the words before would describe.
fn ends_phrase(text: &str, at: usize) -> bool {
    let next = after(text, at, 8).trim_start().chars().next();
    next.is_none_or(|c| !c.is_alphanumeric()) || precedes_one_of(text, at, LINKS)
}

fn read_simple(words: &str, frame: Frame<'_>) -> Option<Meaning> {
    absolute::numeric(words, frame)
        .or_else(|| duration::read(words, frame))
        .or_else(|| clock::read(words))
        .or_else(|| relative::read(words, frame))
        .or_else(|| absolute::named(words, frame))
}

impl Frame<'_> {
    fn today(&self) -> Option<Day> {
        self.now.map(Zoned::date)
    }
}

impl Meaning {
    fn to_json(&self) -> Value {
        match self {
            Self::Day(day) => json!({"date": day.to_string()}),
            Self::Days(start, end) => json!({"start": start.to_string(), "end": end.to_string()}),
            Self::Moment(day, time) => json!({"date": day.to_string(), "time": minutes(*time)}),
            Self::Length(length) => json!({"duration": length.to_string()}),
            Self::Clock(time) => json!({"time": minutes(*time)}),
        }
    }
}

fn minutes(time: Time) -> String {
    time.strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests;
