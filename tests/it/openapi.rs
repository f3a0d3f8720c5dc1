//! The OpenAPI document says what the server does: every status that it names for `/v1/classify` is produced here, and no other.

use crate::http_client::{get, post, post_text, send};
use crate::shop::service;
use axum::body::Body;
use axum::http::{Request, header};
use hearken::config::ServeConfig;
use hearken::keys::{KeyFile, Scope};
use serde_json::json;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

const PATH: &str = "/v1/classify";

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_status_is_produced() {
    let small = ServeConfig { queue: 4, max_inputs: 4, body_limit: 4096, deadline_ms: 300, ..ServeConfig::default() };
    let open = service("tiny", small.clone());
    let document = get(&open, "/openapi.json").await.body;
    let documented: BTreeSet<u16> =
        document["paths"][PATH]["post"]["responses"].as_object().unwrap().keys().map(|status| status.parse().unwrap()).collect();

    let mut produced = BTreeSet::new();
    produced.insert(post(&open, PATH, json!({"input": "hi"})).await.status.as_u16());
    produced.insert(post_text(&open, PATH, "{").await.status.as_u16());
    produced.insert(post(&open, PATH, json!({"input": 7})).await.status.as_u16());
    let kept = json!({"input": [{"conversation_id": "c", "text": "hi"}]});
    produced.insert(post(&open, PATH, kept).await.status.as_u16());
    produced.insert(post(&open, PATH, json!({"input": vec!["hi"; 5]})).await.status.as_u16());
    produced.insert(get(&open, PATH).await.status.as_u16());
    let plain = Request::post(PATH).header(header::CONTENT_TYPE, "text/plain").body("hi".into()).unwrap();
    produced.insert(send(&open, plain).await.status.as_u16());
    let never = Body::from_stream(futures_util::stream::pending::<Result<String, Infallible>>());
    produced.insert(post_text(&open, PATH, never).await.status.as_u16());
    let late = Request::post(PATH).header(header::CONTENT_TYPE, "application/json").header("x-request-timeout-ms", "1");
    produced
        .insert(send(&open, late.body(json!({"input": vec!["order ".repeat(150); 4]}).to_string().into()).unwrap()).await.status.as_u16());
    let crowd: Vec<_> = (0..64)
        .map(|_| {
            let open = Arc::clone(&open);
            tokio::spawn(async move { post(&open, PATH, json!({"input": vec!["order ".repeat(100); 3]})).await.status.as_u16() })
        })
        .collect();
    for one in crowd {
        produced.insert(one.await.unwrap());
    }
    open.drain();
    produced.insert(post(&open, PATH, json!({"input": "hi"})).await.status.as_u16());

    let closed = service("tiny", small);
    let mut keys = KeyFile::default();
    let reader = keys.create("reader", vec![Scope::Read], None).unwrap().secret;
    closed.set_keys(keys);
    produced.insert(post(&closed, PATH, json!({"input": "hi"})).await.status.as_u16());
    let read =
        Request::post(PATH).header(header::AUTHORIZATION, format!("Bearer {reader}")).header(header::CONTENT_TYPE, "application/json");
    produced.insert(send(&closed, read.body(json!({"input": "hi"}).to_string().into()).unwrap()).await.status.as_u16());

    // 500 is for faults of the server's own, which no request brings about.
    produced.insert(500);
    assert_eq!(produced, documented);
}

#[tokio::test]
async fn every_documented_route_is_there_and_the_page_needs_nothing_from_elsewhere() {
    let service = service("tiny", ServeConfig::default());
    let document = get(&service, "/openapi.json").await.body;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path.replace("{model}", "tiny").replace("{slot}", "shadow");
        for method in methods.as_object().unwrap().keys() {
            let request =
                Request::builder().method(method.to_uppercase().as_str()).uri(&path).header(header::CONTENT_TYPE, "application/json");
            let answer = send(&service, request.body("{}".into()).unwrap()).await;
            assert!(![404, 405].contains(&answer.status.as_u16()), "{method} {path}: {}", answer.text);
        }
    }
    let page = get(&service, "/docs/").await;
    assert!(page.status.is_success() && !page.text.contains("https://"), "{}", page.text);
}
