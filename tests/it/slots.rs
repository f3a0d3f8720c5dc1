//! Slots: a model is loaded, tried beside the other, promoted and taken back, while requests go on.

use crate::http_client::{Answer, delete, get, post};
use crate::shop::service;
use hearken::config::ServeConfig;
use hearken::http::Service;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn tiny() -> Arc<Service> {
    service("tiny", ServeConfig { queue: 512, max_inputs: 64, ..ServeConfig::default() })
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_is_tried_in_the_shadow_promoted_and_taken_back() {
    let service = tiny();
    let before = get(&service, "/v1/models").await;
    assert_eq!(before.body["stable"]["model"], "tiny@1.0.0");
    assert_eq!((&before.body["shadow"], &before.body["previous"]), (&Value::Null, &Value::Null));
    let ask = |slot: &str| json!({"input": "where is my order?", "options": {"model": slot}});
    refused(&post(&service, "/v1/classify", ask("shadow")).await, 422, "invalid");
    refused(&post(&service, "/v1/models/shadow/promote", json!({})).await, 409, "conflict");
    refused(&post(&service, "/v1/models/stable/rollback", json!({})).await, 409, "conflict");

    let loaded = post(&service, "/v1/models/shadow", json!({"model": "storefront-en"})).await;
    let name = loaded.body["shadow"]["model"].as_str().unwrap().to_owned();
    assert!(name.starts_with("storefront-en@"), "{}", loaded.text);
    let answer = post(&service, "/v1/classify", ask("shadow")).await;
    assert_eq!((&answer.body["model"], answer.headers["x-model"].to_str().unwrap()), (&json!(name), name.as_str()));
    for n in 0..20 {
        let text = format!("where is my order {n}? I am so angry");
        assert_eq!(post(&service, "/v1/classify", json!({"input": text})).await.headers["x-model"], "tiny@1.0.0");
    }
    let report = loop {
        let report = get(&service, "/v1/models").await.body["shadow"]["report"].clone();
        let done = ["compared", "skipped", "failed"].iter().map(|key| report[key].as_u64().unwrap()).sum::<u64>();
        if done == 20 {
            break report;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    };
    assert!(report["compared"].as_u64().unwrap() > 0, "{report}");
    let changed: u64 = report["changes"].as_array().unwrap().iter().map(|change| change["messages"].as_u64().unwrap()).sum();
    assert_eq!(report["intent_changed"], changed, "{report}");

    let promoted = post(&service, "/v1/models/shadow/promote", json!({})).await;
    assert_eq!((&promoted.body["stable"]["model"], &promoted.body["previous"]), (&json!(name), &json!("tiny@1.0.0")));
    assert_eq!(post(&service, "/v1/classify", ask("stable")).await.body["model"], name.as_str());
    let back = post(&service, "/v1/models/stable/rollback", json!({})).await;
    assert_eq!((&back.body["stable"]["model"], &back.body["previous"]), (&json!("tiny@1.0.0"), &json!(name)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_loaded_changes_nothing() {
    let service = tiny();
    for (path, body, status, code) in [
        ("/v1/models/shadow", json!({"model": "nowhere"}), 422, "invalid"),
        ("/v1/models/shadow", json!({"model": "../models/tiny"}), 422, "invalid"),
        ("/v1/models/shadow", json!({"name": "tiny"}), 422, "invalid"),
        ("/v1/models/third", json!({"model": "tiny"}), 404, "not_found"),
        ("/v1/models/stable/promote", json!({}), 409, "conflict"),
        ("/v1/models/shadow/rollback", json!({}), 409, "conflict"),
    ] {
        refused(&post(&service, path, body).await, status, code);
    }
    refused(&delete(&service, "/v1/models/shadow").await, 409, "conflict");
    refused(&delete(&service, "/v1/models/stable").await, 409, "conflict");
    assert_eq!(get(&service, "/v1/models").await.body["stable"]["model"], "tiny@1.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_models_change() {
    let service = tiny();
    let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (service, stop, answered) = (Arc::clone(&service), Arc::clone(&stop), Arc::clone(&answered));
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = post(&service, "/v1/classify", json!({"input": "where is my order?"})).await;
                    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for _ in 0..5 {
        let loaded = post(&service, "/v1/models/shadow", json!({"model": "tiny"})).await;
        assert_eq!(loaded.status.as_u16(), 200, "{}", loaded.text);
        assert_eq!(post(&service, "/v1/models/shadow/promote", json!({})).await.status.as_u16(), 200);
        assert_eq!(post(&service, "/v1/models/stable", json!({"model": "tiny"})).await.status.as_u16(), 200);
        assert_eq!(post(&service, "/v1/models/stable/rollback", json!({})).await.status.as_u16(), 200);
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert!(answered.load(Ordering::Relaxed) > 0);
}
