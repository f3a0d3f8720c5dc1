//! Keys: who may ask what, and how often.

use crate::http_client::{Answer, get, send};
use crate::shop::service;
use axum::body::Body;
use axum::http::{Request, header};
use hearken::config::ServeConfig;
use hearken::keys::{KeyFile, Scope};
use serde_json::json;

#[tokio::test]
async fn keys_open_what_their_scopes_say_and_no_more() {
    let service = service("tiny", ServeConfig::default());
    let mut file = KeyFile::default();
    let mut key = |scope, limit| file.create("test", vec![scope], limit).unwrap().secret;
    let (classify, read, admin, slow) =
        (key(Scope::Classify, None), key(Scope::Read, None), key(Scope::Admin, None), key(Scope::Classify, Some(2)));
    service.set_keys(file);
    let ask = async |path: &str, key: Option<&str>| -> Answer {
        let request = if path.starts_with("/v1/classify") || path.contains("rollback") { Request::post(path) } else { Request::get(path) };
        let request = key.iter().fold(request, |request, key| request.header(header::AUTHORIZATION, format!("Bearer {key}")));
        send(&service, request.header(header::CONTENT_TYPE, "application/json").body(json!({"input": "hi"}).to_string().into()).unwrap())
            .await
    };
    for (path, key, status) in [
        ("/livez", None, 200),
        ("/v1/classify", None, 401),
        ("/v1/classify", Some("hk_000000000000_0"), 401),
        ("/v1/classify", Some(classify.as_str()), 200),
        ("/v1/classify", Some(read.as_str()), 403),
        ("/v1/classify", Some(admin.as_str()), 200),
        ("/metrics", None, 401),
        ("/metrics", Some(classify.as_str()), 403),
        ("/metrics", Some(read.as_str()), 200),
        ("/v1/models", Some(read.as_str()), 200),
        ("/v1/models/stable/rollback", Some(read.as_str()), 403),
        ("/v1/models/stable/rollback", Some(admin.as_str()), 409),
    ] {
        let answer = ask(path, key).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {key:?}: {}", answer.text);
        assert_eq!(answer.headers.contains_key(header::WWW_AUTHENTICATE), status == 401);
    }
    let statuses = [ask("/v1/classify", Some(&slow)).await, ask("/v1/classify", Some(&slow)).await].map(|answer| answer.status.as_u16());
    assert_eq!(statuses, [200, 200]);
    let late = ask("/v1/classify", Some(&slow)).await;
    assert_eq!((late.status.as_u16(), &late.body["code"]), (429, &json!("rate_limited")));
    assert_eq!(late.headers[header::RETRY_AFTER], "1");
    let other = Request::post("/v1/classify").header("x-api-key", &classify).header(header::CONTENT_TYPE, "application/json");
    assert_eq!(send(&service, other.body(json!({"input": "hi"}).to_string().into()).unwrap()).await.status.as_u16(), 200);
}

#[tokio::test]
async fn answers_are_not_kept_framed_or_guessed_at_and_other_origins_are_not_let_in() {
    let closed = service("tiny", ServeConfig::default());
    let answer = get(&closed, "/livez").await;
    for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store"), ("x-frame-options", "DENY")] {
        assert_eq!(answer.headers[name], value);
    }
    let open = service("tiny", ServeConfig { cors_origins: vec!["https://shop.example".to_owned()], ..ServeConfig::default() });
    let allowed = async |service, origin: &str| {
        let request = Request::options("/v1/classify").header(header::ORIGIN, origin).header("access-control-request-method", "POST");
        send(service, request.body(Body::empty()).unwrap()).await.headers.contains_key("access-control-allow-origin")
    };
    assert!(!allowed(&closed, "https://shop.example").await);
    assert!(!allowed(&open, "https://other.example").await);
    assert!(allowed(&open, "https://shop.example").await);
}
