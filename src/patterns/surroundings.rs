//! What stands beside a place in a text: the neighbouring characters and words a form depends on.

use crate::text::Span;
use unicode_normalization::char::is_combining_mark;

/// Characters that join the parts of one identifier or address.
const JOINTS: &[char] = &['-', '_', '/', '.', '@', '\\'];

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a word ends right before `at`, its combining marks included.
#[must_use]
pub fn touches(text: &str, at: usize) -> bool {
    let head = text.get(..at).unwrap_or_default();
    head.chars().rev().find(|&c| !is_combining_mark(c)).is_some_and(is_word)
}

/// Whether what ends at `at` goes on there: by a combining mark, or, when it is a word, by more of the word.
#[must_use]
pub fn continues(text: &str, at: usize, word: bool) -> bool {
    let next = text.get(at..).and_then(|rest| rest.chars().next());
    next.is_some_and(|c| is_combining_mark(c) || (word && is_word(c)))
}

/// Whether the span is a part of a longer run such as `a/b-c` or `1.2.3`.
#[must_use]
pub fn joined(text: &str, span: Span) -> bool {
    let mut before = text.get(..span.start).unwrap_or_default().chars().rev();
    let mut after = text.get(span.end..).unwrap_or_default().chars();
    let joint = |c: Option<char>| c.is_some_and(|c| JOINTS.contains(&c));
    (joint(before.next()) && before.next().is_some_and(is_word)) || (joint(after.next()) && after.next().is_some_and(is_word))
}

/// The text before `at`, at most `reach` bytes of it.
#[must_use]
pub fn before(text: &str, at: usize, reach: usize) -> &str {
    let mut from = at.saturating_sub(reach);
    while from < at && !text.is_char_boundary(from) {
        from += 1;
    }
    text.get(from..at).unwrap_or_default()
}

/// The text after `at`, at most `reach` bytes of it.
#[must_use]
pub fn after(text: &str, at: usize, reach: usize) -> &str {
    let mut to = at.saturating_add(reach).min(text.len());
    while to > at && !text.is_char_boundary(to) {
        to -= 1;
    }
    text.get(at..to).unwrap_or_default()
}

/// The last word before `at`, when only white space lies between.
#[must_use]
pub fn word_before(text: &str, at: usize) -> Option<Span> {
    let head = before(text, at, 32);
    let trimmed = head.trim_end();
    let word = trimmed.char_indices().rev().take_while(|&(_, c)| is_word(c) || c == '\'').last();
    let base = at - head.len();
    word.map(|(start, _)| Span { start: base + start, end: base + trimmed.len() })
}

/// Whether the word before `at` is one of `words`, which are lower-case.
#[must_use]
pub fn follows_one_of(text: &str, at: usize, words: &[&str]) -> bool {
    word_before(text, at).is_some_and(|span| words.contains(&span.slice(text).to_lowercase().as_str()))
}

/// Whether the word after `at` is one of `words`, which are lower-case.
#[must_use]
pub fn precedes_one_of(text: &str, at: usize, words: &[&str]) -> bool {
    let word: String = after(text, at, 32).trim_start().chars().take_while(|&c| is_word(c)).collect();
    words.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_seen_through_marks_and_emoji() {
        assert!(touches("e\u{301}x", 3));
        assert!(!touches("\u{2764}\u{fe0f}x", 6));
        assert!(continues("1\u{20e3}", 1, false));
        assert!(!continues("$a", 1, false));
    }

    #[test]
    fn windows_keep_character_boundaries() {
        let text = "\u{1f600}\u{1f600}ab";
        assert_eq!(before(text, 8, 5), "\u{1f600}");
        assert_eq!(after(text, 0, 5), "\u{1f600}");
        assert_eq!(before(text, 99, 5), "");
    }

    #[test]
    fn neighbouring_words_are_named() {
        let text = "send it By  Friday please";
        assert_eq!(word_before(text, 12).map(|s| s.slice(text)), Some("By"));
        assert!(follows_one_of(text, 12, &["by"]));
        assert!(precedes_one_of(text, 18, &["please"]));
        assert_eq!(word_before("! x", 2), None);
        assert!(joined("A-12", Span { start: 2, end: 4 }));
        assert!(!joined("12. Then", Span { start: 0, end: 2 }));
    }
}
