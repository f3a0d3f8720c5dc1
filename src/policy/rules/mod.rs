//! One rule a file. To add one: its file, its parameters in [`Escalate`](super::Escalate), and its line in `RULES`.

mod asked_for_human;
mod negative_sentiment;
mod strong_emotion;
mod threat;

pub use asked_for_human::AskedForHuman;
pub use negative_sentiment::NegativeSentiment;
pub use strong_emotion::StrongEmotion;
pub use threat::Threat;

use super::{Escalate, Rule};

/// Builds a rule from its parameters, if it is on.
type Build = fn(&Escalate) -> Option<Box<dyn Rule>>;

/// Every rule.
pub const RULES: &[Build] = &[
    |on| on.negative_sentiment.clone().map(|rule| Box::new(rule) as Box<dyn Rule>),
    |on| on.asked_for_human.clone().map(|rule| Box::new(rule) as Box<dyn Rule>),
    |on| on.strong_emotion.clone().map(|rule| Box::new(rule) as Box<dyn Rule>),
    |on| on.threat.clone().map(|rule| Box::new(rule) as Box<dyn Rule>),
];

/// A score as thresholds are compared with it: to four decimals, so that the last bits of a device do not decide.
fn rounded(score: f32) -> f32 {
    (score * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use crate::heads::{EmotionScore, IntentPrediction, Prediction, Sentiment, SentimentPrediction, Status};
    use crate::policy::{Facts, Policy, PolicyFile, Priority};

    fn prediction(intent: &str, score: f32, sentiment: f32, anger: f32) -> Prediction {
        Prediction {
            intent: Some(IntentPrediction {
                status: Status::Matched,
                ranking: vec![(intent.to_owned(), score), ("human_agent".to_owned(), 0.0)],
                rejection: 0.0,
                out_of_scope_margin: -1.0,
            }),
            entities: Some(vec![]),
            sentiment: Some(SentimentPrediction { label: Sentiment::Neutral, score: sentiment, probabilities: [0.0, 1.0, 0.0] }),
            emotions: Some(vec![EmotionScore { name: "anger".to_owned(), score: anger, present: anger > 0.5 }]),
        }
    }

    fn fired(text: &str, prediction: &Prediction) -> (Vec<&'static str>, Option<Priority>) {
        let decision = Policy::new("default", PolicyFile::default()).decide(&Facts { text, prediction });
        assert_eq!(decision.escalate, !decision.reasons.is_empty());
        assert_eq!(decision.escalate, decision.acknowledgement.is_some_and(|sentence| !sentence.is_empty()));
        assert!(decision.errors.is_empty() && decision.policy.starts_with("default@sha256:"));
        (decision.reasons.iter().map(|reason| reason.rule).collect(), decision.priority)
    }

    #[test]
    fn each_rule_fires_on_its_own_side_of_its_threshold() {
        assert_eq!(fired("where is it", &prediction("track_order", 0.9, -0.5, 0.79)), (vec![], None));
        assert_eq!(fired("where is it", &prediction("track_order", 0.9, -0.5001, 0.1)), (vec!["negative_sentiment"], Some(Priority::High)));
        assert_eq!(fired("a person please", &prediction("human_agent", 0.5, 0.0, 0.0)).0, ["asked_for_human"]);
        assert_eq!(fired("a person please", &prediction("human_agent", 0.49, 0.0, 0.0)).0, [""; 0]);
        assert_eq!(fired("grr", &prediction("complaint", 0.9, 0.0, 0.8)).0, ["strong_emotion"]);
        assert_eq!(fired("My LAWYER will write.", &prediction("complaint", 0.9, 0.0, 0.0)), (vec!["threat"], Some(Priority::Urgent)));
        assert_eq!(fired("a lawyerly tone, and issue your refund", &prediction("complaint", 0.9, 0.0, 0.0)).0, [""; 0]);
    }

    #[test]
    fn every_reason_is_listed_and_the_highest_priority_wins() {
        let (rules, priority) = fired("I'll sue you", &prediction("human_agent", 0.9, -0.9, 0.9));
        assert_eq!(rules, ["threat", "asked_for_human", "negative_sentiment", "strong_emotion"]);
        assert_eq!(priority, Some(Priority::Urgent));
    }

    #[test]
    fn a_rule_without_its_fact_is_an_error_and_not_a_pass() {
        let policy = Policy::new("default", PolicyFile::default());
        let errors = |prediction: &Prediction| {
            let decision = policy.decide(&Facts { text: "hi", prediction });
            assert!(!decision.escalate);
            decision.errors.iter().map(|error| error.rule).collect::<Vec<_>>()
        };
        assert_eq!(errors(&Prediction::default()), ["asked_for_human", "negative_sentiment", "strong_emotion"]);
        let mut other = prediction("track_order", 0.9, 0.0, 0.0);
        other.intent = other.intent.map(|intent| IntentPrediction { ranking: vec![("talk_to_us".to_owned(), 0.9)], ..intent });
        other.emotions = Some(vec![]);
        assert_eq!(errors(&other), ["asked_for_human", "strong_emotion"], "labels that the model lacks");
    }
}
