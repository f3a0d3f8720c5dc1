//! The corpus of policy cases: each file has a policy and conversations, and says for every message what is to be decided.

use crate::shop::{model, repository};
use hearken::heads::{EmotionScore, IntentPrediction, Labels, Prediction, Sentiment, SentimentPrediction, Status};
use hearken::policy::{Action, Course, IDS, Message, Past, Policy, PolicyFile};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// When conversations begin unless they say otherwise: a Wednesday.
const BEGIN: &str = "2026-05-06T10:00:00Z";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// A policy; the built-in one without it.
    policy: Option<serde_json::Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    turns: Vec<Turn>,
}

/// A message of the customer, or, with `resume`, the end of a hand-over.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Turn {
    text: String,
    /// The best intent; none with `lacks: [intent]`.
    intent: String,
    score: f32,
    status: Status,
    /// In [−1, 1]; the label follows from it.
    sentiment: f32,
    emotions: BTreeMap<String, f32>,
    /// Heads that the model lacks.
    lacks: Vec<String>,
    /// Time since the turn before, or an RFC 3339 time.
    after: Option<String>,
    at: Option<Timestamp>,
    channel: Option<String>,
    segment: Option<String>,
    language: Option<String>,
    resume: bool,
    /// The rules that fire, in their order.
    reasons: Vec<String>,
    errors: Vec<String>,
    priority: Option<String>,
    /// `none`, `hand_over`, `with_human` or `cool_down`.
    action: Option<String>,
    /// Part of what the customer is told.
    says: Option<String>,
    /// Part of the first reason's words.
    message: Option<String>,
    quick_replies: Option<Vec<String>>,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            text: "where is my parcel".to_owned(),
            intent: "track_order".to_owned(),
            score: 0.9,
            status: Status::Matched,
            sentiment: 0.0,
            emotions: BTreeMap::new(),
            lacks: Vec::new(),
            after: None,
            at: None,
            channel: None,
            segment: None,
            language: None,
            resume: false,
            reasons: Vec::new(),
            errors: Vec::new(),
            priority: None,
            action: None,
            says: None,
            message: None,
            quick_replies: None,
        }
    }
}

impl Turn {
    fn prediction(&self) -> Prediction {
        let has = |head: &str| !self.lacks.iter().any(|lacks| lacks == head);
        let negative = (-self.sentiment).max(0.0);
        let positive = self.sentiment.max(0.0);
        let label = match self.sentiment {
            score if score <= -0.5 => Sentiment::Negative,
            score if score >= 0.5 => Sentiment::Positive,
            _ => Sentiment::Neutral,
        };
        let probabilities = [negative, 1.0 - negative - positive, positive];
        let ranking = vec![(self.intent.clone(), self.score), ("refund_status".to_owned(), (1.0 - self.score) / 2.0)];
        let emotion = |(name, score): (&String, &f32)| EmotionScore { name: name.clone(), score: *score, present: *score >= 0.5 };
        let mut emotions: Vec<_> = self.emotions.iter().map(emotion).collect();
        emotions.sort_by(|a, b| b.score.total_cmp(&a.score));
        Prediction {
            intent: has("intent").then_some(IntentPrediction { status: self.status, ranking, rejection: 0.0, out_of_scope_margin: -0.5 }),
            entities: None,
            sentiment: has("sentiment").then_some(SentimentPrediction { label, score: self.sentiment, probabilities }),
            emotions: has("emotions").then_some(emotions),
        }
    }

    fn labels(&self) -> Labels {
        static ALL: LazyLock<Labels> = LazyLock::new(|| Labels::of(&model("storefront-en").manifest.heads));
        let all = ALL.clone();
        let has = |head: &str| !self.lacks.iter().any(|lacks| lacks == head);
        Labels {
            intents: if has("intent") { all.intents } else { Vec::new() },
            sentiment: has("sentiment"),
            emotions: if has("emotions") { all.emotions } else { Vec::new() },
        }
    }
}

/// Plays a conversation and says where it went otherwise.
fn play(policy: &Policy, place: &str, case: &Case, fired: &mut BTreeSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut course = Course::default();
    let mut now: Timestamp = BEGIN.parse().unwrap();
    for (index, turn) in case.turns.iter().enumerate() {
        let number = index as u64;
        let step = turn.after.as_ref().map_or(SignedDuration::from_mins(1), |after| after.parse().unwrap());
        now = turn.at.unwrap_or(now + step);
        if turn.resume {
            course.episode.hand_back(now, number);
            continue;
        }
        let prediction = turn.prediction();
        let labels = turn.labels();
        let message = Message {
            turn: number,
            at: now,
            text: &turn.text,
            prediction: &prediction,
            labels: &labels,
            channel: turn.channel.as_deref(),
            segment: turn.segment.as_deref(),
            language: turn.language.as_deref(),
        };
        let (decision, episode) = policy.go_on(&course, message);
        let action = match decision.action {
            Action::None => "none",
            Action::HandOver => "hand_over",
            Action::WithHuman => "with_human",
            Action::CoolDown { .. } => "cool_down",
        };
        let reasons: Vec<_> = decision.reasons.iter().map(|reason| reason.rule.as_ref()).collect();
        let errors: Vec<_> = decision.errors.iter().map(|error| error.rule.as_ref()).collect();
        fired.extend(reasons.iter().map(|rule| (*rule).to_owned()));
        let mut same = reasons == turn.reasons && errors == turn.errors;
        same &= decision.priority.map(|priority| priority.name().to_owned()) == turn.priority;
        same &= turn.action.as_deref().unwrap_or(if turn.reasons.is_empty() { "none" } else { "hand_over" }) == action;
        let contains =
            |wanted: &Option<String>, got: Option<&str>| wanted.as_ref().is_none_or(|part| got.is_some_and(|got| got.contains(part)));
        same &= contains(&turn.says, decision.acknowledgement.as_deref());
        same &= contains(&turn.message, decision.reasons.first().map(|reason| reason.message.as_str()));
        let replies: Vec<_> = decision.quick_replies.iter().map(|reply| reply.text.clone()).collect();
        same &= turn.quick_replies.as_ref().is_none_or(|wanted| *wanted == replies);
        if !same {
            wrong.push(format!("{place}, `{}`, turn {index}: got {action}, {decision:#?}", case.name));
        }
        course.past.push(Past { turn: number, at: now, prediction });
        course.episode = episode;
    }
    wrong
}

#[test]
fn the_policy_corpus_is_decided_as_it_says() {
    let (mut wrong, mut cases, mut conversations) = (Vec::new(), 0, 0);
    let mut fired = BTreeSet::new();
    for entry in std::fs::read_dir(repository("tests/corpus/policy")).unwrap() {
        let path = entry.unwrap().path();
        let place = path.file_name().unwrap().to_string_lossy().into_owned();
        let file: File =
            serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap_or_else(|error| panic!("{place}: {error}"));
        let policy = file.policy.map_or_else(PolicyFile::default, |value| {
            PolicyFile::parse(&value.to_string()).unwrap_or_else(|error| panic!("{place}: {error}"))
        });
        let policy = Policy::new("corpus", policy);
        for case in &file.cases {
            cases += 1;
            conversations += usize::from(case.turns.len() > 1);
            wrong.extend(play(&policy, &place, case, &mut fired));
        }
    }
    println!("{cases} cases, {conversations} of them conversations");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 150 && conversations >= 25, "{cases} cases, {conversations} conversations");
    let missing: Vec<_> = IDS.iter().filter(|id| !fired.contains(**id)).collect();
    assert!(missing.is_empty(), "no case fires {missing:?}");
}
