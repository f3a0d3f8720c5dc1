//! The wire: answers of one shape, every bad request with its status and a pointer, and a server that is still up after them.

use crate::http_client::{Answer, post_text, send};
use crate::shop::service;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use hearken::config::ServeConfig;
use hearken::http::Service;
use serde_json::{Value, json};
use std::sync::Arc;

fn tiny() -> Arc<Service> {
    service("tiny", ServeConfig { queue: 64, max_inputs: 64, ..ServeConfig::default() })
}

async fn post(service: &Arc<Service>, body: impl Into<Body>) -> Answer {
    post_text(service, "/v1/classify", body).await
}

#[tokio::test]
async fn one_and_a_batch_of_one_answer_the_same_shape() {
    let service = tiny();
    let one = post(&service, json!({"input": "where is my order?"}).to_string()).await;
    let batch = post(&service, json!({"input": ["where is my order?"]}).to_string()).await;
    assert_eq!((one.status, &one.body), (StatusCode::OK, &batch.body));
    assert_eq!(one.body["model"], "tiny@1.0.0");
    assert_eq!(one.headers["x-model"], "tiny@1.0.0");
    assert!(!one.headers["x-request-id"].is_empty());
    let result = &one.body["data"][0];
    for key in ["id", "status", "intent", "intent_ranking", "entities", "sentiment", "emotions", "escalation", "tokens", "truncated"] {
        assert!(result.get(key).is_some(), "{key} is missing in {result}");
    }
    assert_eq!(result["intent_ranking"].as_array().unwrap().len(), 3);
    assert_eq!(result["intent"], result["intent_ranking"][0]);
    for key in ["recommended", "priority", "reasons", "policy", "acknowledgement", "handover_id"] {
        assert!(result["escalation"].get(key).is_some(), "{key}");
    }
    assert_eq!(one.body["usage"]["tokens"], result["tokens"]);
}

#[tokio::test]
async fn objects_keep_their_ids_and_order_and_the_alias_answers_too() {
    let service = tiny();
    let body = json!({
        "input": [
            {"id": "b", "text": "thanks", "language": "en-GB", "timestamp": "2026-05-01T09:30:00Z", "timezone": "Europe/London", "channel": "web",
             "customer": {"id": "c-1", "segment": "vip"}, "metadata": {"any": [1, {"thing": null}]}},
            {"id": "a", "text": "no", "context": [{"role": "bot", "text": "is it blue?"}, {"role": "customer", "text": "hm"}, {"role": "agent", "text": "?"}]},
            "where is my order?"
        ],
        "tasks": ["sentiment"], "options": {"top_k": 1, "truncate": true, "model": "stable", "explain": false, "offset_unit": "utf16"}
    });
    let request = Request::post("/classify")
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer = send(&service, request).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let data = answer.body["data"].as_array().unwrap();
    assert_eq!(data.iter().map(|result| &result["id"]).collect::<Vec<_>>(), [&json!("b"), &json!("a"), &Value::Null]);
    assert!(data[0].get("intent").is_none() && data[0].get("entities").is_none() && data[0].get("sentiment").is_some());
    assert!(data[1]["tokens"].as_u64() > data[0]["tokens"].as_u64(), "the context is read");
}

#[tokio::test]
async fn offsets_are_told_in_the_unit_asked_for() {
    let service = tiny();
    let text = "\u{1f600} mail me at ana@example.com";
    for (unit, start) in [("codepoint", 13), ("byte", 16), ("utf16", 14)] {
        let answer = post(&service, json!({"input": text, "options": {"offset_unit": unit}}).to_string()).await;
        let entities = answer.body["data"][0]["entities"].as_array().unwrap();
        let email = entities.iter().find(|entity| entity["label"] == "email" && entity["text"] == "ana@example.com");
        assert_eq!(email.unwrap_or_else(|| panic!("{}", answer.text))["start"], start, "{unit}");
    }
}

/// Name, body, status, code, and the pointer of the first error where one is due.
type BadRequest = (&'static str, Vec<u8>, u16, &'static str, Option<&'static str>);

#[expect(clippy::too_many_lines, reason = "a table")]
fn bad_requests() -> Vec<BadRequest> {
    let json = |value: Value| value.to_string().into_bytes();
    let many = vec!["hi"; 10_000];
    vec![
        ("empty body", vec![], 400, "not_json", None),
        ("not JSON", b"where is my order".to_vec(), 400, "not_json", None),
        ("cut JSON", b"{\"input\": \"hi".to_vec(), 400, "not_json", None),
        ("two documents", b"{\"input\": \"hi\"} {}".to_vec(), 400, "not_json", None),
        ("invalid UTF-8", b"{\"input\": \"\xff\"}".to_vec(), 400, "not_json", None),
        ("nested beyond reason", [b"{\"input\": ".to_vec(), vec![b'['; 100_000]].concat(), 400, "not_json", None),
        ("an array at the top", json(json!(["hi"])), 422, "invalid", Some("")),
        ("no input", json(json!({})), 422, "invalid", Some("")),
        ("null input", json(json!({"input": null})), 422, "invalid", Some("/input")),
        ("number input", json(json!({"input": 7})), 422, "invalid", Some("/input")),
        ("object input", json(json!({"input": {"text": "hi"}})), 422, "invalid", Some("/input")),
        ("empty list", json(json!({"input": []})), 422, "invalid", Some("/input")),
        ("empty text", json(json!({"input": ""})), 422, "invalid", Some("/input")),
        ("blank text in a list", json(json!({"input": ["hi", " \u{200b}\n"]})), 422, "invalid", Some("/input/1")),
        ("number in a list", json(json!({"input": ["hi", 3]})), 422, "invalid", Some("/input/1")),
        ("control character", json(json!({"input": "a\u{0}b"})), 422, "invalid", Some("/input")),
        ("1 MB text", json(json!({"input": "a".repeat(1 << 20)})), 422, "invalid", Some("/input")),
        ("3 MB body", json(json!({"input": "a".repeat(3 << 20)})), 413, "body_too_large", None),
        ("10,000 inputs", json(json!({"input": many})), 413, "batch_too_large", Some("/input")),
        ("lone surrogate", b"{\"input\": \"\\ud83d\"}".to_vec(), 422, "invalid", Some("/input")),
        ("lone low surrogate in a list", b"{\"input\": [\"a\", \"\\udc00x\"]}".to_vec(), 422, "invalid", Some("/input/1")),
        ("unknown field", json(json!({"input": "hi", "imput": 1})), 422, "invalid", Some("/imput")),
        ("unknown field of an object", json(json!({"input": [{"text": "hi", "txet": 1}]})), 422, "invalid", Some("/input/0/txet")),
        ("no text", json(json!({"input": [{"id": "1"}]})), 422, "invalid", Some("/input/0")),
        ("text of the wrong type", json(json!({"input": [{"text": ["hi"]}]})), 422, "invalid", Some("/input/0/text")),
        (
            "unknown role",
            json(json!({"input": [{"text": "hi", "context": [{"role": "robot", "text": "x"}]}]})),
            422,
            "invalid",
            Some("/input/0/context/0/role"),
        ),
        (
            "turn as an array",
            json(json!({"input": [{"text": "hi", "context": [["bot", "x"]]}]})),
            422,
            "invalid",
            Some("/input/0/context/0"),
        ),
        ("options as an array", json(json!({"input": "hi", "options": [3]})), 422, "invalid", Some("/options")),
        (
            "empty turn",
            json(json!({"input": [{"text": "hi", "context": [{"role": "bot", "text": ""}]}]})),
            422,
            "invalid",
            Some("/input/0/context/0/text"),
        ),
        ("unknown task", json(json!({"input": "hi", "tasks": ["mood"]})), 422, "invalid", Some("/tasks/0")),
        ("no task", json(json!({"input": "hi", "tasks": []})), 422, "invalid", Some("/tasks")),
        ("unknown option", json(json!({"input": "hi", "options": {"topk": 1}})), 422, "invalid", Some("/options/topk")),
        ("negative top_k", json(json!({"input": "hi", "options": {"top_k": -1}})), 422, "invalid", Some("/options/top_k")),
        ("zero top_k", json(json!({"input": "hi", "options": {"top_k": 0}})), 422, "invalid", Some("/options/top_k")),
        ("unknown unit", json(json!({"input": "hi", "options": {"offset_unit": "pixels"}})), 422, "invalid", Some("/options/offset_unit")),
        ("unknown slot", json(json!({"input": "hi", "options": {"model": "gpt"}})), 422, "invalid", Some("/options/model")),
        ("bad time", json(json!({"input": [{"text": "hi", "timestamp": "yesterday"}]})), 422, "invalid", Some("/input/0/timestamp")),
        ("bad zone", json(json!({"input": [{"text": "hi", "timezone": "Mars/Base"}]})), 422, "invalid", Some("/input/0/timezone")),
        (
            "cut when not wanted",
            json(json!({"input": ["hi", "order ".repeat(200)], "options": {"truncate": false}})),
            422,
            "invalid",
            Some("/input/1"),
        ),
        ("a field twice", b"{\"input\": \"a\", \"input\": \"b\"}".to_vec(), 422, "invalid", Some("")),
    ]
}

#[tokio::test]
async fn bad_requests_get_their_status_and_a_pointer() {
    let service = tiny();
    for (name, body, status, code, pointer) in bad_requests() {
        let answer = post(&service, body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{name}: {}", answer.text);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json", "{name}");
        for key in ["type", "title", "status", "detail", "instance", "request_id"] {
            assert!(answer.body.get(key).is_some_and(|value| *value != ""), "{name}: {key} is missing in {}", answer.text);
        }
        assert_eq!(answer.body["request_id"], answer.headers["x-request-id"].to_str().unwrap(), "{name}");
        if let Some(pointer) = pointer {
            assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{name}: {}", answer.text);
            assert!(!answer.body["errors"][0]["detail"].as_str().unwrap().is_empty(), "{name}");
        }
        for internal in ["serde", "Vec<", "String", "panicked", "src/", "tiny.rs"] {
            assert!(!answer.text.contains(internal), "{name} shows {internal}: {}", answer.text);
        }
    }
    let alive = post(&service, json!({"input": "still there?"}).to_string()).await;
    assert_eq!(alive.status, StatusCode::OK);
}

#[tokio::test]
async fn wrong_routes_methods_and_types_are_problems_too() {
    let service = tiny();
    let request = |method, path: &str, kind: Option<&str>| {
        let builder = Request::builder().method(method).uri(path);
        let builder = if let Some(kind) = kind { builder.header(header::CONTENT_TYPE, kind) } else { builder };
        builder.body(Body::from("{\"input\": \"hi\"}")).unwrap()
    };
    for (request, status, code) in [
        (request(Method::POST, "/v2/classify", None), 404, "not_found"),
        (request(Method::GET, "/v1/classify", None), 405, "method_not_allowed"),
        (request(Method::POST, "/v1/classify", None), 415, "media_type"),
        (request(Method::POST, "/v1/classify", Some("text/plain")), 415, "media_type"),
        (request(Method::POST, "/v1/classify", Some("application/x-www-form-urlencoded")), 415, "media_type"),
    ] {
        let answer = send(&service, request).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (status, &json!(code)), "{}", answer.text);
        assert_eq!(answer.headers.contains_key(header::ALLOW), status == 405);
    }
}

#[tokio::test]
async fn a_request_id_is_kept_and_an_unfit_one_is_replaced() {
    let service = tiny();
    let with = |id: &str| Request::get("/livez").header("x-request-id", id).body(Body::empty()).unwrap();
    assert_eq!(send(&service, with("abc-1")).await.headers["x-request-id"], "abc-1");
    let long = "x".repeat(500);
    assert_ne!(send(&service, with(&long)).await.headers["x-request-id"], long.as_str());
}

#[tokio::test]
async fn probes_and_metrics_answer_before_the_first_message() {
    let service = tiny();
    for path in ["/livez", "/readyz", "/startupz"] {
        assert_eq!(send(&service, Request::get(path).body(Body::empty()).unwrap()).await.status, StatusCode::OK, "{path}");
    }
    post(&service, json!({"input": "where is my order?"}).to_string()).await;
    post(&service, "{").await;
    let metrics = send(&service, Request::get("/metrics").body(Body::empty()).unwrap()).await.text;
    for series in [
        "hearken_http_requests_total{route=\"/v1/classify\",method=\"POST\",status=\"200\"}",
        "hearken_http_request_duration_seconds_bucket{route=\"/v1/classify\"",
        "hearken_stage_duration_seconds_bucket{stage=\"compute\"",
        "hearken_stage_duration_seconds_bucket{stage=\"queue\"",
        "hearken_messages_total{status=\"matched\"}",
        "hearken_tokens_total",
        "hearken_refused_total{code=\"not_json\"}",
        "hearken_queue_messages",
    ] {
        assert!(metrics.contains(series), "{series} is missing in\n{metrics}");
    }
}

#[tokio::test]
async fn a_full_queue_is_429_with_the_time_to_wait() {
    let service = service("tiny", ServeConfig { queue: 4, max_inputs: 4, ..ServeConfig::default() });
    let text = "order ".repeat(60);
    let requests: Vec<_> = (0..64)
        .map(|_| {
            let (service, text) = (Arc::clone(&service), text.clone());
            tokio::spawn(async move { post(&service, json!({"input": [text, text, text]}).to_string()).await })
        })
        .collect();
    let (mut answered, mut refused) = (0, 0);
    for request in requests {
        let answer = request.await.unwrap();
        match answer.status.as_u16() {
            200 => answered += 1,
            429 => {
                refused += 1;
                assert!(answer.headers.contains_key(header::RETRY_AFTER));
                assert_eq!(answer.body["code"], "overloaded");
            }
            other => panic!("{other}: {}", answer.text),
        }
    }
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");
    let after = post(&service, json!({"input": ["a", "b", "c", "d"]}).to_string()).await;
    assert_eq!(after.status, StatusCode::OK, "every place in the queue was given back");
}

#[tokio::test]
async fn a_passed_deadline_is_504() {
    let service = service("tiny", ServeConfig { deadline_ms: 1, queue: 2048, max_inputs: 2048, ..ServeConfig::default() });
    let answer = post(&service, json!({"input": vec!["order ".repeat(60); 1500]}).to_string()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (504, &json!("deadline")));
}

async fn with_header(service: &Arc<Service>, name: &str, value: &str) -> Answer {
    let body = json!({"input": "where is my order?"}).to_string();
    let request = Request::post("/v1/classify").header(header::CONTENT_TYPE, "application/json").header(name, value);
    send(service, request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_request_brings_its_own_deadline_and_class() {
    let service = tiny();
    for (name, value) in [("x-request-timeout-ms", "5000"), ("x-request-class", "bulk"), ("x-request-class", "interactive")] {
        assert_eq!(with_header(&service, name, value).await.status, StatusCode::OK, "{name}: {value}");
    }
    for (name, value) in [("x-request-timeout-ms", "0"), ("x-request-timeout-ms", "soon"), ("x-request-class", "first")] {
        let answer = with_header(&service, name, value).await;
        assert_eq!((answer.status.as_u16(), &answer.body["code"]), (400, &json!("header")), "{name}: {value}");
    }
    let body = json!({"input": vec!["order ".repeat(100); 64]}).to_string();
    let request = Request::post("/v1/classify").header(header::CONTENT_TYPE, "application/json").header("x-request-timeout-ms", "1");
    let answer = send(&service, request.body(body.into()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), &answer.body["code"]), (504, &json!("deadline")));
}

#[tokio::test]
async fn an_explanation_names_the_words_that_made_the_answer() {
    let service = service("storefront-en", ServeConfig::default());
    let body = json!({"input": "hello, ürgent: cancel my order please", "options": {"explain": true}});
    let answer = post(&service, body.to_string()).await.body["data"][0].clone();
    let parts = answer["explanation"].as_array().unwrap();
    let words: Vec<&str> = parts.iter().map(|part| part["text"].as_str().unwrap()).collect();
    assert_eq!(words, ["hello,", "ürgent:", "cancel", "my", "order", "please"]);
    assert_eq!((&parts[2]["start"], &parts[2]["end"]), (&json!(15), &json!(21)));
    let weight = |part: &Value| part["intent"].as_f64().unwrap();
    assert_eq!(answer["intent"]["name"], "cancel_order");
    assert!(parts.iter().all(|part| weight(part) <= weight(&parts[2])), "{answer}");
    assert!(parts.iter().all(|part| part["sentiment"].is_number()));
    let many = json!({"input": vec!["a"; 9], "options": {"explain": true}});
    assert_eq!(post(&service, many.to_string()).await.body["errors"][0]["pointer"], "/options/explain");
    let one = json!({"input": "hello", "options": {"explain": true}});
    assert_eq!(post(&service, one.to_string()).await.body["data"][0]["explanation"], json!([]));
}

#[tokio::test]
async fn nothing_is_computed_for_clients_that_have_gone() {
    let service = tiny();
    let long = "order ".repeat(100);
    for _ in 0..200 {
        let request = post(&service, json!({"input": vec![long.as_str(); 8]}).to_string());
        // The client goes while its request waits or runs.
        drop(tokio::time::timeout(std::time::Duration::from_micros(200), request).await);
    }
    // What a worker had begun is finished first.
    while service.slots.stable().queue_depth() > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    let after = post(&service, json!({"input": vec!["a"; 64]}).to_string()).await;
    assert_eq!(after.status, StatusCode::OK, "{}", after.text);
}

#[tokio::test]
async fn a_server_that_stops_says_so() {
    let service = tiny();
    let get = |path: &'static str| Request::get(path).body(Body::empty()).unwrap();
    service.leave();
    assert_eq!(send(&service, get("/readyz")).await.status, StatusCode::SERVICE_UNAVAILABLE, "not ready");
    assert_eq!(post(&service, json!({"input": "hi"}).to_string()).await.status, StatusCode::OK, "but what still comes is answered");
    service.drain();
    let refused = post(&service, json!({"input": "hi"}).to_string()).await;
    assert_eq!((refused.status.as_u16(), &refused.body["code"]), (503, &json!("draining")));
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
    assert_eq!(send(&service, get("/livez")).await.status, StatusCode::OK);
}
