//! Which labels the data has, in a fixed order: they become the rows of the heads.

use super::recipe::LossWeights;
use crate::data::{Example, IntentLabel, Place};
use crate::model::{Calibration, EmotionsManifest, EntitiesManifest, HeadsManifest, IntentCalibration, IntentManifest, SentimentManifest};
use crate::text::Utterance;
use std::collections::BTreeSet;

/// The labels of the training data, sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// Intents without the rejection.
    pub intents: Vec<String>,
    /// Whether out-of-scope messages are there to train the rejection.
    pub rejection: bool,
    /// Entity labels.
    pub entities: Vec<String>,
    /// Whether any sentiment is known.
    pub sentiment: bool,
    /// Emotions.
    pub emotions: Vec<String>,
}

impl Labels {
    /// The labels that occur.
    #[must_use]
    pub fn of(examples: &[Example]) -> Self {
        let (mut intents, mut entities, mut emotions) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut rejection, mut sentiment) = (false, false);
        for example in examples {
            match &example.intent {
                Some(IntentLabel::Named(name)) => drop(intents.insert(name.clone())),
                Some(IntentLabel::OutOfScope) => rejection = true,
                None => {}
            }
            entities.extend(example.entities.iter().flatten().map(|entity| entity.label.clone()));
            emotions.extend(example.emotions.iter().flatten().cloned());
            sentiment |= example.sentiment.is_some();
        }
        let sorted = |names: BTreeSet<String>| names.into_iter().collect();
        Self { intents: sorted(intents), rejection, entities: sorted(entities), sentiment, emotions: sorted(emotions) }
    }

    /// The labels of a model's heads.
    #[must_use]
    pub fn of_heads(heads: &HeadsManifest) -> Self {
        Self {
            intents: heads.intent.as_ref().map(|head| head.labels.clone()).unwrap_or_default(),
            rejection: heads.intent.as_ref().is_some_and(|head| head.rejection),
            entities: heads.entities.as_ref().map(|head| head.labels.clone()).unwrap_or_default(),
            sentiment: heads.sentiment.is_some(),
            emotions: heads.emotions.as_ref().map(|head| head.labels.clone()).unwrap_or_default(),
        }
    }

    /// What each row of each head stands for.
    #[must_use]
    pub fn rows(&self) -> [(&'static str, Vec<String>); 4] {
        let mut intents: Vec<String> = self.intents.iter().map(|name| format!("intent {name}")).collect();
        intents.extend(self.rejection.then(|| "rejection".to_owned()));
        let tags = self.entities.iter().flat_map(|name| [format!("begin {name}"), format!("inside {name}")]);
        let outside = (!self.entities.is_empty()).then(|| "outside".to_owned());
        let feelings = if self.sentiment { ["negative", "neutral", "positive"].map(str::to_owned).to_vec() } else { Vec::new() };
        [
            ("intent", intents),
            ("entities", outside.into_iter().chain(tags).collect()),
            ("sentiment", feelings),
            ("emotions", self.emotions.clone()),
        ]
    }

    /// Each intent's name as a message of it, in words: names say what an intent means.
    pub fn names(&self) -> impl Iterator<Item = Example> + '_ {
        let file: std::sync::Arc<str> = "names of intents".into();
        self.intents.iter().enumerate().filter_map(move |(i, name)| {
            let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            Some(Example {
                place: Place { file: std::sync::Arc::clone(&file), line: i + 1 },
                text: Utterance::new(words).ok()?,
                context: Vec::new(),
                intent: Some(IntentLabel::Named(name.clone())),
                entities: None,
                sentiment: None,
                emotions: None,
                escalate: None,
                conversation: None,
            })
        })
    }

    /// Those of the heads that are trained: a head whose loss has no weight would be noise.
    #[must_use]
    pub fn with_loss(mut self, loss: &LossWeights) -> Self {
        if loss.intent == 0.0 {
            self.intents.clear();
        }
        if loss.entities == 0.0 {
            self.entities.clear();
        }
        if loss.emotions == 0.0 {
            self.emotions.clear();
        }
        self.sentiment &= loss.sentiment > 0.0;
        self
    }

    /// Heads for these labels, not yet calibrated.
    #[must_use]
    pub fn heads(&self) -> HeadsManifest {
        let calibration = Calibration { temperature: 1.0, expected_calibration_error: None };
        HeadsManifest {
            intent: (!self.intents.is_empty()).then(|| IntentManifest {
                labels: self.intents.clone(),
                rejection: self.rejection,
                rejection_threshold: 0.5,
                min_score: 0.0,
                min_score_of: std::collections::BTreeMap::new(),
                ambiguity_margin: 0.0,
                calibration: IntentCalibration::default(),
                operating_point: None,
            }),
            entities: (!self.entities.is_empty()).then(|| EntitiesManifest { labels: self.entities.clone(), calibration }),
            sentiment: self.sentiment.then_some(SentimentManifest { calibration }),
            emotions: (!self.emotions.is_empty()).then(|| EmotionsManifest {
                labels: self.emotions.clone(),
                thresholds: vec![0.5; self.emotions.len()],
                calibration,
            }),
        }
    }
}
