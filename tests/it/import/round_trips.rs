//! What is exported reads back as it was.

use super::{Read, read};
use hearken::data::export::{EXPORTERS, find as exporter};
use hearken::data::import::{Imported, Source, find as importer};
use hearken::data::{Example, Place, Row, RowEntity};
use proptest::prelude::*;
use serde_json::json;

fn imported(rows: Vec<Row>) -> Vec<Imported> {
    let place = |line| Place { file: "rows".into(), line };
    rows.into_iter().enumerate().map(|(at, row)| Imported { place: place(at + 1), split: None, row }).collect()
}

/// Exports and imports again; the rows, and what could not be exported.
fn back(format: &str, rows: Vec<Row>) -> (Read, Vec<String>) {
    let mut bytes = Vec::new();
    let refused = exporter(format).unwrap().write(&imported(rows), &mut bytes).unwrap();
    let name = if format == "rasa" { "nlu.yml" } else { "rows.x" };
    let read = read(Source::bytes(name, bytes), importer(format).unwrap());
    (read, refused.iter().map(ToString::to_string).collect())
}

fn rows(values: serde_json::Value) -> Vec<Row> {
    serde_json::from_value(values).unwrap()
}

#[test]
fn every_exporter_has_an_importer() {
    for exporter in EXPORTERS {
        assert!(importer(exporter.name()).is_some(), "{}", exporter.name());
    }
}

#[test]
fn labels_come_back_from_every_format() {
    let rows = rows(json!([
        {"text": "where is A-1, the \u{1f642} kettle?", "intent": "track_order", "entities": [{"start": 9, "end": 12, "label": "order_number"}, {"start": 20, "end": 26, "label": "product"}],
         "sentiment": "negative", "emotions": ["anger"], "escalate": true},
        {"text": "- #1 = [a] {b}: \"c\" \\ 'd' # e", "intent": "odd", "entities": [], "sentiment": -0.25},
        {"text": "two\nlines", "intent": "yes", "entities": [{"start": 0, "end": 9, "label": "all"}]},
        {"text": "nothing known of the feeling", "intent": "with space", "entities": []},
    ]));
    for exporter in EXPORTERS {
        let (read, refused) = back(exporter.name(), rows.clone());
        assert_eq!((read.problems, refused), (vec![], vec![]), "{}", exporter.name());
        let read: Vec<_> = read.rows.into_iter().map(|imported| imported.row).collect();
        assert_eq!(read, rows, "{}", exporter.name());
    }
}

#[test]
fn rasa_keeps_roles_groups_and_values() {
    let rows = rows(
        json!([{"text": " to SF ", "intent": "fly", "entities": [{"start": 4, "end": 6, "label": "city", "role": "to", "group": "1", "value": "San Francisco"}]}]),
    );
    let (read, refused) = back("rasa", rows);
    let wanted =
        RowEntity { role: Some("to".into()), group: Some("1".into()), value: Some("San Francisco".into()), ..RowEntity::new(3, 5, "city") };
    assert_eq!((read.rows[0].row.text.as_str(), &read.rows[0].row.entities, refused), ("to SF", &Some(vec![wanted]), vec![]));
}

#[test]
fn what_a_format_cannot_say_is_named() {
    let rows = rows(json!([
        {"text": "no intent"},
        {"text": "see [this](link)", "intent": "a"},
        {"text": "a kettle", "intent": " a", "entities": [{"start": 2, "end": 8, "label": "a thing"}]},
        {"text": "fine", "intent": "a", "emotions": ["anger, or so"]},
    ]));
    let (read, refused) = back("rasa", rows.clone());
    assert_eq!(read.rows.len(), 1);
    for (at, part) in ["rows:1: there is no intent", "rows:2: the brackets", "rows:3: intent ` a` has white space"].iter().enumerate() {
        assert!(refused[at].starts_with(part), "{refused:?}");
    }
    let (read, refused) = back("conll", rows);
    assert_eq!((read.rows.len(), read.rows[0].row.entities.as_ref()), (2, None));
    for (at, part) in ["rows:3: label `a thing` has white space", "rows:4: an emotion has a comma"].iter().enumerate() {
        assert!(refused[at].starts_with(part), "{refused:?}");
    }
}

/// Rows with texts that are hard to write, and entities in them that do not overlap.
fn row() -> impl Strategy<Value = Row> {
    let text = "[a-c1 \\-#:,.'\"\\\\{}()\\]\\[=\u{e9}\u{301}\u{1f642}\u{5d0}\t\n|>&*!%@`]{1,24}";
    let label = prop::sample::select(vec!["city", "order_number", "B-x", "a/b", "\u{e9}"]);
    let intent = prop::sample::select(vec!["greet", "faq/x", "true", "12", "with space", "#odd: 'x'"]);
    (text, prop::collection::vec((0usize..24, 1usize..6, label), 0..3), intent, prop::option::of(-1.0f32..1.0)).prop_filter_map(
        "no example",
        |(text, places, intent, score)| {
            let characters: Vec<char> = text.chars().collect();
            let mut entities: Vec<RowEntity> = Vec::new();
            for (start, length, label) in places {
                let end = (start + length).min(characters.len());
                if start < end && entities.iter().all(|other| end <= other.start || other.end <= start) {
                    entities.push(RowEntity::new(start, end, label));
                }
            }
            entities.sort_by_key(|entity| entity.start);
            let sentiment = score.map(hearken::data::RowSentiment::Score);
            let row = Row { text, intent: Some(intent.to_owned()), entities: Some(entities), sentiment, ..Row::default() };
            Example::new(row.clone(), Place { file: "x".into(), line: 1 }).is_ok().then_some(row)
        },
    )
}

/// The row without white space at the ends of its text, which Rasa's format does not keep.
fn trimmed(row: &Row) -> Row {
    let cut = row.text.chars().take_while(|c| c.is_whitespace()).count();
    let mut row = Row { text: row.text.trim().to_owned(), ..row.clone() };
    for entity in row.entities.iter_mut().flatten() {
        (entity.start, entity.end) = (entity.start - cut, entity.end - cut);
    }
    row
}

proptest! {
    #[test]
    fn any_row_comes_back_or_is_refused(row in row()) {
        for (format, wanted) in [("jsonl", row.clone()), ("conll", row.clone()), ("rasa", trimmed(&row))] {
            // A second row with an entity, so that a file without any does not leave them unknown.
            let other = Row { text: "Oslo".into(), intent: Some("last".into()), entities: Some(vec![RowEntity::new(0, 4, "city")]), ..Row::default() };
            let (read, refused) = back(format, vec![row.clone(), other]);
            prop_assert_eq!(&read.problems, &Vec::<String>::new(), "{}", format);
            prop_assert_eq!(read.rows.len() + refused.len(), 2);
            if refused.is_empty() {
                prop_assert_eq!(&read.rows[0].row, &wanted, "{}", format);
            } else {
                prop_assert!(format == "rasa" && row.text.contains(['[', ']']), "{:?}", refused);
            }
        }
    }
}
