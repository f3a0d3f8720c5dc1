//! A conversation turn by turn, as rows: each customer message with what was said before it.

use super::Imported;
use crate::conversation::Role;
use crate::data::row::RowTurn;
use crate::data::{Place, Row};
use crate::text::Utterance;
use std::collections::VecDeque;

/// Turns before a message that a row keeps.
const CONTEXT: usize = 8;

/// A conversation that is being read.
#[derive(Debug, Clone, Default)]
pub struct Talk {
    id: Option<String>,
    before: VecDeque<RowTurn>,
    turns: u64,
    rows: Vec<Imported>,
}

impl Talk {
    /// A conversation without turns.
    #[must_use]
    pub fn new(id: Option<String>) -> Self {
        Self { id, ..Self::default() }
    }

    /// A customer's message: `row` has its text and what is known of it; conversation, turn and context are filled in here.
    pub fn customer(&mut self, place: Place, row: Row) {
        let text = row.text.clone();
        let context = self.before.iter().cloned().collect();
        let row = Row { conversation: self.id.clone(), turn: Some(self.turns), speaker: Some(Role::Customer), context, ..row };
        self.rows.push(Imported { place, split: None, row });
        self.said(Role::Customer, text);
    }

    /// What anybody else said. What is no text that a customer could read, such as nothing, is passed over.
    pub fn other(&mut self, role: Role, text: &str) {
        self.said(role, text.to_owned());
    }

    fn said(&mut self, role: Role, text: String) {
        if Utterance::new(text.as_str()).is_err() {
            return;
        }
        if self.before.len() >= CONTEXT {
            self.before.pop_front();
        }
        self.before.push_back(RowTurn { role, text });
        self.turns += 1;
    }

    /// A human took over: kept as `handover: true` with the customer's last message, if that has not been taken yet. That it happened
    /// is a fact of the log; that it should have, which `escalate` says, is not.
    pub fn handed_over(&mut self) {
        self.note("handover", true.into());
    }

    /// Keeps a fact with the customer's last message, if there is one.
    pub fn note(&mut self, field: &str, value: serde_json::Value) {
        if let Some(last) = self.rows.last_mut() {
            last.row.rest.insert(field.to_owned(), value);
        }
    }

    /// Every row but the last, which a hand-over may still follow.
    pub fn ready(&mut self) -> Vec<Imported> {
        let last = self.rows.len().saturating_sub(1);
        self.rows.drain(..last).collect()
    }

    /// The rows that are left.
    #[must_use]
    pub fn end(self) -> Vec<Imported> {
        self.rows
    }
}
