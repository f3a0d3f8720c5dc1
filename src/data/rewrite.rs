//! A text with some spans replaced, and where every other span of it has gone.

use crate::text::Span;

/// A span and what replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The place in the old text.
    pub span: Span,
    /// The new words.
    pub words: String,
}

/// A rewritten text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The new text.
    pub text: String,
    /// Old and new place of each edit.
    places: Vec<(Span, Span)>,
}

impl Rewritten {
    /// Applies edits, which are sorted and apart.
    #[must_use]
    pub fn new(text: &str, edits: &[Edit]) -> Self {
        let (mut out, mut places, mut done) = (String::with_capacity(text.len()), Vec::with_capacity(edits.len()), 0);
        for Edit { span, words } in edits {
            out.push_str(text.get(done..span.start).unwrap_or_default());
            let start = out.len();
            out.push_str(words);
            places.push((*span, Span { start, end: out.len() }));
            done = span.end;
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Self { text: out, places }
    }

    /// Where a span of the old text is in the new one. A span that shares a byte with an edit covers all of what replaces it.
    #[must_use]
    pub fn span(&self, old: Span) -> Span {
        let start = self.places.iter().rev().find(|(edit, _)| edit.start < old.start);
        let end = self.places.iter().rev().find(|(edit, _)| edit.start < old.end);
        let moved = |at: usize, last: Option<&(Span, Span)>, inside: fn(Span) -> usize| match last {
            None => at,
            Some((edit, new)) if at < edit.end => inside(*new),
            Some((edit, new)) => new.end + (at - edit.end),
        };
        Span { start: moved(old.start, start, |new| new.start), end: moved(old.end, end, |new| new.end) }
    }
}

/// Finds that overlap or touch across one blank, joined to one under the item of the longest; sorted.
#[must_use]
pub fn joined<K: Copy + PartialEq>(text: &str, mut finds: Vec<(Span, K)>, across_blank: impl Fn(K) -> bool) -> Vec<(Span, K)> {
    finds.sort_by_key(|(span, _)| (span.start, std::cmp::Reverse(span.end)));
    let mut out: Vec<(Span, K, usize)> = Vec::new();
    for (span, kind) in finds {
        if let Some((last, last_kind, longest)) = out.last_mut() {
            let gap = text.get(last.end..span.start);
            let same = *last_kind == kind && across_blank(kind) && gap.is_some_and(|gap| gap == " " || gap == "-");
            if span.start < last.end || same {
                last.end = last.end.max(span.end);
                if span.len() > *longest {
                    (*last_kind, *longest) = (kind, span.len());
                }
                continue;
            }
        }
        out.push((span, kind, span.len()));
    }
    out.into_iter().map(|(span, kind, _)| (span, kind)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    #[test]
    fn spans_move_with_their_words() {
        let text = "mail a@b.co the red kettle";
        let new = Rewritten::new(text, &[Edit { span: span(5, 11), words: "[EMAIL]".into() }]);
        assert_eq!(new.text, "mail [EMAIL] the red kettle");
        assert_eq!(new.span(span(16, 19)).slice(&new.text), "red");
        assert_eq!(new.span(span(0, 4)).slice(&new.text), "mail");
        assert_eq!(new.span(span(5, 11)).slice(&new.text), "[EMAIL]");
        assert_eq!(new.span(span(7, 9)).slice(&new.text), "[EMAIL]");
        assert_eq!(new.span(span(9, 15)).slice(&new.text), "[EMAIL] the");
    }

    #[test]
    fn finds_that_overlap_become_one() {
        let finds = vec![(span(4, 9), 'b'), (span(0, 5), 'a'), (span(2, 8), 'c'), (span(10, 12), 'b')];
        assert_eq!(joined("0123456789 2", finds, |_| false), [(span(0, 9), 'c'), (span(10, 12), 'b')]);
        assert_eq!(joined("Ina Mo", vec![(span(0, 3), 'n'), (span(4, 6), 'n')], |_| true), [(span(0, 6), 'n')]);
    }

    proptest! {
        #[test]
        fn what_is_outside_the_edits_is_sliced_as_before(
            text in "[a-z \u{e9}\u{1f600}]{1,40}",
            cuts in prop::collection::btree_set(0usize..40, 0..8),
            words in "[A-Z\u{df}]{0,6}",
            (a, b) in (0usize..40, 0usize..40),
        ) {
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            let at = |index: usize| boundaries[index.min(boundaries.len() - 1)];
            let cuts: Vec<usize> = cuts.into_iter().map(at).collect();
            let edits: Vec<Edit> = cuts.chunks_exact(2).filter(|pair| pair[0] < pair[1]).map(|pair| Edit { span: span(pair[0], pair[1]), words: words.clone() }).collect();
            let new = Rewritten::new(&text, &edits);
            let old = span(at(a.min(b)), at(a.max(b)));
            prop_assume!(!old.is_empty());
            let moved = new.span(old);
            prop_assert!(new.text.get(moved.start..moved.end).is_some(), "{:?} in {:?}", moved, new.text);
            if edits.iter().all(|edit| !edit.span.overlaps(old)) {
                prop_assert_eq!(moved.slice(&new.text), old.slice(&text));
            }
        }
    }
}
