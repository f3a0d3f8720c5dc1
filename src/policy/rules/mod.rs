//! One rule a file. To add one: its file, its parameters in [`Escalate`](super::Escalate), and its line in `RULES`.

mod asked_for_human;
mod consecutive_negatives;
mod customer_segment;
mod danger;
mod falling_sentiment;
mod negative_sentiment;
mod opening_hours;
mod phrases;
mod repeated_fallback;
mod repeated_request;
mod sensitive_intent;
mod strong_emotion;
mod threat;

pub use asked_for_human::{AskedForHuman, ID as ASKED_FOR_HUMAN};
pub use consecutive_negatives::ConsecutiveNegatives;
pub use customer_segment::CustomerSegment;
pub use danger::Danger;
pub use falling_sentiment::FallingSentiment;
pub use negative_sentiment::NegativeSentiment;
pub use opening_hours::OpeningHours;
pub use repeated_fallback::RepeatedFallback;
pub use repeated_request::RepeatedRequest;
pub use sensitive_intent::SensitiveIntent;
pub use strong_emotion::StrongEmotion;
pub use threat::Threat;

use super::facts::HISTORY;
use super::{Escalate, Facts, Rule, RuleError};
use crate::heads::{Prediction, SentimentPrediction};

/// Builds a rule from its parameters, if it is on.
type Build = fn(&Escalate) -> Option<Box<dyn Rule>>;

fn boxed(rule: Option<&(impl Rule + Clone + 'static)>) -> Option<Box<dyn Rule>> {
    rule.map(|rule| Box::new(rule.clone()) as Box<dyn Rule>)
}

/// Every rule.
pub const RULES: &[Build] = &[
    |on| boxed(on.negative_sentiment.as_ref()),
    |on| boxed(on.falling_sentiment.as_ref()),
    |on| boxed(on.consecutive_negatives.as_ref()),
    |on| boxed(on.asked_for_human.as_ref()),
    |on| boxed(on.strong_emotion.as_ref()),
    |on| boxed(on.threat.as_ref()),
    |on| boxed(on.danger.as_ref()),
    |on| boxed(on.repeated_fallback.as_ref()),
    |on| boxed(on.repeated_request.as_ref()),
    |on| boxed(on.sensitive_intent.as_ref()),
    |on| boxed(on.customer_segment.as_ref()),
    |on| boxed(on.opening_hours.as_ref()),
];

/// Their names.
pub const IDS: &[&str] = &[
    "negative_sentiment",
    "falling_sentiment",
    "consecutive_negatives",
    ASKED_FOR_HUMAN,
    "strong_emotion",
    "threat",
    "danger",
    "repeated_fallback",
    "repeated_request",
    "sensitive_intent",
    "customer_segment",
    "opening_hours",
];

/// A score as thresholds are compared with it: to four decimals, so that the last bits of a device do not decide.
fn rounded(score: f32) -> f32 {
    (score * 1e4).round() / 1e4
}

/// A score in words: two decimals, or up to four where they say more.
fn shown(score: f32) -> String {
    let text = format!("{score:.4}");
    let text = text.strip_suffix("00").or_else(|| text.strip_suffix('0')).unwrap_or(&text);
    text.to_owned()
}

/// The sentiment of a message.
fn sentiment(rule: &'static str, prediction: &Prediction) -> Result<SentimentPrediction, RuleError> {
    prediction.sentiment.ok_or_else(|| RuleError { rule: rule.into(), detail: "the model has no sentiment head".to_owned() })
}

/// The sentiment of a message that is below a bound, and in words; none where it is not. A rule without a bound does not ask.
fn below(rule: &'static str, facts: &Facts<'_>, bound: Option<f32>) -> Result<Option<(Option<f32>, String)>, RuleError> {
    let Some(bound) = bound else { return Ok(Some((None, String::new()))) };
    let score = rounded(sentiment(rule, facts.prediction)?.score);
    let words = || format!(" with sentiment {}, below {}", shown(score), shown(bound));
    Ok((score < bound).then(|| (Some(score), words())))
}

/// Checks that the model knows one of the intents that a rule looks for.
fn knows_one_of(rule: &'static str, intents: &[String], facts: &Facts<'_>) -> Result<(), RuleError> {
    let known = &facts.labels.intents;
    let detail = if known.is_empty() {
        "the model has no intent head".to_owned()
    } else if intents.iter().any(|name| known.contains(name)) {
        return Ok(());
    } else {
        format!("the model knows none of the intents {}", intents.join(", "))
    };
    Err(RuleError { rule: rule.into(), detail })
}

/// Checks that a value of a policy file lies in a range.
fn within(key: &str, value: f32, least: f32, most: f32) -> Result<(), (String, String)> {
    if (least..=most).contains(&value) { Ok(()) } else { Err((key.to_owned(), format!("{value} is outside [{least}, {most}]"))) }
}

/// Checks a count of messages that a rule looks back on.
fn countable(key: &str, value: usize, least: usize) -> Result<(), (String, String)> {
    if (least..=HISTORY).contains(&value) { Ok(()) } else { Err((key.to_owned(), format!("{value} is outside {least}..={HISTORY}"))) }
}

/// Checks that a list has something in it.
fn filled(key: &str, list: &[String]) -> Result<(), (String, String)> {
    if list.is_empty() { Err((key.to_owned(), "is empty; leave the rule out".to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_name_in_the_list_and_in_the_file() {
        let yaml = "{negative_sentiment: {below: -0.5, priority: high}, falling_sentiment: {ewma_alpha: 0.5, enter_below: -0.3,
            exit_above: -0.1, min_turns: 3, priority: normal}, consecutive_negatives: {count: 2, priority: high}, asked_for_human:
            {intents: [human_agent], min_score: 0.5, priority: high}, strong_emotion: {any_of: {anger: 0.8}, priority: high},
            threat: {phrases: [lawyer], priority: urgent}, danger: {phrases: [on fire], priority: urgent}, repeated_fallback: {count: 2, within_turns: 4, priority: normal},
            repeated_request: {count: 3, within_turns: 6, priority: normal}, sensitive_intent: {intents: [account_delete],
            priority: normal}, customer_segment: {segments: [vip], raise_by: 1}, opening_hours: {hours: {timezone: UTC, week: {mon:
            [09:00-17:00]}}, lower_by: 1}}";
        let escalate: Escalate = serde_saphyr::from_str(yaml).unwrap();
        let rules: Vec<_> = RULES.iter().map(|build| build(&escalate).unwrap()).collect();
        assert_eq!(rules.iter().map(|rule| rule.id()).collect::<Vec<_>>(), IDS);
        let names: Vec<_> = serde_json::to_value(&escalate).unwrap().as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, IDS);
        assert!(rules.iter().all(|rule| rule.validate().is_ok()));
    }
}
