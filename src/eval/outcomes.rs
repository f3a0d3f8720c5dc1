//! Judged examples without their texts and names: gathered once, scored on any selection of them.

use super::emotions::{self, EmotionOutcome, EmotionScores};
use super::escalation::{self, EscalationScores};
use super::intent::{self, IntentOutcome, IntentScores};
use super::names::Names;
use super::report::{Judged, Report};
use super::sentiment::{SentimentOutcome, SentimentScores};
use super::spans::{self, SpanOutcome, SpanScores};

/// What is scored of each example, by part; nothing where nothing is known or the model lacks the head.
pub(super) struct Outcomes<'j> {
    intent_names: Names<'j>,
    pub(super) intents: Vec<Option<IntentOutcome>>,
    span_names: Names<'j>,
    pub(super) spans: Vec<Option<SpanOutcome>>,
    pub(super) sentiments: Vec<Option<SentimentOutcome>>,
    emotion_names: Names<'j>,
    emotions: Vec<Option<EmotionOutcome>>,
    escalations: Vec<Option<(bool, bool)>>,
}

impl<'j> Outcomes<'j> {
    pub(super) fn of(judged: &'j [Judged<'_>]) -> Self {
        let (intent_names, span_names, emotion_names) = (intent::names(judged), spans::names(judged), emotions::names(judged));
        Self {
            intents: judged.iter().map(|row| IntentOutcome::of(row, &intent_names)).collect(),
            spans: judged.iter().map(|row| SpanOutcome::of(row, &span_names)).collect(),
            sentiments: judged.iter().map(SentimentOutcome::of).collect(),
            emotions: judged.iter().map(|row| EmotionOutcome::of(row, &emotion_names)).collect(),
            escalations: judged.iter().map(escalation::outcome).collect(),
            intent_names,
            span_names,
            emotion_names,
        }
    }

    /// Number of examples.
    pub(super) fn len(&self) -> usize {
        self.intents.len()
    }

    /// Scores the examples at `rows`; one may stand several times.
    pub(super) fn report(&self, rows: &[usize]) -> Report {
        Report {
            intent: IntentScores::of(&self.intent_names, &chosen(&self.intents, rows)),
            entities: SpanScores::of(&self.span_names, &chosen(&self.spans, rows)),
            sentiment: SentimentScores::of(&chosen(&self.sentiments, rows)),
            emotions: EmotionScores::of(&self.emotion_names, &chosen(&self.emotions, rows)),
            escalation: EscalationScores::of(&chosen(&self.escalations, rows)),
            ..Report::default()
        }
    }

    /// Scores every example.
    pub(super) fn whole(&self) -> Report {
        self.report(&(0..self.len()).collect::<Vec<_>>())
    }
}

fn chosen<'o, T>(outcomes: &'o [Option<T>], rows: &[usize]) -> Vec<&'o T> {
    rows.iter().filter_map(|row| outcomes.get(*row)?.as_ref()).collect()
}
