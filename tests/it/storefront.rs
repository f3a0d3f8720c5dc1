//! The shipped model on messages that it must get right, through the engine and the default policy.

use crate::shop::engine;
use hearken::engine::Input;
use hearken::heads::Prediction;
use hearken::patterns::ValueContext;
use hearken::policy::{Decision, Facts, Policy, PolicyFile};
use hearken::text::Utterance;

async fn classify(texts: &[&str]) -> Vec<(Prediction, Decision)> {
    let engine = engine("storefront-en", 64);
    let policy = Policy::new("default", PolicyFile::default());
    let input =
        |text: &&str| Input { text: Utterance::new(*text).unwrap(), context: vec![], values: ValueContext { now: None, region: None } };
    let outcomes = engine.classify(texts.iter().map(input).collect::<Vec<_>>()).await.unwrap();
    let decide = |(text, prediction): (&&str, Prediction)| {
        let decision = policy.decide(&Facts::lone(text, &prediction, engine.labels()));
        (prediction, decision)
    };
    texts.iter().zip(outcomes.into_iter().map(|outcome| outcome.prediction)).map(decide).collect()
}

fn entities<'a>(text: &'a str, prediction: &'a Prediction) -> Vec<(&'a str, &'a str)> {
    prediction.entities.iter().flatten().map(|entity| (entity.label.as_str(), entity.span.slice(text))).collect()
}

#[tokio::test]
async fn seed_cases() {
    let texts = [
        "My order hasn't arrived yet",
        "Do you have the blue shirt in size medium in stock?",
        "You are the worst company I have ever dealt with, I am furious! Nobody answers, give me my money back NOW!!",
        "Thank you so much, you saved my weekend!",
        "Where is my order #A-10293? I paid $49.90, write to ana@example.com",
    ];
    let answers = classify(&texts).await;
    let score = |index: usize| answers[index].0.sentiment.unwrap().score;
    let intent = |index: usize| answers[index].0.intent.as_ref().unwrap().matched();

    assert_eq!(intent(0), Some("track_order"));
    assert!(!answers[0].1.escalate, "{:?}", answers[0].1);

    assert_eq!(intent(1), Some("product_availability"));
    assert_eq!(
        entities(texts[1], &answers[1].0),
        [("color", "blue"), ("product", "shirt"), ("size", "medium"), ("availability", "in stock")]
    );

    assert!(score(2) < -0.5, "{}", score(2));
    let decision = &answers[2].1;
    assert!(decision.escalate && decision.reasons.iter().any(|reason| reason.rule == "negative_sentiment"), "{decision:?}");
    assert!(decision.acknowledgement.as_ref().is_some_and(|sentence| !sentence.is_empty()));

    assert!(score(3) > 0.5, "{}", score(3));
    assert_eq!(intent(3), Some("thanks"));
    assert!(!answers[3].1.escalate);

    let found = entities(texts[4], &answers[4].0);
    assert_eq!(found, [("order_number", "A-10293"), ("money", "$49.90"), ("email", "ana@example.com")]);
    let values: Vec<_> = answers[4].0.entities.iter().flatten().map(|entity| entity.value.clone().unwrap().to_string()).collect();
    assert_eq!(values, ["\"A-10293\"", "{\"amount\":\"49.90\",\"currency\":\"USD\"}", "\"ana@example.com\""]);
}
