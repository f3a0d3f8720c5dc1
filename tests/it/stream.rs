//! `/v1/classify/stream`: a line in, a line out, in order; a bad line is an error line.

use crate::http_client::{post, post_text};
use crate::shop::service;
use axum::body::Body;
use axum::http::{Request, header};
use futures_util::StreamExt as _;
use hearken::config::ServeConfig;
use hearken::http::Service;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::sync::Arc;
use tower::ServiceExt as _;

fn tiny(queue: usize) -> Arc<Service> {
    service("tiny", ServeConfig { queue, max_inputs: queue, body_limit: 4096, ..ServeConfig::default() })
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_line_has_its_answer_in_order_and_bad_lines_are_error_lines() {
    let service = tiny(64);
    let long = format!("\"{}\"", "x".repeat(5000));
    let body = ["\"where is my order?\"", "", r#"{"id": "m-2", "text": "thanks"}"#, "{\"text\"", r#"{"txt": "a"}"#, "17", &long, "\"bye\""]
        .join("\n");
    let answer = post_text(&service, "/v1/classify/stream?top_k=1&tasks=intent,sentiment", body).await;
    assert_eq!((answer.status.as_u16(), &answer.headers[header::CONTENT_TYPE]), (200, &"application/x-ndjson".parse().unwrap()));
    let lines = lines(&answer.text);
    assert_eq!(lines.len(), 7, "{}", answer.text);
    assert_eq!((&lines[1]["id"], lines[0]["intent_ranking"].as_array().unwrap().len()), (&json!("m-2"), 1));
    assert!(lines[0].get("entities").is_none() && lines[0].get("sentiment").is_some());
    for (line, number, status) in [(2, 4, 400), (3, 5, 422), (4, 6, 422), (5, 7, 413)] {
        assert_eq!((&lines[line]["line"], &lines[line]["error"]["status"]), (&json!(number), &json!(status)), "{}", lines[line]);
    }
    assert_eq!(lines[3]["error"]["errors"][0]["pointer"], "/txt");
    let one = post(&service, "/v1/classify", json!({"input": "bye", "tasks": ["intent", "sentiment"], "options": {"top_k": 1}})).await;
    assert_eq!(lines[6], one.body["data"][0], "a line answers as a single request does");
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused() {
    let service = tiny(64);
    for query in ["top_k=0", "tasks=mood", "colour=red", "top_k=x", "model=third"] {
        let answer = post_text(&service, &format!("/v1/classify/stream?{query}"), "\"a\"").await;
        assert_eq!(answer.status.as_u16(), 422, "{query}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_slowed_down_not_refused_and_answers_while_it_is_sent() {
    let service = tiny(4);
    let (sender, receiver) = tokio::sync::mpsc::channel::<String>(1);
    let body = Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver).map(Ok::<_, Infallible>));
    let request = Request::post("/v1/classify/stream").header(header::CONTENT_TYPE, "application/x-ndjson").body(body).unwrap();
    let mut answers = service.router().oneshot(request).await.unwrap().into_body().into_data_stream();
    sender.send("\"first\"\n".to_owned()).await.unwrap();
    let first = answers.next().await.unwrap().unwrap();
    assert!(first.ends_with(b"\n"), "the first answer comes before the second message");
    tokio::spawn(async move {
        for n in 0..500 {
            sender.send(format!("{{\"id\": \"{n}\", \"text\": \"message {n}\"}}\n")).await.unwrap();
        }
    });
    let mut text = String::new();
    while let Some(part) = answers.next().await {
        text.push_str(std::str::from_utf8(&part.unwrap()).unwrap());
    }
    let ids: Vec<String> = lines(&text).iter().map(|line| line["id"].as_str().unwrap_or_default().to_owned()).collect();
    assert_eq!(ids, (0..500).map(|n| n.to_string()).collect::<Vec<_>>());
}
