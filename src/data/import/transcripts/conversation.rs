//! Messages of a conversation, in whatever order they were exported, as the customer's rows.

use super::Message;
use super::time::microseconds;
use crate::conversation::Role;
use crate::data::import::{Imported, Sink, Talk};
use crate::data::{Place, Row};
use serde_json::Value;
use std::collections::HashMap;

/// A conversation that is being read.
#[derive(Debug, Default)]
pub struct Conversation {
    id: Option<String>,
    entries: Vec<Entry>,
    csat: Option<Value>,
}

#[derive(Debug)]
struct Entry {
    /// Microseconds since 1970.
    at: Option<i64>,
    what: What,
}

#[derive(Debug)]
enum What {
    Said(Role, Place, Box<Row>),
    /// Something that was done, such as an assignment.
    Activity,
}

impl Conversation {
    /// A conversation without messages.
    #[must_use]
    pub fn new(id: Option<String>) -> Self {
        Self { id, ..Self::default() }
    }

    /// A message. One without text, such as a picture, is passed over.
    pub fn say(&mut self, message: &Message) {
        self.row(message.place.clone(), message.at.as_ref(), message.role, message.row());
    }

    /// A message with what is known of it.
    pub fn row(&mut self, place: Place, at: Option<&Value>, role: Role, row: Row) {
        if !row.text.trim().is_empty() {
            self.entries.push(Entry { at: at.and_then(microseconds), what: What::Said(role, place, Box::new(row)) });
        }
    }

    /// Something that was done, such as an assignment: where a human answers behind it, the conversation was handed over here.
    pub fn activity(&mut self, at: Option<&Value>) {
        self.entries.push(Entry { at: at.and_then(microseconds), what: What::Activity });
    }

    /// How content the customer said to be.
    pub fn satisfaction(&mut self, csat: Value) {
        if !csat.is_null() {
            self.csat = Some(csat);
        }
    }

    /// The customer's messages in the order of time, each with what was said before it; the last before a human took over has
    /// `handover: true`.
    #[must_use]
    pub fn end(mut self) -> Vec<Imported> {
        let mut last = i64::MIN;
        for entry in &mut self.entries {
            // What has no time of its own stays behind what it stood behind.
            last = *entry.at.get_or_insert(last);
        }
        self.entries.sort_by_key(|entry| entry.at);
        let moment = self.hand_over();
        let mut talk = Talk::new(self.id);
        for (index, entry) in self.entries.into_iter().enumerate() {
            if moment == Some(index) {
                talk.handed_over();
            }
            match entry.what {
                What::Said(Role::Customer, place, row) => talk.customer(place, *row),
                What::Said(role, _, row) => talk.other(role, &row.text),
                What::Activity => {}
            }
        }
        let mut rows = talk.end();
        if let Some(csat) = self.csat {
            for imported in &mut rows {
                imported.row.rest.insert("csat".to_owned(), csat.clone());
            }
        }
        rows
    }

    /// Where a human took over: at the first activity between the last bot's message and the first human's, else at the human's. Nowhere
    /// where neither bot nor activity comes before the human.
    fn hand_over(&self) -> Option<usize> {
        let said = |role: Role| move |entry: &Entry| matches!(&entry.what, What::Said(speaker, ..) if *speaker == role);
        let human = self.entries.iter().position(said(Role::Agent))?;
        let before = self.entries.get(..human)?;
        let bot = before.iter().rposition(said(Role::Bot));
        let from = bot.map_or(0, |bot| bot + 1);
        let activity = before.iter().skip(from).position(|entry| matches!(entry.what, What::Activity)).map(|at| at + from);
        activity.or(bot.map(|_| human))
    }
}

/// Conversations whose messages come mixed.
#[derive(Debug, Default)]
pub struct Conversations {
    order: Vec<String>,
    by_id: HashMap<String, Conversation>,
}

impl Conversations {
    /// The conversation of an identifier.
    pub fn of(&mut self, id: &str) -> &mut Conversation {
        if !self.by_id.contains_key(id) {
            self.order.push(id.to_owned());
        }
        self.by_id.entry(id.to_owned()).or_insert_with(|| Conversation::new(Some(id.to_owned())))
    }

    /// Gives every row on, conversations in the order of their first messages.
    pub fn end(mut self, sink: &mut Sink<'_>) {
        for id in std::mem::take(&mut self.order) {
            for row in self.by_id.remove(&id).unwrap_or_default().end() {
                sink.row(row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(entries: &[(i64, Option<Role>, &str)]) -> Vec<Row> {
        let mut conversation = Conversation::new(Some("c".into()));
        for (at, role, text) in entries {
            let at = Value::from(*at);
            let place = Place { file: "f".into(), line: 1 };
            match role {
                Some(role) => conversation.say(&Message { place, at: Some(at), role: *role, text: (*text).to_owned() }),
                None => conversation.activity(Some(&at)),
            }
        }
        conversation.end().into_iter().map(|imported| imported.row).collect()
    }

    fn handed_over(entries: &[(i64, Option<Role>, &str)]) -> Vec<String> {
        rows(entries).into_iter().filter(|row| row.rest.contains_key("handover")).map(|row| row.text).collect()
    }

    const CUSTOMER: Option<Role> = Some(Role::Customer);
    const BOT: Option<Role> = Some(Role::Bot);
    const AGENT: Option<Role> = Some(Role::Agent);

    #[test]
    fn messages_are_ordered_by_time() {
        let rows = rows(&[(30, CUSTOMER, "c"), (10, CUSTOMER, " a "), (20, BOT, "b"), (15, CUSTOMER, "  ")]);
        assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(rows[1].context.iter().map(|turn| turn.text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((rows[1].turn, rows[1].conversation.as_deref(), &rows[1].rest["timestamp"]), (Some(2), Some("c"), &Value::from(30)));
    }

    #[test]
    fn the_hand_over_is_the_customers_last_message_before_a_human() {
        assert_eq!(
            handed_over(&[(1, CUSTOMER, "a"), (2, BOT, "b"), (3, CUSTOMER, "c"), (4, AGENT, "d"), (5, CUSTOMER, "e"), (6, AGENT, "f")]),
            ["c"]
        );
        assert_eq!(handed_over(&[(1, BOT, "a"), (2, CUSTOMER, "b"), (3, None, ""), (4, CUSTOMER, "c"), (5, AGENT, "d")]), ["b"]);
        assert_eq!(handed_over(&[(1, CUSTOMER, "a"), (2, None, ""), (3, AGENT, "b")]), ["a"]);
        assert_eq!(handed_over(&[(1, CUSTOMER, "a"), (2, AGENT, "b"), (3, CUSTOMER, "c")]), Vec::<String>::new());
        assert_eq!(handed_over(&[(1, CUSTOMER, "a"), (2, BOT, "b"), (3, None, "")]), Vec::<String>::new());
    }
}
