//! What the stored outcomes come to, counted the same by every kind of store.

use crate::http_client::{get, post};
use crate::shop::shop;
use crate::stores::{self, TestStore};
use hearken::analytics::anomalies;
use hearken::config::ServeConfig;
use hearken::http::Service;
use hearken::policy::Episode;
use hearken::store::{Change, ConversationRow, MessageRow};
use serde_json::{Value, json};
use std::sync::Arc;

const FURIOUS: &str = "The Halden kettle broke again and nobody answers. I am furious, give me my money back NOW!";

async fn say(service: &Arc<Service>, conversation: &str, id: &str, text: &str, at: &str, channel: &str) -> Value {
    let input = json!([{"id": id, "conversation_id": conversation, "text": text, "timestamp": at, "channel": channel}]);
    let answer = post(service, "/v1/classify", json!({"input": input})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body["data"][0].clone()
}

async fn event(service: &Arc<Service>, body: Value) {
    let answer = post(service, "/v1/events", body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// A day in a shop: one customer is handed over, two are helped by the bot, one is not understood.
async fn a_day(service: &Arc<Service>) {
    say(service, "a", "1", "where is my order A-10293?", "2026-05-06T10:00:00Z", "web").await;
    let handed = say(service, "a", "2", FURIOUS, "2026-05-06T10:02:00Z", "web").await;
    let handover = handed["escalation"]["handover_id"].clone();
    event(service, json!({"type": "handover.accepted", "handover_id": handover, "timestamp": "2026-05-06T10:03:00Z"})).await;
    event(service, json!({"type": "handover.resolved", "handover_id": handover, "timestamp": "2026-05-06T10:13:00Z"})).await;
    event(service, json!({"type": "csat", "conversation_id": "a", "score": 2, "timestamp": "2026-05-06T10:20:00Z"})).await;
    say(service, "b", "1", "do you ship to Norway?", "2026-05-06T11:00:00Z", "app").await;
    event(service, json!({"type": "conversation.resolved", "conversation_id": "b", "timestamp": "2026-05-06T11:05:00Z"})).await;
    event(service, json!({"type": "csat", "conversation_id": "b", "score": 5, "timestamp": "2026-05-06T11:06:00Z"})).await;
    say(service, "c", "1", "who won the match last night", "2026-05-07T09:00:00Z", "app").await;
    event(service, json!({"type": "conversation.resolved", "conversation_id": "a", "timestamp": "2026-05-07T09:05:00Z"})).await;
    event(service, json!({"type": "correction", "conversation_id": "b", "message_id": "1", "intent": "delivery_cost"})).await;
}

const MAY: &str = "from=2026-05-01T00:00:00Z&to=2026-06-01T00:00:00Z";

async fn read(service: &Arc<Service>, path: &str) -> Value {
    let answer = get(service, path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.body
}

async fn the_parts(service: &Arc<Service>) {
    let moods = read(service, &format!("/v1/analytics/sentiment?{MAY}&bucket=day&by=channel")).await;
    let moods: Vec<_> = moods["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mood| (mood["at"].clone(), mood["group"].clone(), mood["messages"].clone()))
        .collect();
    assert_eq!(
        moods,
        [
            (json!("2026-05-06T00:00:00Z"), json!("app"), json!(1)),
            (json!("2026-05-06T00:00:00Z"), json!("web"), json!(2)),
            (json!("2026-05-07T00:00:00Z"), json!("app"), json!(1)),
        ]
    );
    let intents = read(service, &format!("/v1/analytics/intents?{MAY}")).await;
    let names: Vec<_> = intents["data"].as_array().unwrap().iter().map(|intent| intent["intent"].clone()).collect();
    assert!(names.contains(&json!("track_order")) && names.contains(&Value::Null), "{names:?}");
    let escalations = read(service, &format!("/v1/analytics/escalations?{MAY}")).await;
    assert_eq!(escalations["buckets"][0]["at"], "2026-05-06T00:00:00Z");
    assert!(escalations["rules"].as_array().unwrap().iter().any(|rule| rule["name"] == "strong_emotion"), "{escalations}");
    let pain = read(service, &format!("/v1/analytics/pain-points?{MAY}")).await;
    assert_eq!(pain["intents"].as_array().unwrap().len(), 1);
    assert!(pain["entities"][0]["text"].as_str().is_some_and(|text| text.contains("kettle")), "{pain}");
    let review = read(service, &format!("/v1/analytics/review?{MAY}")).await;
    let why: Vec<_> = review["data"].as_array().unwrap().iter().map(|review| review["why"].clone()).collect();
    assert_eq!(why, ["corrected", "out_of_scope"]);
    assert_eq!(review["data"][0]["corrected_intent"], "delivery_cost");
}

#[tokio::test]
async fn a_day_is_counted() {
    for test in &stores::all().await {
        let (service, _couriers) = shop("storefront-en", ServeConfig::default(), &test.store).await;
        a_day(&service).await;
        let summary = read(&service, &format!("/v1/analytics/summary?{MAY}")).await;
        for (key, wanted) in [
            ("messages", json!(4)),
            ("conversations", json!(3)),
            ("out_of_scope", json!(1)),
            ("handovers", json!(1)),
            ("resolved", json!(2)),
            ("deflection_rate", json!(0.5)),
            ("seconds_to_handover", json!(120.0)),
            ("seconds_to_accept", json!(60.0)),
            ("handling_seconds", json!(600.0)),
            ("csat_answers", json!(2)),
            ("csat", json!(3.5)),
            ("csat_with_person", json!(2.0)),
            ("negative_rate", json!(0.25)),
            ("not_understood_rate", json!(0.25)),
        ] {
            assert_eq!(summary[key], wanted, "{key} in {summary}");
        }
        assert!((summary["escalation_rate"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-9);
        let app = read(&service, &format!("/v1/analytics/summary?{MAY}&channel=app")).await;
        assert_eq!((&app["messages"], &app["handovers"], &app["csat"]), (&json!(2), &json!(0), &json!(5.0)));

        the_parts(&service).await;
        for wrong in [
            "from=x",
            "bucket=year",
            "from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z",
            "bucket=hour&from=2020-01-01T00:00:00Z",
            "by=moon",
        ] {
            assert_eq!(get(&service, &format!("/v1/analytics/sentiment?{wrong}")).await.status, 422, "{wrong}");
        }
    }
}

async fn hours(test: &TestStore, counts: impl Iterator<Item = (i64, usize)>) {
    for (hour, count) in counts {
        let id = format!("h{hour}");
        let message = |turn: i64| MessageRow {
            conversation: id.clone(),
            turn,
            role: "customer".to_owned(),
            at: hour * 3_600_000 + turn,
            intent: Some("track_order".to_owned()),
            sentiment: Some("negative".to_owned()),
            sentiment_score: Some(-0.9),
            decision: Some("{}".to_owned()),
            ..MessageRow::default()
        };
        let messages: Vec<_> = (0..i64::try_from(count).unwrap()).map(message).collect();
        let conversation = ConversationRow {
            id: id.clone(),
            version: 1,
            created: 0,
            updated: 0,
            turns: i64::try_from(count).unwrap(),
            channel: None,
            segment: None,
            customer: None,
            metadata: None,
            episode: serde_json::to_string(&Episode::NEW).unwrap(),
            handover: None,
            resolved: None,
        };
        test.store.write(Change { conversation, messages, handovers: Vec::new(), deliveries: Vec::new() }).await.unwrap();
    }
}

#[tokio::test]
async fn a_spike_is_noticed_and_an_ordinary_hour_is_not() {
    for test in &stores::all().await {
        let last = 500_000;
        hours(test, (last - 48..last).map(|hour| (hour, 4))).await;
        hours(test, [(last, 5)].into_iter()).await;
        let after = |hour: i64| jiff::Timestamp::from_millisecond((hour + 1) * 3_600_000 + 5).unwrap();
        assert_eq!(anomalies(&test.store, after(last)).await.unwrap(), []);
        hours(test, [(last + 1, 40)].into_iter()).await;
        let found = anomalies(&test.store, after(last + 1)).await.unwrap();
        let kinds: Vec<_> = found.iter().map(|anomaly| (anomaly.kind, anomaly.name.as_str(), anomaly.messages)).collect();
        assert_eq!(kinds, [("intent", "track_order", 40.0), ("negative_sentiment", "", 40.0)]);
    }
}
