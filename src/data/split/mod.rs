//! Data dealt out to train, valid and test, so that a score on one side says something about the next customer.
//!
//! `groups.rs` says what stays together, `assign.rs` where it goes.

mod assign;
mod groups;
#[cfg(test)]
mod testing;

use super::{PerSplit, Record, Split};
use std::collections::BTreeMap;

/// How data is dealt out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitOptions {
    /// Share of valid.
    pub valid: f64,
    /// Share of test.
    pub test: f64,
    /// Of every random choice.
    pub seed: u64,
}

/// Why data cannot be dealt out.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SplitError {
    /// A share that is none, or shares that leave nothing to train on.
    #[error("shares of {valid} for valid and {test} for test make no sense; each lies in [0, 1), and both together below 1")]
    Shares {
        /// As given.
        valid: f64,
        /// As given.
        test: f64,
    },
    /// No row for a side.
    #[error("{rows} rows in {groups} groups that stay together are too few: nothing is left for {split}; give it a larger share, or 0")]
    TooFew {
        /// Rows of the data.
        rows: usize,
        /// Conversations and texts that stay together.
        groups: usize,
        /// The side without a row.
        split: Split,
    },
}

/// Where each row goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The side of each row; none for a row of valid or test whose text stands on a side before it, too.
    pub sides: Vec<Option<Split>>,
}

impl Parts {
    /// Rows of each label and side, and last the rows that are left out.
    #[must_use]
    pub fn counts<'r>(&self, records: &'r [Record]) -> BTreeMap<&'r str, (PerSplit<usize>, usize)> {
        let mut counts: BTreeMap<&str, (PerSplit<usize>, usize)> = BTreeMap::new();
        for (record, side) in records.iter().zip(&self.sides) {
            let (sides, left_out) = counts.entry(label(record)).or_default();
            match side {
                Some(split) => *sides.get_mut(*split) += 1,
                None => *left_out += 1,
            }
        }
        counts
    }
}

/// What rows are stratified by.
fn label(record: &Record) -> &str {
    match record.row.intent.as_deref() {
        None => "(no intent)",
        Some("oos") => "out_of_scope",
        Some(name) => name,
    }
}

/// Deals the rows out: a conversation stays on one side, equal texts too, and every intent has its shares. The same rows and options
/// give the same parts.
///
/// # Errors
/// When the shares make no sense, or leave a side without a row.
pub fn split(records: &[Record], options: &SplitOptions) -> Result<Parts, SplitError> {
    let SplitOptions { valid, test, seed } = *options;
    if !((0.0..1.0).contains(&valid) && (0.0..1.0).contains(&test) && valid + test < 1.0) {
        return Err(SplitError::Shares { valid, test });
    }
    let shares = PerSplit { train: 1.0 - valid - test, valid, test };
    let groups::Groups { groups, untied } = groups::groups(records, most_tied(records.len(), &shares));
    let labels: Vec<&str> = records.iter().map(label).collect();
    let mut sides: Vec<Option<Split>> = vec![None; records.len()];
    for (group, split) in groups.iter().zip(assign::assign(&groups, &labels, &shares, seed)) {
        for row in group {
            if let Some(side) = sides.get_mut(*row) {
                *side = Some(split);
            }
        }
    }
    for rows in &untied {
        leave_out(rows, &mut sides);
    }
    for wanted in Split::ALL.into_iter().filter(|split| *shares.get(*split) > 0.0) {
        if !sides.contains(&Some(wanted)) {
            return Err(SplitError::TooFew { rows: records.len(), groups: groups.len(), split: wanted });
        }
    }
    Ok(Parts { sides })
}

/// The most rows that equal texts may tie together: half of the smallest side.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
fn most_tied(rows: usize, shares: &PerSplit<f64>) -> usize {
    const AT_LEAST: usize = 8;
    let smallest = Split::ALL.into_iter().map(|split| *shares.get(split)).filter(|share| *share > 0.0).fold(1.0, f64::min);
    ((rows as f64 * smallest / 2.0) as usize).max(AT_LEAST)
}

/// Of rows with one text, keeps those on the first side that has any.
fn leave_out(rows: &[usize], sides: &mut [Option<Split>]) {
    let first = rows.iter().filter_map(|row| *sides.get(*row)?).min();
    for row in rows {
        if let Some(side) = sides.get_mut(*row)
            && *side != first
        {
            *side = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::records;
    use super::*;
    use crate::data::folding::folded;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn nothing_stands_on_two_sides(rows in prop::collection::vec((0usize..4, prop::option::of(0usize..25), 0usize..60), 60..200), seed in 0u64..9) {
            let names: Vec<(String, Option<String>, String)> =
                rows.iter().map(|(intent, conversation, text)| (format!("i{intent}"), conversation.map(|c| c.to_string()), format!("text {text}"))).collect();
            let rows: Vec<_> = names.iter().map(|(i, c, t)| (i.as_str(), c.as_deref(), t.as_str())).collect();
            let records = records(&rows);
            let options = SplitOptions { valid: 0.2, test: 0.2, seed };
            let Ok(parts) = split(&records, &options) else { return Ok(()) };
            prop_assert_eq!(&split(&records, &options).unwrap(), &parts);
            let (mut conversations, mut texts) = (HashMap::new(), HashMap::new());
            for (record, side) in records.iter().zip(&parts.sides) {
                let Some(side) = side else { continue };
                if let Some(conversation) = &record.row.conversation {
                    prop_assert_eq!(conversations.entry(conversation.clone()).or_insert(*side), side);
                }
                prop_assert_eq!(texts.entry(folded(&record.row.text)).or_insert(*side), side);
            }
        }
    }

    #[test]
    fn greetings_are_left_out_rather_than_conversations_torn() {
        let names: Vec<(String, String)> = (0..200).map(|n| (n.to_string(), format!("question {n}"))).collect();
        let rows: Vec<_> = names
            .iter()
            .flat_map(|(n, text)| [("greeting", Some(n.as_str()), "hi"), ("question", Some(n.as_str()), text.as_str())])
            .collect();
        let records = records(&rows);
        let parts = split(&records, &SplitOptions { valid: 0.1, test: 0.1, seed: 1 }).unwrap();
        let counts = parts.counts(&records);
        assert_eq!(counts["question"], (PerSplit { train: 160, valid: 20, test: 20 }, 0));
        assert_eq!(counts["greeting"], (PerSplit { train: 160, valid: 0, test: 0 }, 40));
    }

    #[test]
    fn senseless_shares_and_too_few_rows_are_refused() {
        let some = records(&[("a", None, "x"), ("a", None, "y")]);
        for (valid, test) in [(1.0, 0.0), (0.5, 0.5), (-0.1, 0.0), (f64::NAN, 0.1)] {
            assert!(matches!(split(&some, &SplitOptions { valid, test, seed: 1 }), Err(SplitError::Shares { .. })), "{valid} {test}");
        }
        let options = SplitOptions { valid: 0.1, test: 0.1, seed: 1 };
        assert!(matches!(split(&some, &options), Err(SplitError::TooFew { rows: 2, groups: 2, .. })));
        assert!(split(&[], &SplitOptions { valid: 0.0, test: 0.0, seed: 1 }).is_err());
    }
}
