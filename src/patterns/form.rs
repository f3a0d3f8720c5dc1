//! One written form as a regular expression, compiled at its first use and then kept. A space in a form, outside brackets, is up to
//! three blanks of any kind, but no new line.
//!
//! The engine runs in time linear in the text and has no look-around, so what stands beside a match is checked here, in characters: a
//! match may not begin or end inside a word, nor lose a combining mark that belongs to its last character.

use super::surroundings::{continues, touches};
use crate::text::Span;
use regex::{Captures, Regex};
use std::sync::OnceLock;

/// A regular expression with an optional group `v`, the part that is the entity.
pub struct Form {
    source: &'static str,
    anywhere: OnceLock<Option<Regex>>,
    whole: OnceLock<Option<Regex>>,
}

/// One match of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Everything matched, cue words included.
    pub all: Span,
    /// The group `v`, or everything where the form has no such group.
    pub entity: Span,
}

impl Form {
    /// A form that is compiled when first used. One that does not compile never matches; the tests of [`super::PATTERNS`] refuse it.
    #[must_use]
    pub const fn new(source: &'static str) -> Self {
        Self { source, anywhere: OnceLock::new(), whole: OnceLock::new() }
    }

    /// Whether the expression is one.
    #[must_use]
    pub fn compiles(&self) -> bool {
        self.anywhere().is_some() && self.entire().is_some()
    }

    /// The matches that do not cut a word, in reading order.
    #[must_use]
    pub fn hits(&self, text: &str) -> Vec<Hit> {
        let Some(regex) = self.anywhere() else { return Vec::new() };
        let span = |m: regex::Match<'_>| Span { start: m.start(), end: m.end() };
        regex
            .captures_iter(text)
            .filter_map(|captures| {
                let all = span(captures.get(0)?);
                Some(Hit { all, entity: captures.name("v").map_or(all, span) })
            })
            .filter(|hit| !cuts_a_word(text, hit.all))
            .collect()
    }

    /// The entities of [`Form::hits`].
    #[must_use]
    pub fn spans(&self, text: &str) -> Vec<Span> {
        self.hits(text).into_iter().map(|hit| hit.entity).collect()
    }

    /// The groups, when the form matches the surface from its first to its last character.
    #[must_use]
    pub fn read<'s>(&self, surface: &'s str) -> Option<Captures<'s>> {
        self.entire()?.captures(surface)
    }

    /// Whether the form matches the surface from its first to its last character.
    #[must_use]
    pub fn is(&self, surface: &str) -> bool {
        self.entire().is_some_and(|regex| regex.is_match(surface))
    }

    fn anywhere(&self) -> Option<&Regex> {
        self.anywhere.get_or_init(|| Regex::new(&with_blanks(self.source)).ok()).as_ref()
    }

    fn entire(&self) -> Option<&Regex> {
        self.whole.get_or_init(|| Regex::new(&format!("^(?:{})$", with_blanks(self.source))).ok()).as_ref()
    }
}

/// The source with its spaces replaced, those in brackets and escapes kept.
fn with_blanks(source: &str) -> String {
    let (mut out, mut bracketed, mut escaped) = (String::with_capacity(source.len() * 2), false, false);
    for c in source.chars() {
        match c {
            ' ' if !bracketed && !escaped => out.push_str(r"(?:[\s--\r\n]{1,3})"),
            c => out.push(c),
        }
        bracketed = !escaped && (c == '[' || (bracketed && c != ']')) || (escaped && bracketed);
        escaped = c == '\\' && !escaped;
    }
    out
}

fn cuts_a_word(text: &str, span: Span) -> bool {
    let inside = span.slice(text);
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let before = word(inside.chars().next()) && touches(text, span.start);
    before || continues(text, span.end, word(inside.chars().next_back()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_stand_alone() {
        let form = Form::new("[a-z]-(?P<v>[0-9]{2})");
        for (text, wanted) in [
            ("a-12", vec!["12"]),
            ("xa-12 b-34", vec!["34"]),
            ("a-123", vec![]),
            ("a-12\u{301}", vec![]),
            ("e\u{301}a-12", vec![]),
            ("\u{2764}\u{fe0f}a-12\u{1f600}", vec!["12"]),
            ("2\u{fe0f}\u{20e3}", vec![]),
        ] {
            let found: Vec<&str> = form.spans(text).iter().map(|s| s.slice(text)).collect();
            assert_eq!(found, wanted, "{text}");
        }
    }

    #[test]
    fn a_space_is_any_blank() {
        let form = Form::new("a ?b[ x]c");
        for (text, wanted) in [("ab c", true), ("a  bxc", true), ("a\u{a0}b c", true), ("a\nb c", false), ("ab\u{a0}c", false)] {
            assert_eq!(form.is(text), wanted, "{text:?}");
        }
    }

    #[test]
    fn a_whole_reading_leaves_nothing_out() {
        let form = Form::new("a|ab");
        assert!(form.is("ab"));
        assert!(!form.is("abc"));
        assert!(!Form::new("(").compiles());
        assert!(Form::new("(").spans("(").is_empty());
    }
}
