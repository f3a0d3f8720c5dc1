//! One winner where spans overlap.

use crate::text::Span;
use std::collections::BTreeMap;

/// Keeps each item, in the order given, unless it overlaps one kept before; the result is sorted by place.
#[must_use]
pub fn first_wins<T>(items: Vec<T>, span: impl Fn(&T) -> Span) -> Vec<T> {
    let mut kept: BTreeMap<usize, (usize, T)> = BTreeMap::new();
    for item in items {
        let Span { start, end } = span(&item);
        let free = kept.range(..end).next_back().is_none_or(|(_, (other, _))| *other <= start);
        if start < end && free {
            kept.insert(start, (end, item));
        }
    }
    kept.into_values().map(|(_, item)| item).collect()
}

/// Keeps the longest of what overlaps, of equals the first given; the result is sorted by place.
#[must_use]
pub fn longest_wins<T>(mut items: Vec<T>, span: impl Fn(&T) -> Span) -> Vec<T> {
    items.sort_by_key(|item| std::cmp::Reverse(span(item).len()));
    first_wins(items, span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(pairs: &[(usize, usize)]) -> Vec<Span> {
        pairs.iter().map(|&(start, end)| Span { start, end }).collect()
    }

    #[test]
    fn the_first_or_the_longest_stays() {
        let given = spans(&[(4, 6), (0, 5), (6, 9), (9, 9), (5, 7)]);
        assert_eq!(first_wins(given.clone(), |s| *s), spans(&[(4, 6), (6, 9)]));
        assert_eq!(longest_wins(given, |s| *s), spans(&[(0, 5), (6, 9)]));
    }
}
