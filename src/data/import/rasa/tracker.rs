//! Dumps of Rasa's tracker: the object of `GET /conversations/{id}/tracker`, lists or lines of such objects, and lines of events,
//! also as the rows of the SQL store. What Rasa predicted is no label: it is kept as `predicted_intent`.

use crate::conversation::Role;
use crate::data::Row;
use crate::data::import::json::{Part, records};
use crate::data::import::{Confidence, Importer, Problem, Sample, Sink, Source, Talk};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Tracker dumps.
#[derive(Debug)]
pub struct Tracker;

/// A tracker, or an event on its own.
#[derive(Debug, Deserialize)]
struct Record<'a> {
    #[serde(alias = "conversation_id")]
    sender_id: Option<serde_json::Value>,
    #[serde(borrow)]
    events: Option<Vec<&'a RawValue>>,
    event: Option<String>,
    type_name: Option<String>,
    data: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "event")]
    kind: String,
    text: Option<String>,
    message_id: Option<String>,
    timestamp: Option<f64>,
    parse_data: Option<ParseData>,
}

#[derive(Debug, Deserialize)]
struct ParseData {
    intent: Option<Intent>,
}

#[derive(Debug, Deserialize)]
struct Intent {
    name: Option<String>,
    confidence: Option<f64>,
}

impl Importer for Tracker {
    fn name(&self) -> &'static str {
        "rasa-tracker"
    }

    fn about(&self) -> &'static str {
        "Rasa tracker dumps (JSON or JSON lines): customer turns with their conversation"
    }

    fn detect(&self, sample: &Sample) -> Confidence {
        let shape = &sample.shape;
        let tracker = shape.has("events[].event") || shape.has("[].events[].event");
        let event = shape.has_all(&["event", "timestamp"]) || shape.has_all(&["sender_id", "type_name", "data"]);
        Confidence::Certain.when(tracker || event)
    }

    fn read(&self, source: &Source, sink: &mut Sink<'_>) -> Result<(), Problem> {
        let mut reading = Reading { source, sink, talks: HashMap::new(), order: Vec::new() };
        records(source, &mut |part| {
            if let Err(problem) = part.and_then(|part| reading.record(part)) {
                reading.sink.problem(problem);
            }
        })?;
        reading.end();
        Ok(())
    }
}

struct Reading<'a, 'b> {
    source: &'a Source,
    sink: &'a mut Sink<'b>,
    /// Conversations of which single events have been read.
    talks: HashMap<String, Talk>,
    order: Vec<String>,
}

impl Reading<'_, '_> {
    fn record(&mut self, part: Part<'_>) -> Result<(), Problem> {
        let record: Record<'_> = part.parse()?;
        let id = record.sender_id.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        if let Some(events) = record.events {
            let mut talk = Talk::new(id);
            for raw in events {
                let event = part.part(raw);
                match event.parse() {
                    Ok(parsed) => self.event(&mut talk, event.line, parsed),
                    Err(problem) => self.sink.problem(problem),
                }
            }
            talk.end().into_iter().for_each(|row| self.sink.row(row));
            return Ok(());
        }
        let event = match (record.event, record.type_name, record.data) {
            (Some(_), _, _) => part.parse()?,
            (None, Some(_), Some(serde_json::Value::String(text))) => {
                serde_json::from_str(&text).map_err(|error| part.problem(format!("`data` is no event: {error}")))?
            }
            (None, Some(_), Some(data)) => {
                serde_json::from_value(data).map_err(|error| part.problem(format!("`data` is no event: {error}")))?
            }
            _ => return Err(part.problem("this is neither a tracker with `events` nor an event")),
        };
        let key = id.clone().unwrap_or_default();
        if !self.talks.contains_key(&key) {
            self.order.push(key.clone());
        }
        let mut talk = self.talks.remove(&key).unwrap_or_else(|| Talk::new(id));
        self.event(&mut talk, part.line, event);
        talk.ready().into_iter().for_each(|row| self.sink.row(row));
        self.talks.insert(key, talk);
        Ok(())
    }

    fn event(&mut self, talk: &mut Talk, line: usize, event: Event) {
        let text = event.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        match (event.kind.as_str(), text) {
            // A button's payload, such as `/greet{"name": "x"}`, is not what anybody wrote.
            ("user", Some(text)) if !text.starts_with('/') => {
                let mut row = Row { text: text.to_owned(), ..Row::default() };
                let intent = event.parse_data.and_then(|data| data.intent);
                if let Some(name) = intent.as_ref().and_then(|intent| intent.name.clone()) {
                    row.rest.insert("predicted_intent".into(), name.into());
                    row.rest.insert("predicted_confidence".into(), intent.and_then(|intent| intent.confidence).into());
                }
                for (key, value) in [("message_id", event.message_id.map(Into::into)), ("timestamp", event.timestamp.map(Into::into))] {
                    if let Some(value) = value {
                        row.rest.insert(key.into(), value);
                    }
                }
                talk.customer(self.source.place(line), row);
            }
            ("bot", Some(text)) => talk.other(Role::Bot, text),
            ("agent", Some(text)) => talk.other(Role::Agent, text),
            ("pause", _) => talk.handed_over(),
            _ => {}
        }
    }

    fn end(mut self) {
        for key in std::mem::take(&mut self.order) {
            let talk = self.talks.remove(&key).unwrap_or_default();
            talk.end().into_iter().for_each(|row| self.sink.row(row));
        }
    }
}
