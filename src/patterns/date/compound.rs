//! A day and a time of day side by side are one date: `Saturday 1 pm`, `6:30 tomorrow`; so are two times with `to` between them.

use super::{Frame, Meaning, clock, particle, read_simple};
use crate::patterns::surface;
use crate::text::Span;

/// Joins neighbouring dates, which are sorted and apart, where they make one.
#[must_use]
pub fn joined(text: &str, spans: Vec<Span>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if make_one(text, *last, span) => last.end = span.end,
            _ => out.push(span),
        }
    }
    out
}

fn make_one(text: &str, first: Span, second: Span) -> bool {
    let between = Span { start: first.end, end: second.start }.slice(text);
    match (is_clock(first.slice(text)), is_clock(second.slice(text))) {
        (true, true) => matches!(between, " to " | "-" | " - " | "\u{2013}" | " \u{2013} "),
        (true, false) => between == " " && is_day(second.slice(text)),
        (false, true) => matches!(between, " " | ", ") && is_day(first.slice(text)),
        (false, false) => false,
    }
}

fn is_clock(surface: &str) -> bool {
    clock::read(particle::split(&surface::folded(surface)).1).is_some()
}

/// A day, and not a length of time.
fn is_day(surface: &str) -> bool {
    !super::duration::AMOUNT.is(particle::split(&surface::folded(surface)).1)
}

/// A day with a time of day before or behind it, in lower case; the particle stands before the whole or before the time.
pub fn read(words: &str, frame: Frame<'_>) -> Option<Meaning> {
    let gaps = words.match_indices(' ').map(|(place, _)| place);
    gaps.filter_map(|place| Some((words.get(..place)?, words.get(place + 1..)?))).find_map(|(head, tail)| {
        let behind = clock::read(particle::split(tail).1).and_then(|time| moment(head, time, frame));
        behind.or_else(|| clock::read(head).and_then(|time| moment(tail, time, frame)))
    })
}

fn moment(day: &str, time: Meaning, frame: Frame<'_>) -> Option<Meaning> {
    match (read_simple(day, frame)?, time) {
        (Meaning::Day(day), Meaning::Clock(time)) => Some(Meaning::Moment(day, time)),
        _ => None,
    }
}
