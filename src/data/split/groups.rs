//! Which rows must stay on one side? Those of one conversation, and those whose texts say the same.
//!
//! Two conversations that begin with the same `hi` are not the same example, and a chain of such texts would tie the whole data together.
//! So a text ties conversations only up to a size; the rows beyond are told by [`Groups::untied`].

use crate::data::Record;
use crate::data::folding::key;
use std::collections::{BTreeMap, HashMap};

/// Rows, by index, in groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// Each row once; groups in the order of their first rows.
    pub groups: Vec<Vec<usize>>,
    /// Rows of one text that lie in several groups.
    pub untied: Vec<Vec<usize>>,
}

/// Groups the rows; texts tie conversations to groups of at most `most` rows.
#[must_use]
pub fn groups(records: &[Record], most: usize) -> Groups {
    let mut sets = Sets::new(records.len());
    let mut conversations: HashMap<&str, usize> = HashMap::new();
    let mut texts: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        let row = &record.row;
        if let Some(conversation) = &row.conversation {
            let first = *conversations.entry(conversation).or_insert(index);
            sets.join(first, index);
        }
        if row.is_of_customer() {
            texts.entry(key(row.context.iter().map(|turn| turn.text.as_str()), &row.text)).or_default().push(index);
        }
    }
    let mut texts: Vec<Vec<usize>> = texts.into_values().filter(|rows| rows.len() > 1).collect();
    // What stands in few rows says more about them, and ties them first.
    texts.sort_by_key(|rows| (rows.len(), rows.first().copied()));
    let alone = |index: &usize| records.get(*index).is_some_and(|record| record.row.conversation.is_none());
    for rows in &texts {
        let lone: Vec<usize> = rows.iter().copied().filter(alone).collect();
        for pair in lone.windows(2) {
            if let [a, b] = pair {
                sets.join(*a, *b);
            }
        }
        for &index in rows {
            let Some(&first) = rows.first() else { continue };
            if sets.size(first) + sets.size(index) <= most {
                sets.join(first, index);
            }
        }
    }
    texts.retain(|rows| rows.windows(2).any(|pair| matches!(pair, [a, b] if sets.root(*a) != sets.root(*b))));
    Groups { groups: sets.groups(), untied: texts }
}

/// Disjoint sets of row indices.
struct Sets {
    parents: Vec<usize>,
    sizes: Vec<usize>,
}

impl Sets {
    fn new(rows: usize) -> Self {
        Self { parents: (0..rows).collect(), sizes: vec![1; rows] }
    }

    fn root(&mut self, mut index: usize) -> usize {
        while let Some(&parent) = self.parents.get(index)
            && parent != index
        {
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(index) {
                *slot = above;
            }
            index = above;
        }
        index
    }

    fn size(&mut self, index: usize) -> usize {
        let root = self.root(index);
        self.sizes.get(root).copied().unwrap_or_default()
    }

    /// Joins the two sets; the earlier root stays, so that groups are in the order of their first rows.
    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        let (kept, gone) = (a.min(b), a.max(b));
        if kept == gone {
            return;
        }
        let moved = self.sizes.get(gone).copied().unwrap_or_default();
        if let (Some(parent), Some(size)) = (self.parents.get_mut(gone), self.sizes.get_mut(kept)) {
            *parent = kept;
            *size += moved;
        }
    }

    fn groups(&mut self) -> Vec<Vec<usize>> {
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in 0..self.parents.len() {
            groups.entry(self.root(index)).or_default().push(index);
        }
        groups.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::split::testing::records;

    #[test]
    fn conversations_and_equal_texts_stay_together() {
        let records =
            records(&[("a", None, "Hello"), ("b", Some("1"), "x"), ("c", None, "hello!"), ("d", Some("1"), "y"), ("e", Some("2"), "X")]);
        let groups = groups(&records, 10);
        assert_eq!(groups.groups, [vec![0, 2], vec![1, 3, 4]]);
        assert_eq!(groups.untied, Vec::<Vec<usize>>::new());
    }

    #[test]
    fn a_greeting_does_not_tie_all_conversations() {
        let names: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        let rows: Vec<_> = names.iter().map(|name| ("greeting", Some(name.as_str()), "hi")).collect();
        let groups = groups(&records(&rows), 4);
        assert!(groups.groups.iter().all(|group| group.len() <= 4), "{groups:?}");
        assert_eq!(groups.untied, [(0..9).collect::<Vec<_>>()]);
    }
}
