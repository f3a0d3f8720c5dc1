//! Zendesk tickets with their comments: `{ticket, comments, users}`, tickets with `comments` in them, bare pages of comments, lists and
//! lines of these. The requester is the customer; private comments are left out.

use super::conversation::Conversation;
use super::{Message, each_record, has_anywhere, html, identifier, not_one, role, stem};
use crate::conversation::Role;
use crate::data::import::json::Part;
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Zendesk's tickets.
#[derive(Debug)]
pub struct ZendeskTickets;

#[derive(Debug, Deserialize)]
#[serde(expecting = "a ticket with comments")]
struct Record<'a> {
    #[serde(borrow)]
    tickets: Option<Vec<&'a RawValue>>,
    ticket: Option<Ticket>,
    #[serde(borrow)]
    comments: Option<Vec<&'a RawValue>>,
    users: Option<Vec<User>>,
    #[serde(flatten)]
    own: Ticket,
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a ticket")]
struct Ticket {
    id: Option<Value>,
    requester_id: Option<Value>,
    satisfaction_rating: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a user")]
struct User {
    id: Option<Value>,
    role: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a comment")]
struct Comment {
    author_id: Option<Value>,
    plain_body: Option<String>,
    body: Option<String>,
    html_body: Option<String>,
    public: Option<bool>,
    created_at: Option<Value>,
}

impl Importer for ZendeskTickets {
    fn name(&self) -> &'static str {
        "zendesk-tickets"
    }

    fn about(&self) -> &'static str {
        "Zendesk tickets with comments (JSON of the API): the requester's turns with what agents said"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        Confidence::Certain.when(has_anywhere(sample, &["tickets"], &["comments[].author_id"]))
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        each_record(source, sink, &|part, _, sink| record(part, source, sink))
    }
}

fn record(part: Part<'_>, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
    let record: Record<'_> = part.parse()?;
    if let Some(tickets) = record.tickets {
        for raw in tickets {
            if let Err(problem) = self::record(part.part(raw), source, sink) {
                sink.problem(problem);
            }
        }
        return Ok(());
    }
    let comments = record.comments.ok_or_else(|| not_one(part, "ticket of Zendesk with `comments`"))?;
    let ticket = record.ticket.unwrap_or(record.own);
    let mut conversation = Conversation::new(Some(ticket.id.as_ref().and_then(identifier).unwrap_or_else(|| stem(source))));
    let score = ticket.satisfaction_rating.and_then(|rating| rating.get("score").cloned());
    conversation.satisfaction(score.filter(|score| !matches!(score.as_str(), Some("unoffered" | "offered"))).unwrap_or_default());
    let mut people = People { requester: ticket.requester_id.as_ref().and_then(identifier), roles: HashMap::new() };
    for user in record.users.into_iter().flatten() {
        if let (Some(id), Some(role)) = (user.id.as_ref().and_then(identifier), user.role.as_deref().and_then(role::role)) {
            people.roles.insert(id, role);
        }
    }
    for raw in comments {
        if let Err(problem) = comment(part.part(raw), source, &mut people, &mut conversation) {
            sink.problem(problem);
        }
    }
    conversation.end().into_iter().for_each(|row| sink.row(row));
    Ok(())
}

/// Who is who on a ticket.
struct People {
    requester: Option<String>,
    roles: HashMap<String, Role>,
}

impl People {
    /// Who opens a ticket is its requester, where nothing else is said.
    fn role(&mut self, author: &str) -> Role {
        if let Some(role) = self.roles.get(author) {
            return *role;
        }
        let requester = self.requester.get_or_insert_with(|| author.to_owned());
        if requester == author { Role::Customer } else { Role::Agent }
    }
}

fn comment(part: Part<'_>, source: &Source, people: &mut People, conversation: &mut Conversation) -> Result<(), Problem> {
    let comment: Comment = part.parse()?;
    if comment.public == Some(false) {
        return Ok(());
    }
    let author = comment.author_id.as_ref().and_then(identifier).ok_or_else(|| part.problem("`author_id` is missing"))?;
    let text = match (comment.plain_body.or(comment.body), comment.html_body) {
        (Some(text), _) => text,
        (None, Some(body)) => html::text(&body).map_err(|detail| part.problem(detail))?,
        (None, None) => return Ok(()),
    };
    // In the plain form of a body, hard spaces stand for the indents of the page.
    let text = text.replace("&nbsp;", " ");
    conversation.say(&Message { place: source.place(part.line), at: comment.created_at, role: people.role(&author), text });
    Ok(())
}
