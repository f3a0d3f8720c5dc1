//! What would a model say where a row says nothing? Suggestions stand in fields of their own, `suggested` and `confidence`, so that no
//! training takes them for labels before a person has.

use super::Record;
use crate::heads::{Prediction, Status};
use crate::text::{OffsetUnit, Utterance};
use serde_json::{Map, Value, json};

/// Suggestions for one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Value of `suggested`: labels in the form that a row has them, entities with their scores.
    pub labels: Map<String, Value>,
    /// Value of `confidence`: a probability for each part that the model has a say in.
    pub confidence: Map<String, Value>,
    /// The least sure of intent, sentiment and entities; 1 where the model has a say in none.
    pub certainty: f32,
}

/// What the prediction says where the row says nothing; nothing where no part is open. A label less probable than `least` is not
/// suggested, its confidence is told all the same.
#[must_use]
pub fn suggest(record: &Record, text: &Utterance, prediction: &Prediction, least: f32) -> Option<Suggestion> {
    let row = &record.row;
    let mut suggestion = Suggestion { labels: Map::new(), confidence: Map::new(), certainty: 1.0 };
    if let (None, Some(intent)) = (&row.intent, &prediction.intent) {
        let rejected = intent.status == Status::OutOfScope;
        let (name, score) = match intent.ranking.first() {
            Some((name, score)) if !rejected => (name.as_str(), *score),
            _ => ("out_of_scope", intent.rejection),
        };
        suggestion.add("intent", name.into(), score, least);
        suggestion.certainty = suggestion.certainty.min(score);
    }
    if let (None, Some(entities)) = (&row.entities, &prediction.entities) {
        let entity = |entity: &crate::patterns::Entity| {
            let (start, end) = entity.span.offsets(text, OffsetUnit::Codepoint);
            json!({"start": start, "end": end, "label": entity.label, "score": rounded(entity.score)})
        };
        let kept = entities.iter().filter(|entity| entity.score >= least).map(entity).collect();
        let score = entities.iter().map(|entity| entity.score).reduce(f32::min);
        suggestion.labels.insert("entities".to_owned(), kept);
        suggestion.confidence.insert("entities".to_owned(), score.map(rounded).into());
        suggestion.certainty = suggestion.certainty.min(score.unwrap_or(1.0));
    }
    if let (None, Some(sentiment)) = (&row.sentiment, &prediction.sentiment) {
        let score = sentiment.probabilities.into_iter().fold(0.0, f32::max);
        suggestion.add("sentiment", sentiment.label.name().into(), score, least);
        suggestion.certainty = suggestion.certainty.min(score);
    }
    if let (None, Some(emotions)) = (&row.emotions, &prediction.emotions) {
        let present = emotions.iter().filter(|emotion| emotion.present).map(|emotion| emotion.name.as_str()).collect();
        let score = emotions.iter().map(|emotion| emotion.score.max(1.0 - emotion.score)).fold(1.0, f32::min);
        suggestion.add("emotions", present, score, least);
    }
    (!suggestion.confidence.is_empty()).then_some(suggestion)
}

impl Suggestion {
    fn add(&mut self, part: &str, label: Value, score: f32, least: f32) {
        self.confidence.insert(part.to_owned(), rounded(score).into());
        if score >= least {
            self.labels.insert(part.to_owned(), label);
        }
    }

    /// The line of the row with the suggestion; everything else keeps its bytes.
    #[must_use]
    pub fn line(&self, record: &Record) -> String {
        record.with_fields(&[("suggested", self.labels.clone().into()), ("confidence", self.confidence.clone().into())])
    }
}

/// Four digits are more than a reviewer needs.
fn rounded(score: f32) -> f64 {
    (f64::from(score) * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Place, Row};
    use crate::heads::{EmotionScore, IntentPrediction, Sentiment, SentimentPrediction};
    use crate::patterns::{Entity, Source};
    use crate::text::Span;

    fn record(line: &str) -> Record {
        let row: Row = serde_json::from_str(line).unwrap();
        Record { place: Place { file: "x".into(), line: 1 }, line: line.to_owned(), row }
    }

    fn prediction(status: Status) -> Prediction {
        let entity =
            |start, end, score| Entity { label: "product".into(), span: Span { start, end }, score, source: Source::Model, value: None };
        Prediction {
            intent: Some(IntentPrediction {
                status,
                ranking: vec![("track_order".into(), 0.7), ("other".into(), 0.1)],
                rejection: 0.9,
                out_of_scope_margin: -0.5,
            }),
            entities: Some(vec![entity(3, 7, 0.95), entity(8, 11, 0.4)]),
            sentiment: Some(SentimentPrediction { label: Sentiment::Negative, score: -0.5, probabilities: [0.6, 0.3, 0.1] }),
            emotions: Some(vec![
                EmotionScore { name: "anger".into(), score: 0.8, present: true },
                EmotionScore { name: "joy".into(), score: 0.3, present: false },
            ]),
        }
    }

    fn suggestion(line: &str, status: Status, least: f32) -> Option<Suggestion> {
        let record = record(line);
        suggest(&record, &Utterance::new(record.row.text.clone()).unwrap(), &prediction(status), least)
    }

    #[test]
    fn what_is_known_is_not_suggested() {
        let open = suggestion(r#"{"text": "\u00e9 kett lid"}"#, Status::Matched, 0.0).unwrap();
        assert_eq!(open.labels["intent"], "track_order");
        assert_eq!(open.labels["entities"][0], json!({"start": 2, "end": 6, "label": "product", "score": 0.95}));
        assert_eq!((&open.labels["sentiment"], &open.labels["emotions"]), (&json!("negative"), &json!(["anger"])));
        assert_eq!(Value::from(open.confidence), json!({"intent": 0.7, "entities": 0.4, "sentiment": 0.6, "emotions": 0.7}));
        assert!((open.certainty - 0.4).abs() < 1e-6);
        let labelled = r#"{"text": "\u00e9 kett lid", "intent": "a", "entities": [], "sentiment": 0, "emotions": []}"#;
        assert_eq!(suggestion(labelled, Status::Matched, 0.0), None);
    }

    #[test]
    fn what_is_less_probable_is_left_to_people() {
        let some = suggestion(r#"{"text": "\u00e9 kett lid", "sentiment": 0, "emotions": []}"#, Status::OutOfScope, 0.8).unwrap();
        assert_eq!(some.labels["intent"], "out_of_scope");
        assert_eq!(some.labels["entities"].as_array().unwrap().len(), 1);
        let none = suggestion(r#"{"text": "\u00e9 kett lid"}"#, Status::Matched, 0.8).unwrap();
        assert!(none.labels.get("intent").is_none() && none.confidence["intent"] == 0.7);
    }

    #[test]
    fn gold_fields_keep_their_bytes() {
        let record = record(r#"{"text": "\u00e9 kett lid", "sentiment": 0.50, "x": 1.0}"#);
        let line = suggestion(&record.line, Status::Matched, 0.0).unwrap().line(&record);
        assert!(line.starts_with(r#"{"text": "\u00e9 kett lid", "sentiment": 0.50, "x": 1.0, "suggested": {"#), "{line}");
        let again: Row = serde_json::from_str(&line).unwrap();
        assert!(again.intent.is_none() && again.rest["suggested"]["intent"] == "track_order");
    }
}
