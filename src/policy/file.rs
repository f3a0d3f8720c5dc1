//! The policy file: which rules are on, with which parameters, and what is told to the customer.

use super::rules::{
    AskedForHuman, ConsecutiveNegatives, CustomerSegment, Danger, FallingSentiment, IDS, NegativeSentiment, OpeningHours, RULES,
    RepeatedFallback, RepeatedRequest, SensitiveIntent, StrongEmotion, Threat,
};
use super::words::Sentences;
use crate::model::hex;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

const DEFAULT: &str = include_str!("default.yaml");

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
    /// Other parameters for some channels and customers, the later over the earlier.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Time after a hand-back in which only a customer who asks for a person, or a more pressing reason, is handed over again.
    #[serde(default = "cool_down", with = "duration")]
    pub cool_down: SignedDuration,
    /// Silence after which a conversation begins anew, whoever had it.
    #[serde(default = "episode_idle", with = "duration")]
    pub episode_idle: SignedDuration,
    /// What is told to the customer, by language and emotion; `default` for the others, `closed` out of hours.
    #[serde(default, skip_serializing_if = "Sentences::is_empty")]
    pub acknowledgements: Sentences,
    /// What buttons say for the intents of an ambiguous message, by language and intent.
    #[serde(default, skip_serializing_if = "Sentences::is_empty")]
    pub quick_replies: Sentences,
}

/// Parameters of each rule; a rule that is left out is off.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Escalate {
    /// The sentiment's score is low.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_sentiment: Option<NegativeSentiment>,
    /// The sentiment goes down over several messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub falling_sentiment: Option<FallingSentiment>,
    /// One negative message after another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consecutive_negatives: Option<ConsecutiveNegatives>,
    /// The customer wants a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_for_human: Option<AskedForHuman>,
    /// An emotion is strong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strong_emotion: Option<StrongEmotion>,
    /// The customer threatens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threat: Option<Threat>,
    /// Somebody may be harmed or robbed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub danger: Option<Danger>,
    /// The bot does not understand, again and again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated_fallback: Option<RepeatedFallback>,
    /// The customer wants the same thing, again and again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeated_request: Option<RepeatedRequest>,
    /// A matter that goes wrong easily.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitive_intent: Option<SensitiveIntent>,
    /// The customer belongs to a group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_segment: Option<CustomerSegment>,
    /// Whether people are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opening_hours: Option<OpeningHours>,
}

/// Other parameters for some messages. A rule that is named takes the place of the file's; `off` takes rules away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// For which messages.
    pub when: When,
    /// Rules in place of the file's.
    #[serde(default)]
    pub escalate: Escalate,
    /// Rules that do not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub off: Vec<String>,
}

/// Messages of one of the channels and of one of the segments; a list that is left out fits all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Channels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Groups of customers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<String>,
}

impl When {
    /// Whether a message is meant.
    #[must_use]
    pub fn fits(&self, channel: Option<&str>, segment: Option<&str>) -> bool {
        let one_of =
            |list: &[String], value: Option<&str>| list.is_empty() || value.is_some_and(|value| list.iter().any(|one| one == value));
        one_of(&self.channels, channel) && one_of(&self.segments, segment)
    }
}

fn cool_down() -> SignedDuration {
    SignedDuration::from_mins(30)
}

fn episode_idle() -> SignedDuration {
    SignedDuration::from_hours(24)
}

/// Durations such as `30m`.
mod duration {
    use jiff::SignedDuration;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(duration: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{duration:#}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SignedDuration, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| serde::de::Error::custom(format!("`{text}` is no duration such as 30m or 24h")))
    }
}

impl Default for PolicyFile {
    fn default() -> Self {
        // The text is part of the program and a test parses it; were it wrong, a policy without rules would be the answer.
        Self::parse(DEFAULT).unwrap_or(Self {
            version: 1,
            escalate: Escalate::default(),
            overrides: Vec::new(),
            cool_down: cool_down(),
            episode_idle: episode_idle(),
            acknowledgements: Sentences::new(),
            quick_replies: Sentences::new(),
        })
    }
}

impl PolicyFile {
    /// The text of the built-in policy.
    #[must_use]
    pub fn built_in() -> &'static str {
        DEFAULT
    }

    /// Parses and checks YAML, or JSON, which is YAML too.
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

    fn check(&self) -> Result<(), PolicyError> {
        let wrong = |key: String, detail: String| Err(PolicyError::Value { key, detail });
        if self.version != 1 {
            return wrong("version".to_owned(), format!("{} is not known; write 1", self.version));
        }
        check_rules("escalate", &self.escalate)?;
        for (index, other) in self.overrides.iter().enumerate() {
            let place = format!("overrides[{index}]");
            if other.when.channels.is_empty() && other.when.segments.is_empty() {
                return wrong(format!("{place}.when"), "names neither channels nor segments; change `escalate` itself".to_owned());
            }
            if let Some(id) = other.off.iter().find(|id| !IDS.contains(&id.as_str())) {
                return wrong(format!("{place}.off"), format!("there is no rule `{id}`; the rules are {}", IDS.join(", ")));
            }
            check_rules(&format!("{place}.escalate"), &other.escalate)?;
        }
        for (key, duration) in [("cool_down", self.cool_down), ("episode_idle", self.episode_idle)] {
            if duration.is_negative() {
                return wrong(key.to_owned(), "is negative".to_owned());
            }
        }
        for (key, by_language) in [("acknowledgements", &self.acknowledgements), ("quick_replies", &self.quick_replies)] {
            for (language, sentences) in by_language {
                if let Some((name, _)) = sentences.iter().find(|(_, sentence)| sentence.trim().is_empty()) {
                    return wrong(format!("{key}.{language}.{name}"), "is empty".to_owned());
                }
            }
        }
        Ok(())
    }
}

fn check_rules(place: &str, escalate: &Escalate) -> Result<(), PolicyError> {
    for rule in RULES.iter().filter_map(|build| build(escalate)) {
        rule.validate().map_err(|(key, detail)| PolicyError::Value { key: format!("{place}.{}.{key}", rule.id()), detail })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_parses_and_survives_being_written() {
        let file = PolicyFile::parse(DEFAULT).unwrap();
        assert!(file.escalate.negative_sentiment.is_some() && file.escalate.threat.is_some());
        let again = PolicyFile::parse(&serde_json::to_string(&file).unwrap()).unwrap();
        assert_eq!((again.hash(), &again), (file.hash(), &file));
    }

    #[test]
    fn mistakes_name_the_key() {
        for (yaml, key) in [
            ("version: 2\nescalate: {}", "version"),
            ("version: 1\nescalate: {negative_sentiment: {below: -3, priority: high}}", "negative_sentiment.below"),
            ("version: 1\nescalate: {angry: {}}", "angry"),
            ("version: 1\nescalate: {threat: {phrases: ['!!'], priority: urgent}}", "threat.phrases"),
            ("version: 1\nescalate: {}\nacknowledgements: {en: {default: ' '}}", "acknowledgements.en.default"),
            ("version: 1\nescalate: {}\ncool_down: soon", "soon"),
            ("version: 1\nescalate: {consecutive_negatives: {count: 0, priority: high}}", "consecutive_negatives.count"),
            ("version: 1\nescalate: {repeated_request: {count: 3, within_turns: 2, priority: high}}", "repeated_request.within_turns"),
            ("version: 1\nescalate: {}\noverrides: [{when: {}}]", "overrides[0].when"),
            ("version: 1\nescalate: {}\noverrides: [{when: {channels: [email]}, off: [angry]}]", "overrides[0].off"),
            (
                "version: 1\nescalate: {}\noverrides: [{when: {channels: [a]}, escalate: {strong_emotion: {any_of: {anger: 2}, priority: low}}}]",
                "overrides[0].escalate.strong_emotion.any_of.anger",
            ),
            ("version: 1\nescalate: {opening_hours: {hours: {timezone: Mars, week: {mon: [09:00-10:00]}}, lower_by: 1}}", "Mars"),
        ] {
            let error = PolicyFile::parse(yaml).unwrap_err().to_string();
            assert!(error.contains(key), "{error}");
        }
    }
}
