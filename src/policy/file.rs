//! The policy file: which rules are on, with which parameters, and what is told to the customer.

use super::rules::{AskedForHuman, NegativeSentiment, StrongEmotion, Threat};
use crate::heads::Prediction;
use crate::model::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

const DEFAULT: &str = include_str!("default.yaml");
const LANGUAGE: &str = "en";

/// A policy file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The syntax, or a key that is not known.
    #[error("policy: {0}")]
    Syntax(String),
    /// A value.
    #[error("policy, key `{key}`: {detail}")]
    Value {
        /// The key.
        key: String,
        /// What is wrong.
        detail: String,
    },
}

/// A policy as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// Version of the file's layout; 1.
    pub version: u32,
    /// The rules.
    pub escalate: Escalate,
    /// What is told to the customer, by language.
    #[serde(default)]
    pub acknowledgements: BTreeMap<String, Acknowledgements>,
}

/// Parameters of each rule; a rule that is left out is off.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalate {
    /// The sentiment's score is low.
    pub negative_sentiment: Option<NegativeSentiment>,
    /// The customer wants a person.
    pub asked_for_human: Option<AskedForHuman>,
    /// An emotion is strong.
    pub strong_emotion: Option<StrongEmotion>,
    /// The customer threatens.
    pub threat: Option<Threat>,
}

/// Sentences by emotion, and `default`.
pub type Acknowledgements = BTreeMap<String, String>;

impl Default for PolicyFile {
    fn default() -> Self {
        // The text is part of the program and a test parses it; were it wrong, a policy without rules would be the answer.
        Self::parse(DEFAULT).unwrap_or(Self { version: 1, escalate: Escalate::default(), acknowledgements: BTreeMap::new() })
    }
}

impl PolicyFile {
    /// Parses and checks YAML.
    ///
    /// # Errors
    /// When the text does not parse, has an unknown key, or a value is out of range.
    pub fn parse(yaml: &str) -> Result<Self, PolicyError> {
        let file: Self = serde_saphyr::from_str(yaml).map_err(|error| PolicyError::Syntax(error.to_string()))?;
        file.check()?;
        Ok(file)
    }

    /// The first 16 hexadecimal digits of the sha256 of the policy's content, whatever its layout.
    #[must_use]
    pub fn hash(&self) -> String {
        let content = serde_json::to_vec(self).unwrap_or_default();
        hex(Sha256::digest(content).get(..8).unwrap_or_default())
    }

    /// The sentence for the strongest emotion that has one. Never empty.
    #[must_use]
    pub fn acknowledgement(&self, prediction: &Prediction) -> &str {
        let sentences = self.acknowledgements.get(LANGUAGE).or_else(|| self.acknowledgements.values().next());
        let mut emotions = prediction.emotions.iter().flatten().filter(|emotion| emotion.present);
        let by_emotion = emotions.find_map(|emotion| sentences?.get(&emotion.name));
        by_emotion.or_else(|| sentences?.get("default")).map_or("Let me connect you with a colleague who can help.", String::as_str)
    }

    fn check(&self) -> Result<(), PolicyError> {
        let wrong = |key: String, detail: String| Err(PolicyError::Value { key, detail });
        if self.version != 1 {
            return wrong("version".to_owned(), format!("{} is not known; write 1", self.version));
        }
        let between = |key: &str, value: f32, least: f32| {
            if (least..=1.0).contains(&value) {
                Ok(())
            } else {
                wrong(format!("escalate.{key}"), format!("{value} is outside [{least}, 1]"))
            }
        };
        if let Some(rule) = &self.escalate.negative_sentiment {
            between("negative_sentiment.below", rule.below, -1.0)?;
        }
        if let Some(rule) = &self.escalate.asked_for_human {
            between("asked_for_human.min_score", rule.min_score, 0.0)?;
        }
        if let Some(rule) = &self.escalate.strong_emotion {
            rule.any_of.iter().try_for_each(|(name, value)| between(&format!("strong_emotion.any_of.{name}"), *value, 0.0))?;
        }
        if let Some(rule) = &self.escalate.threat
            && rule.phrases.iter().any(|phrase| !phrase.chars().any(char::is_alphanumeric))
        {
            return wrong("escalate.threat.phrases".to_owned(), "a phrase has no letter".to_owned());
        }
        for (language, sentences) in &self.acknowledgements {
            if let Some((name, _)) = sentences.iter().find(|(_, sentence)| sentence.trim().is_empty()) {
                return wrong(format!("acknowledgements.{language}.{name}"), "is empty".to_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_parses_with_every_rule_on() {
        let file = PolicyFile::parse(DEFAULT).unwrap();
        let rules = file.escalate;
        assert!(
            rules.negative_sentiment.is_some()
                && rules.asked_for_human.is_some()
                && rules.strong_emotion.is_some()
                && rules.threat.is_some()
        );
    }

    #[test]
    fn mistakes_name_the_key() {
        for (yaml, key) in [
            ("version: 2\nescalate: {}", "version"),
            ("version: 1\nescalate: {negative_sentiment: {below: -3, priority: high}}", "negative_sentiment.below"),
            ("version: 1\nescalate: {angry: {}}", "angry"),
            ("version: 1\nescalate: {threat: {phrases: ['!!'], priority: urgent}}", "threat.phrases"),
            ("version: 1\nescalate: {}\nacknowledgements: {en: {default: ' '}}", "acknowledgements.en.default"),
        ] {
            let error = PolicyFile::parse(yaml).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
