//! Numbers written in groups, whose ends only their check digits tell.

use crate::text::Span;

/// What such a number looks like.
pub struct Shape {
    /// Its first character.
    pub head: fn(char) -> bool,
    /// Every character of it.
    pub member: fn(char) -> bool,
    /// How many there are at most.
    pub longest: usize,
    /// Whether the characters, separators left out, are such a number.
    pub is: fn(&str) -> bool,
}

/// The numbers of a shape, each as long as it can be: groups that begin and end with a word, one separator between two.
#[must_use]
pub fn runs(text: &str, shape: &Shape) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut before = None;
    for (start, c) in text.char_indices() {
        let begins = (shape.head)(c) && !before.is_some_and(char::is_alphanumeric);
        before = Some(c);
        if begins && found.last().is_none_or(|last| last.end <= start) {
            found.extend(longest(text, start, shape));
        }
    }
    found
}

fn longest(text: &str, start: usize, shape: &Shape) -> Option<Span> {
    let rest = text.get(start..)?;
    let mut compact = String::with_capacity(shape.longest);
    // Length in bytes of the text and of the compact form wherever a group ends.
    let mut ends = Vec::new();
    let mut separated = false;
    for (at, c) in rest.char_indices() {
        if (shape.member)(c) && compact.len() < shape.longest {
            compact.push(c);
            separated = false;
        } else {
            if !separated && !c.is_alphanumeric() {
                ends.push((at, compact.len()));
            }
            if separated || !matches!(c, ' ' | '-' | '.' | '\u{a0}' | '\u{2010}' | '\u{2011}' | '\u{202f}') {
                return best(start, &compact, &ends, shape);
            }
            separated = true;
        }
    }
    if !separated {
        ends.push((rest.len(), compact.len()));
    }
    best(start, &compact, &ends, shape)
}

fn best(start: usize, compact: &str, ends: &[(usize, usize)], shape: &Shape) -> Option<Span> {
    let end = ends.iter().rev().find(|(_, length)| compact.get(..*length).is_some_and(shape.is))?;
    Some(Span { start, end: start + end.0 })
}
