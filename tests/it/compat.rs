//! Other systems' wires: the shapes that their clients read, errors too.

use crate::http_client::{Answer, get, post, send};
use crate::shop::service;
use axum::http::{Request, header};
use hearken::config::ServeConfig;
use hearken::http::Service;
use serde_json::{Value, json};
use std::sync::Arc;

const TEXT: &str = "where is my order A-10293";

fn shop() -> Arc<Service> {
    service("storefront-en", ServeConfig::default())
}

fn tiny() -> Arc<Service> {
    service("tiny", ServeConfig { max_inputs: 8, ..ServeConfig::default() })
}

fn ok(answer: Answer) -> Value {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.body
}

#[tokio::test]
async fn rasa() {
    let shop = shop();
    let parsed = ok(post(&shop, "/model/parse", json!({"text": TEXT, "message_id": "m", "tracker": 1})).await);
    assert_eq!((&parsed["text"], &parsed["message_id"]), (&json!(TEXT), &json!("m")));
    assert_eq!(parsed["intent"], parsed["intent_ranking"][0]);
    assert_eq!(parsed["intent"]["name"], "track_order");
    let entity = &parsed["entities"][0];
    assert_eq!(
        (&entity["entity"], &entity["start"], &entity["end"], &entity["value"]),
        (&json!("order_number"), &json!(18), &json!(25), &json!("A-10293"))
    );
    assert_eq!(entity["confidence"], entity["confidence_entity"]);
    let outside = ok(post(&shop, "/model/parse", json!({"text": "what is the capital of mongolia"})).await);
    assert_eq!(outside["intent"]["name"], "nlu_fallback");
    let status = ok(get(&shop, "/status").await);
    assert_eq!(status["num_active_training_jobs"], 0);
    assert!(ok(get(&shop, "/version").await)["version"].is_string());
    let wrong = post(&shop, "/model/parse", json!({"message": "hi"})).await;
    assert_eq!(
        (wrong.status.as_u16(), &wrong.body["status"], &wrong.body["code"]),
        (422, &json!("failure"), &json!(422)),
        "{}",
        wrong.text
    );
}

#[tokio::test]
async fn hugging_face() {
    let shop = shop();
    let one = ok(post(&shop, "/pipeline/text-classification", json!({"inputs": TEXT, "parameters": {"top_k": 2}})).await);
    assert_eq!((one.as_array().unwrap().len(), one[0].as_array().unwrap().len()), (1, 2), "nested for one text too");
    assert_eq!(one[0][0]["label"], "track_order");
    let two = ok(post(&shop, "/pipeline/sentiment-analysis", json!({"inputs": ["I love it, thank you!", "this is awful"]})).await);
    assert_eq!((&two[0][0]["label"], &two[1][0]["label"], two[0].as_array().unwrap().len()), (&json!("positive"), &json!("negative"), 3));
    let found = ok(post(&shop, "/pipeline/token-classification", json!({"inputs": TEXT})).await);
    assert_eq!((&found[0]["entity_group"], &found[0]["word"]), (&json!("order_number"), &json!("A-10293")));
    let body = json!({"inputs": [TEXT, "hi"], "parameters": {"ignore_labels": ["order_number"], "aggregation_strategy": "simple"}});
    assert_eq!(ok(post(&shop, "/pipeline/token-classification", body).await), json!([[], []]));
    for parameters in [json!({"function_to_apply": "none"}), json!({"top_k": "x"})] {
        let wrong = post(&shop, "/pipeline/text-classification", json!({"inputs": TEXT, "parameters": parameters})).await;
        assert!(wrong.status.as_u16() == 422 && wrong.body["error"].is_string(), "{}", wrong.text);
    }
}

#[tokio::test]
async fn text_embeddings_inference() {
    let tiny = tiny();
    let single = ok(post(&tiny, "/predict", json!({"inputs": "hi"})).await);
    assert_eq!(single, ok(post(&tiny, "/predict", json!({"inputs": ["hi"]})).await));
    let scores: Vec<f64> = single.as_array().unwrap().iter().map(|score| score["score"].as_f64().unwrap()).collect();
    assert!(scores.len() > 1 && scores.is_sorted_by(|a, b| a >= b));
    let batch = ok(post(&tiny, "/predict", json!({"inputs": [["hi"], ["bye"]], "truncate": true})).await);
    assert_eq!((batch.as_array().unwrap().len(), &batch[0]), (2, &single));
    for (inputs, status) in
        [(json!(["a", "b"]), 422), (json!(["a", "b", "c"]), 422), (json!([["a", "b"]]), 422), (json!([]), 422), (json!(7), 422)]
    {
        let wrong = post(&tiny, "/predict", json!({"inputs": inputs})).await;
        assert_eq!((wrong.status.as_u16(), &wrong.body["error_type"]), (status, &json!("Validation")), "{inputs}: {}", wrong.text);
    }
    let info = ok(get(&tiny, "/info").await);
    assert_eq!(info["model_type"]["classifier"]["id2label"].as_object().unwrap().len(), scores.len());
    assert_eq!(get(&tiny, "/health").await.status.as_u16(), 200);
}

#[tokio::test]
async fn open_inference_protocol() {
    let tiny = tiny();
    assert_eq!(ok(get(&tiny, "/v2").await)["name"], "hearken");
    assert_eq!(ok(get(&tiny, "/v2/health/live").await)["live"], true);
    assert_eq!(ok(get(&tiny, "/v2/models/tiny/versions/1.0.0/ready").await)["ready"], true);
    assert_eq!(ok(get(&tiny, "/v2/models/tiny").await)["inputs"][0]["name"], "text");
    let tensor =
        |data: Value, shape: Value| json!({"id": "7", "inputs": [{"name": "text", "shape": shape, "datatype": "BYTES", "data": data}]});
    let answer = ok(post(&tiny, "/v2/models/tiny/infer", tensor(json!(["hi", "where is it"]), json!([2]))).await);
    assert_eq!((&answer["id"], answer["outputs"].as_array().unwrap().len()), (&json!("7"), 4));
    let output = |name: &str| answer["outputs"].as_array().unwrap().iter().find(|output| output["name"] == name).unwrap().clone();
    assert_eq!((&output("intent")["shape"], &output("intent_score")["datatype"]), (&json!([2]), &json!("FP32")));
    let result: Value = serde_json::from_str(output("result")["data"][0].as_str().unwrap()).unwrap();
    assert_eq!(result["intent"]["name"], output("intent")["data"][0]);
    for (path, body, status) in [
        ("/v2/models/other/infer", tensor(json!(["hi"]), json!([1])), 404),
        ("/v2/models/tiny/versions/9/infer", tensor(json!(["hi"]), json!([1])), 404),
        ("/v2/models/tiny/infer", tensor(json!(["hi"]), json!([2])), 422),
        ("/v2/models/tiny/infer", tensor(json!([1]), json!([1])), 422),
        ("/v2/models/tiny/infer", tensor(json!([]), json!([0])), 422),
        ("/v2/models/tiny/infer", json!({"inputs": []}), 422),
    ] {
        let wrong = post(&tiny, path, body).await;
        assert!(wrong.status.as_u16() == status && wrong.body["error"].is_string(), "{path}: {}", wrong.text);
    }
}

#[tokio::test]
async fn open_inference_protocol_takes_binary_tensors() {
    let tiny = tiny();
    let head = json!({"inputs": [{"name": "text", "shape": [1, 2], "datatype": "BYTES", "parameters": {"binary_data_size": 13}}],
        "outputs": [{"name": "intent", "parameters": {"binary_data": true}}]})
    .to_string();
    let tensors = [&2u32.to_le_bytes()[..], b"hi", &3u32.to_le_bytes(), b"bye"].concat();
    let length = head.len().to_string();
    let request = |length: &str| {
        let body = [head.as_bytes(), &tensors].concat();
        Request::post("/v2/models/tiny/infer")
            .header(header::CONTENT_TYPE, "application/octet-stream")
            .header("Inference-Header-Content-Length", length)
            .body(body.into())
            .unwrap()
    };
    let answer = ok(send(&tiny, request(&length)).await);
    assert_eq!((answer["outputs"].as_array().unwrap().len(), &answer["outputs"][0]["shape"]), (1, &json!([2])));
    for wrong in ["99999", "x", "3"] {
        assert_eq!(send(&tiny, request(wrong)).await.status.as_u16(), 400, "{wrong}");
    }
}
