//! Conversations over HTTP: what is remembered, who has one, and what a hand-over leaves behind.

use crate::http_client::{Answer, delete, get, post, send};
use crate::shop::shop;
use crate::stores::{self, TestStore};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hearken::config::ServeConfig;
use hearken::http::Service;
use serde_json::{Value, json};
use std::sync::Arc;

const FURIOUS: &str = "This is the third time I ask and nobody answers. I am furious, your service is a disgrace!";

async fn say(service: &Arc<Service>, conversation: &str, id: &str, text: &str) -> Value {
    let input = json!([{"id": id, "conversation_id": conversation, "text": text}]);
    let answer = post(service, "/v1/classify", json!({"input": input})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.body["data"][0].clone()
}

async fn event(service: &Arc<Service>, body: Value) -> Answer {
    post(service, "/v1/events", body).await
}

async fn server(test: &TestStore) -> Arc<Service> {
    let (service, couriers) = shop("storefront-en", ServeConfig::default(), &test.store).await;
    drop(couriers);
    service
}

#[tokio::test]
async fn a_conversation_is_remembered_and_survives_a_restart() {
    for test in &stores::all().await {
        let service = server(test).await;
        let first = say(&service, "c1", "m1", "where is my order A-10293?").await;
        assert_eq!(first["conversation"], json!({"id": "c1", "turn": 0, "repeated": false}));
        assert_eq!((first["escalation"]["action"].as_str(), &first["escalation"]["handover_id"]), (Some("none"), &Value::Null));
        let reply = json!({"type": "reply", "conversation_id": "c1", "role": "bot", "text": "It left our depot.", "message_id": "b1"});
        assert_eq!(event(&service, reply.clone()).await.status, StatusCode::OK);
        assert_eq!(event(&service, reply).await.status, StatusCode::OK, "told twice, said once");

        // Another replica, or the same after a restart.
        let service = server(&TestStore { store: test.again().await, ..stores::sqlite().await }).await;
        let again = say(&service, "c1", "m1", "where is my order A-10293?").await;
        assert_eq!(again["conversation"]["repeated"], true);
        for key in ["intent", "intent_ranking", "entities", "sentiment", "emotions", "escalation", "tokens", "status"] {
            assert_eq!(again[key], first[key], "{key}");
        }
        let second = say(&service, "c1", "m2", "and when will it be here?").await;
        assert_eq!(second["conversation"]["turn"], 2);
        assert!(second["tokens"].as_u64() > Some(20), "read beside what was said before");

        let read = get(&service, "/v1/conversations/c1").await;
        assert_eq!(read.status, StatusCode::OK, "{}", read.text);
        let roles: Vec<_> = read.body["turns"].as_array().unwrap().iter().map(|turn| turn["role"].as_str().unwrap()).collect();
        assert_eq!(roles, ["customer", "bot", "customer"]);
        assert_eq!((&read.body["owner"], &read.body["turns"][1]["text"]), (&json!("bot"), &json!("It left our depot.")));

        assert_eq!(delete(&service, "/v1/conversations/c1").await.status, StatusCode::NO_CONTENT);
        assert_eq!(delete(&service, "/v1/conversations/c1").await.status, StatusCode::NOT_FOUND);
        assert_eq!(get(&service, "/v1/conversations/c1").await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn an_episode_has_one_hand_over_until_it_is_handed_back() {
    for test in &stores::all().await {
        let service = server(test).await;
        let first = say(&service, "c1", "m1", FURIOUS).await;
        let handover = first["escalation"]["handover_id"].as_str().unwrap().to_owned();
        assert_eq!((&first["escalation"]["action"], &first["escalation"]["recommended"]), (&json!("hand_over"), &json!(true)));
        assert!(first["escalation"]["acknowledgement"].as_str().is_some_and(|text| !text.is_empty()));
        let second = say(&service, "c1", "m2", FURIOUS).await;
        assert_eq!((&second["escalation"]["action"], &second["escalation"]["handover_id"]), (&json!("with_human"), &json!(handover)));
        assert_eq!(say(&service, "c1", "m1", FURIOUS).await["escalation"], first["escalation"], "answered again, counted once");

        let told = get(&service, &format!("/v1/handovers/{handover}")).await.body;
        let data = &told["payload"]["data"];
        assert_eq!((&told["state"], &data["conversation_id"], &data["handover_id"]), (&json!("open"), &json!("c1"), &json!(handover)));
        assert_eq!(data["turns"][0]["text"], FURIOUS);
        assert_eq!(get(&service, "/v1/handovers?state=open").await.body["data"].as_array().unwrap().len(), 1);
        assert_eq!(get(&service, "/v1/conversations/c1").await.body["owner"], "human");

        let accepted = event(&service, json!({"id": "e1", "type": "handover.accepted", "conversation_id": "c1"})).await;
        assert_eq!(accepted.body["recorded"], true, "{}", accepted.text);
        let again = event(&service, json!({"id": "e1", "type": "handover.accepted", "conversation_id": "c1"})).await;
        assert_eq!(again.body["recorded"], false);
        assert_eq!(get(&service, &format!("/v1/handovers/{handover}")).await.body["state"], "accepted");
        let resolved = event(&service, json!({"type": "handover.resolved", "handover_id": handover})).await;
        assert_eq!(resolved.status, StatusCode::OK, "{}", resolved.text);
        assert_eq!(post(&service, "/v1/conversations/c1/resume", json!({})).await.status, StatusCode::CONFLICT);

        let cool = say(&service, "c1", "m3", FURIOUS).await;
        assert_eq!((&cool["escalation"]["action"], &cool["escalation"]["recommended"]), (&json!("cool_down"), &json!(false)));
        assert!(cool["escalation"]["cool_down_until"].is_string() && cool["escalation"]["handover_id"].is_null());
        let asked = say(&service, "c1", "m4", "I want to talk to a real person now").await;
        assert_eq!(asked["escalation"]["action"], "hand_over", "who asks for a person gets one: {asked}");
        assert_ne!(asked["escalation"]["handover_id"], json!(handover));
    }
}

#[tokio::test]
async fn a_caller_may_ask_for_a_person_and_take_the_conversation_back() {
    let test = stores::sqlite().await;
    let service = server(&test).await;
    assert_eq!(post(&service, "/v1/conversations/c1/handover", json!({})).await.status, StatusCode::NOT_FOUND);
    say(&service, "c1", "m1", "do you ship to Norway?").await;
    let asked = post(&service, "/v1/conversations/c1/handover", json!({"priority": "urgent"})).await;
    assert_eq!((asked.status, &asked.body["before"]), (StatusCode::OK, &json!(false)), "{}", asked.text);
    let again = post(&service, "/v1/conversations/c1/handover", json!({})).await;
    assert_eq!((&again.body["before"], &again.body["handover_id"]), (&json!(true), &asked.body["handover_id"]));
    let read = get(&service, &format!("/v1/handovers/{}", asked.body["handover_id"].as_str().unwrap())).await.body;
    assert_eq!((&read["source"], &read["priority"]), (&json!("request"), &json!("urgent")));
    let resumed = post(&service, "/v1/conversations/c1/resume", json!({})).await;
    assert_eq!(resumed.body["handover_id"], asked.body["handover_id"]);
    assert_eq!(get(&service, "/v1/conversations/c1").await.body["owner"], "bot");
}

#[tokio::test]
async fn several_messages_of_a_conversation_in_one_request_are_one_after_the_other() {
    let test = stores::sqlite().await;
    let service = server(&test).await;
    let input = json!([
        {"id": "m1", "conversation_id": "c1", "text": "hello"},
        "no conversation",
        {"id": "m2", "conversation_id": "c1", "text": FURIOUS},
        {"id": "m1", "conversation_id": "c1", "text": "hello"},
        {"id": "m1", "conversation_id": "c2", "text": "hi there", "context": [{"role": "bot", "text": "Welcome!"}]},
        {"id": "m3", "conversation_id": "c1", "text": FURIOUS},
    ]);
    let answer = post(&service, "/v1/classify", json!({"input": input})).await;
    let data = answer.body["data"].as_array().unwrap();
    let turns: Vec<_> = data.iter().map(|one| one["conversation"]["turn"].clone()).collect();
    assert_eq!(turns, [json!(0), Value::Null, json!(1), json!(0), json!(1), json!(2)]);
    let actions: Vec<_> = data.iter().map(|one| one["escalation"]["action"].clone()).collect();
    assert_eq!(actions, [json!("none"), Value::Null, json!("hand_over"), json!("none"), json!("none"), json!("with_human")]);
    assert_eq!(data[3]["conversation"]["repeated"], true);
    let first = get(&service, "/v1/conversations/c2").await.body;
    assert_eq!(first["turns"][0]["text"], "Welcome!");
    assert_eq!(test.store.verify().await.unwrap().problems, [""; 0]);
}

#[tokio::test]
async fn mistakes_have_their_place() {
    let test = stores::sqlite().await;
    let service = server(&test).await;
    say(&service, "c1", "m1", "hello").await;
    let reused = post(&service, "/v1/classify", json!({"input": [{"id": "m1", "conversation_id": "c1", "text": "another text"}]})).await;
    assert_eq!((reused.status, &reused.body["errors"][0]["pointer"]), (StatusCode::CONFLICT, &json!("/input/0/id")));
    for (input, pointer) in [
        (json!({"conversation_id": "", "text": "x"}), "/input/0/conversation_id"),
        (json!({"conversation_id": "a".repeat(300), "text": "x"}), "/input/0/conversation_id"),
        (json!({"conversation_id": "c", "text": "x", "channel": "a\u{0}"}), "/input/0/channel"),
        (json!({"conversation_id": "c", "text": "x", "metadata": {"a": "b".repeat(5000)}}), "/input/0/metadata"),
    ] {
        let answer = post(&service, "/v1/classify", json!({"input": [input]})).await;
        assert_eq!(
            (answer.status, &answer.body["errors"][0]["pointer"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(pointer)),
            "{}",
            answer.text
        );
    }
    for (body, status) in [
        (json!({"type": "csat", "conversation_id": "c1"}), 422),
        (json!({"type": "csat", "conversation_id": "c1", "score": 9}), 422),
        (json!({"type": "csat", "conversation_id": "nobody", "score": 5}), 404),
        (json!({"type": "handover.accepted", "conversation_id": "c1"}), 409),
        (json!({"type": "handover.accepted", "handover_id": "ho_x"}), 404),
        (json!({"type": "correction", "conversation_id": "c1", "message_id": "m9", "intent": "thanks"}), 404),
        (json!({"type": "correction", "conversation_id": "c1", "message_id": "m1"}), 422),
        (json!({"type": "reply", "conversation_id": "c1", "role": "customer", "text": "x"}), 422),
        (json!({"type": "anomaly", "conversation_id": "c1"}), 422),
        (json!({"type": "lunch"}), 422),
        (json!({"type": "csat", "conversation_id": "c1", "score": 4}), 200),
        (json!({"type": "correction", "conversation_id": "c1", "message_id": "m1", "intent": "thanks"}), 200),
    ] {
        let answer = event(&service, body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}: {}", answer.text);
    }
    for path in ["/v1/handovers?limit=0", "/v1/handovers?state=lost", "/v1/handovers?delivery=lost"] {
        assert_eq!(get(&service, path).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    assert_eq!(get(&service, "/v1/handovers/ho_x").await.status, StatusCode::NOT_FOUND);
    let none = crate::shop::service("tiny", ServeConfig::default());
    let answer = post(&none, "/v1/classify", json!({"input": [{"conversation_id": "c", "text": "x"}]})).await;
    assert_eq!((answer.status, answer.body["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")), "{}", answer.text);
}

#[tokio::test]
async fn the_policy_is_exchanged_by_one_that_means_something() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.yaml");
    std::fs::write(&file, hearken::policy::PolicyFile::built_in()).unwrap();
    let test = stores::sqlite().await;
    let config = ServeConfig { policy: Some(file.clone()), ..ServeConfig::default() };
    let (service, _couriers) = shop("storefront-en", config, &test.store).await;
    let put = |body: Value| {
        let service = Arc::clone(&service);
        let request =
            Request::put("/v1/policy").header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap();
        async move { send(&service, request).await }
    };
    let wrong = put(json!({"version": 1, "escalate": {"threat": {"phrases": [], "priority": "low"}}})).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body["detail"].as_str().unwrap().contains("escalate.threat.phrases"), "{}", wrong.text);
    assert_eq!(say(&service, "c1", "m1", FURIOUS).await["escalation"]["recommended"], true);
    let quiet = put(json!({"version": 1, "escalate": {}})).await;
    assert_eq!((quiet.status, &quiet.body["persistent"]), (StatusCode::OK, &json!(true)), "{}", quiet.text);
    let calm = say(&service, "c2", "m1", FURIOUS).await;
    assert_eq!((&calm["escalation"]["recommended"], &calm["escalation"]["policy"]), (&json!(false), &quiet.body["id"]));
    assert!(quiet.body["id"].as_str().unwrap().starts_with("shop@sha256:"));
    assert_eq!(get(&service, "/v1/policy").await.body["policy"]["escalate"], json!({}));
    assert!(hearken::policy::PolicyFile::parse(&std::fs::read_to_string(&file).unwrap()).unwrap().escalate.threat.is_none());
}

#[tokio::test]
async fn what_is_personal_is_masked_before_it_is_stored_and_decided_about() {
    let test = stores::sqlite().await;
    let config = ServeConfig { mask_stored: vec!["personal".to_owned()], ..ServeConfig::default() };
    let (service, _couriers) = shop("storefront-en", config, &test.store).await;
    let answer = say(&service, "c1", "m1", "Where is my order #A-10293? Write to ana@example.com").await;
    let found: Vec<_> = answer["entities"].as_array().unwrap().iter().map(|entity| entity["text"].clone()).collect();
    assert!(found.contains(&json!("ana@example.com")), "the caller gets what the text says: {found:?}");
    let stored = get(&service, "/v1/conversations/c1").await.text;
    assert!(!stored.contains("ana@example.com") && !stored.contains("10293") && stored.contains("[email]"), "{stored}");
}
