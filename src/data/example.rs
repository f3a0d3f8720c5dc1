//! A row that has been checked: every label means something and every span lies in its text.

use super::row::{Row, RowSentiment};
use crate::conversation::Turn;
use crate::heads::Sentiment;
use crate::text::{OffsetUnit, Span, Utterance};
use std::fmt;
use std::sync::Arc;

/// Where an example stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What the customer wants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntentLabel {
    /// One of the intents.
    Named(String),
    /// None of them.
    OutOfScope,
}

impl IntentLabel {
    /// The name in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::OutOfScope => "out_of_scope",
        }
    }
}

/// An entity of an example, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledSpan {
    /// The place.
    pub span: Span,
    /// The label.
    pub label: String,
}

/// A message and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Where it stands.
    pub place: Place,
    /// The message.
    pub text: Utterance,
    /// What was said before.
    pub context: Vec<Turn>,
    /// Intent, if known.
    pub intent: Option<IntentLabel>,
    /// Entities, if known, in the order of the text.
    pub entities: Option<Vec<LabelledSpan>>,
    /// Probability of negative, neutral, positive, if known.
    pub sentiment: Option<[f32; 3]>,
    /// Emotions, if known.
    pub emotions: Option<Vec<String>>,
    /// Whether a human should take over, if known.
    pub escalate: Option<bool>,
    /// Identifier of the conversation, if it has one.
    pub conversation: Option<String>,
}

impl Example {
    /// Checks a row.
    ///
    /// # Errors
    /// A sentence that names the field and what is wrong with it.
    pub fn new(row: Row, place: Place) -> Result<Self, String> {
        let text = Utterance::new(row.text).map_err(|error| format!("`text`: {error}"))?;
        let turn = |(i, turn): (usize, super::row::RowTurn)| {
            let text = Utterance::new(turn.text).map_err(|error| format!("`context[{i}].text`: {error}"))?;
            Ok::<_, String>(Turn { role: turn.role, text })
        };
        let context = row.context.into_iter().enumerate().map(turn).collect::<Result<_, _>>()?;
        let intent = row.intent.map(|name| match name.as_str() {
            "oos" | "out_of_scope" => Ok(IntentLabel::OutOfScope),
            name if name.trim().is_empty() => Err("`intent` is empty; leave the field out when the intent is unknown".to_owned()),
            _ => Ok(IntentLabel::Named(name)),
        });
        if row.emotions.iter().flatten().any(|name| name.trim().is_empty()) {
            return Err("`emotions` has an empty name".to_owned());
        }
        let sentiment = row.sentiment.map(distribution).transpose()?;
        let entities = row.entities.map(|entities| spans(&text, entities)).transpose()?;
        let (emotions, escalate, conversation) = (row.emotions, row.escalate, row.conversation);
        Ok(Self { place, text, context, intent: intent.transpose()?, entities, sentiment, emotions, escalate, conversation })
    }

    /// The feeling that is most probable, if any is known; neutral where it is as probable as another.
    #[must_use]
    pub fn sentiment_label(&self) -> Option<Sentiment> {
        let probabilities = self.sentiment?;
        let [negative, neutral, positive] = probabilities;
        Some(if neutral >= negative.max(positive) {
            Sentiment::Neutral
        } else if positive > negative {
            Sentiment::Positive
        } else {
            Sentiment::Negative
        })
    }
}

/// A number s becomes the distribution whose score is s and that has no mass on the opposite feeling.
fn distribution(sentiment: RowSentiment) -> Result<[f32; 3], String> {
    match sentiment {
        RowSentiment::Label(Sentiment::Negative) => Ok([1.0, 0.0, 0.0]),
        RowSentiment::Label(Sentiment::Neutral) => Ok([0.0, 1.0, 0.0]),
        RowSentiment::Label(Sentiment::Positive) => Ok([0.0, 0.0, 1.0]),
        RowSentiment::Score(score) if (-1.0..=1.0).contains(&score) => Ok([(-score).max(0.0), 1.0 - score.abs(), score.max(0.0)]),
        RowSentiment::Score(score) => Err(format!("`sentiment`: {score} is outside [-1, 1]")),
    }
}

fn spans(text: &str, entities: Vec<super::row::RowEntity>) -> Result<Vec<LabelledSpan>, String> {
    let mut spans = Vec::with_capacity(entities.len());
    for (i, entity) in entities.into_iter().enumerate() {
        let span = Span::from_offsets(text, entity.start, entity.end, OffsetUnit::Codepoint);
        let span = span.map_err(|error| format!("`entities[{i}]`: {error} (offsets count code points)"))?;
        if entity.label.trim().is_empty() {
            return Err(format!("`entities[{i}].label` is empty"));
        }
        if span.slice(text).trim() != span.slice(text) {
            return Err(format!("`entities[{i}]`: `{}` begins or ends with white space", span.slice(text)));
        }
        spans.push(LabelledSpan { span, label: entity.label });
    }
    spans.sort_by_key(|entity| entity.span);
    for pair in spans.windows(2) {
        if let [a, b] = pair
            && a.span.overlaps(b.span)
        {
            return Err(format!("`entities`: `{}` and `{}` overlap", a.span.slice(text), b.span.slice(text)));
        }
    }
    Ok(spans)
}
