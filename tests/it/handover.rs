//! A hand-over reaches its targets: signed, once by its identifier, through bad days.

use crate::http_client::{get, post};
use crate::shop::shop;
use crate::stores;
use crate::targets::{self, Mood};
use hearken::config::ServeConfig;
use hearken::handover::{Outbox, OutboxOptions, TargetConfig};
use hearken::http::Service;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const FURIOUS: &str = "This is the third time I ask and nobody answers. I am furious, give me my money back NOW!";
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn target(kind: &str, url: &str) -> TargetConfig {
    TargetConfig {
        name: kind.to_owned(),
        kind: kind.to_owned(),
        url: url.to_owned(),
        secret: Some("secret".to_owned()),
        secret_file: None,
        account: Some("7".to_owned()),
        concurrency: 4,
    }
}

fn settings(targets: Vec<TargetConfig>) -> ServeConfig {
    ServeConfig { handover_allow_private: true, handover_targets: targets, ..ServeConfig::default() }
}

async fn complain(service: &Arc<Service>, conversation: &str, metadata: Value) -> String {
    let input =
        json!([{"conversation_id": conversation, "text": FURIOUS, "metadata": metadata, "customer": {"id": "k1", "segment": "vip"}}]);
    let answer = post(service, "/v1/classify", json!({"input": input})).await;
    answer.body["data"][0]["escalation"]["handover_id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

async fn delivery(service: &Arc<Service>, handover: &str, state: &str) -> Value {
    for _ in 0..600 {
        let read = get(service, &format!("/v1/handovers/{handover}")).await.body;
        if read["deliveries"][0]["state"] == state {
            return read["deliveries"][0].clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not {state}: {}", get(service, &format!("/v1/handovers/{handover}")).await.text);
}

#[tokio::test]
async fn a_webhook_is_signed_by_every_secret_and_told_again_under_the_same_id() {
    let (peer, url) = targets::receiver().await;
    peer.moods(&[Mood::Answer(500)]);
    let test = stores::sqlite().await;
    let config = ServeConfig {
        handover_url: Some(format!("{url}/hook")),
        handover_secret: Some(format!("{NEW},{OLD}")),
        public_url: Some("https://hearken.example/".to_owned()),
        ..settings(vec![])
    };
    let (service, _couriers) = shop("storefront-en", config, &test.store).await;
    let id = complain(&service, "c1", json!({"ticket": 7})).await;
    let told = peer.wait(2).await;
    let done = delivery(&service, &id, "delivered").await;
    assert_eq!((&done["attempts"], &done["status"]), (&json!(2), &json!(200)));
    for one in &told {
        assert_eq!(one.headers["webhook-id"], id.as_str());
        for secret in [OLD, NEW] {
            standardwebhooks::Webhook::new(secret).unwrap().verify(one.text.as_bytes(), &one.headers).unwrap();
        }
        let other = standardwebhooks::Webhook::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        assert!(other.verify(one.text.as_bytes(), &one.headers).is_err());
    }
    assert_eq!(told[0].text, told[1].text);
    let body = &told[0].body;
    assert_eq!((&body["type"], &body["data"]["handover_id"]), (&json!("handover.created"), &json!(id)));
    let data = &body["data"];
    assert_eq!(data["customer"], json!({"id": "k1", "segment": "vip"}));
    assert_eq!(
        (&data["metadata"]["ticket"], &data["links"]["conversation"]),
        (&json!(7), &json!("https://hearken.example/v1/conversations/c1"))
    );
    for key in ["priority", "reasons", "summary", "turns", "sentiment_trail", "entities"] {
        assert!(!data[key].is_null(), "{key}");
    }
}

#[tokio::test]
async fn a_target_that_asks_for_time_gets_it_and_one_that_is_gone_is_left_alone() {
    let (peer, url) = targets::receiver().await;
    peer.moods(&[Mood::RetryAfter(429, 2)]);
    let test = stores::sqlite().await;
    let (service, _couriers) = shop("storefront-en", settings(vec![target("slack", &format!("{url}/services/x"))]), &test.store).await;
    let begin = std::time::Instant::now();
    let id = complain(&service, "c1", json!({})).await;
    peer.wait(2).await;
    assert!(begin.elapsed() >= Duration::from_secs(2), "{:?}", begin.elapsed());
    delivery(&service, &id, "delivered").await;
    let message = peer.told()[1].body["text"].as_str().unwrap().to_owned();
    assert!(message.contains(&id) && message.contains("third time"), "{message}");

    peer.moods(&[Mood::Answer(410)]);
    let gone = complain(&service, "c2", json!({})).await;
    let dead = delivery(&service, &gone, "dead").await;
    assert_eq!((&dead["status"], &dead["attempts"]), (&json!(410), &json!(1)));
    let listed = get(&service, "/v1/handovers?delivery=dead").await.body;
    assert_eq!(listed["data"][0]["id"], json!(gone));
    assert_eq!(post(&service, &format!("/v1/handovers/{gone}/retry"), json!({})).await.status, 200);
    delivery(&service, &gone, "delivered").await;
    assert_eq!(post(&service, &format!("/v1/handovers/{gone}/retry"), json!({})).await.status, 409);
    assert_eq!(post(&service, "/v1/handovers/ho_x/retry", json!({})).await.status, 404);
}

#[tokio::test]
async fn an_answer_that_breaks_off_counts_as_none() {
    let (asked, url) = targets::breaking(2).await;
    let test = stores::sqlite().await;
    let config = ServeConfig { handover_url: Some(url), ..settings(vec![]) };
    let (service, _couriers) = shop("storefront-en", config, &test.store).await;
    let id = complain(&service, "c1", json!({})).await;
    let done = delivery(&service, &id, "delivered").await;
    assert_eq!((*asked.lock().unwrap(), &done["attempts"]), (3, &json!(3)));
}

#[tokio::test]
async fn what_was_under_way_when_a_server_ended_comes_from_the_next() {
    let (peer, url) = targets::receiver().await;
    peer.moods(&[Mood::Slow(Duration::from_mins(1))]);
    let test = stores::sqlite().await;
    let config = ServeConfig { handover_url: Some(format!("{url}/hook")), ..settings(vec![]) };
    let (service, couriers) = shop("storefront-en", config.clone(), &test.store).await;
    let id = complain(&service, "c1", json!({})).await;
    peer.wait(1).await;
    drop(couriers);
    // Its lease ends in a minute and a half; here and now, it is asked for.
    let (service, _couriers) = shop("storefront-en", config, &test.again().await).await;
    let lease = get(&service, &format!("/v1/handovers/{id}")).await.body["deliveries"][0]["state"].clone();
    assert_eq!(lease, "pending");
    assert_eq!(post(&service, &format!("/v1/handovers/{id}/retry"), json!({})).await.status, 200);
    let told = peer.wait(2).await;
    assert_eq!(told[1].headers["webhook-id"], id.as_str());
}

#[tokio::test]
async fn chatwoot_gets_one_note_and_is_opened_only_while_the_bot_has_it() {
    let (peer, url) = targets::chatwoot().await;
    peer.conversation("41", "pending");
    peer.conversation("42", "open");
    // The note is written, the opening fails once: told again, there is still one note.
    peer.moods(&[Mood::Slow(Duration::ZERO), Mood::Answer(502)]);
    let test = stores::sqlite().await;
    let (service, _couriers) = shop("storefront-en", settings(vec![target("chatwoot", &url)]), &test.store).await;
    let id = complain(&service, "41", json!({})).await;
    delivery(&service, &id, "delivered").await;
    let (status, messages) = peer.read("41");
    assert_eq!((status.as_str(), messages.len()), ("open", 1));
    assert_eq!((&messages[0]["private"], &messages[0]["message_type"]), (&json!(true), &json!("outgoing")));
    assert!(messages[0]["content"].as_str().unwrap().contains(&id));

    let other = complain(&service, "own-name", json!({"chatwoot_conversation_id": 42})).await;
    delivery(&service, &other, "delivered").await;
    assert_eq!(peer.read("42"), ("open".to_owned(), vec![]), "a person has it already");
    let lost = complain(&service, "nowhere", json!({})).await;
    let dead = delivery(&service, &lost, "dead").await;
    assert!(dead["error"].as_str().unwrap().contains("chatwoot_conversation_id"), "{dead}");
}

#[tokio::test]
async fn zendesk_is_passed_control_with_flat_metadata() {
    let (peer, url) = targets::receiver().await;
    let test = stores::sqlite().await;
    let (service, _couriers) = shop("storefront-en", settings(vec![target("zendesk", &format!("{url}/v2/apps/a1"))]), &test.store).await;
    let id = complain(&service, "c/1 x", json!({})).await;
    delivery(&service, &id, "delivered").await;
    let told = &peer.told()[0];
    assert_eq!(told.path, "v2/apps/a1/conversations/c/1 x/passControl", "decoded; one segment on the wire");
    assert_eq!(told.headers["authorization"], "Basic NzpzZWNyZXQ=");
    assert_eq!(told.body["switchboardIntegration"], "next");
    let metadata = told.body["metadata"].as_object().unwrap();
    assert!(metadata.values().all(Value::is_string) && serde_json::to_string(metadata).unwrap().len() <= 4096);
    assert_eq!(metadata["hearken.handover_id"], json!(id));
}

#[tokio::test]
async fn a_target_that_fails_holds_up_no_other() {
    let (bad, bad_url) = targets::receiver().await;
    bad.moods(&[Mood::Answer(500); 100]);
    let (good, good_url) = targets::receiver().await;
    let test = stores::sqlite().await;
    let targets =
        vec![target("slack", &format!("{bad_url}/x")), TargetConfig { name: "b".to_owned(), ..target("slack", &format!("{good_url}/x")) }];
    let (service, _couriers) = shop("storefront-en", settings(targets), &test.store).await;
    for number in 0..8 {
        complain(&service, &format!("c{number}"), json!({})).await;
    }
    good.wait(8).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    // Eight at first, then one now and then to see whether it is back.
    assert!(bad.told().len() <= 12, "left alone after five failures: {}", bad.told().len());
}

#[test]
fn settings_of_targets_that_mean_nothing_are_refused() {
    let refused =
        |targets: Vec<TargetConfig>, allow_private: bool| Outbox::new(&OutboxOptions { targets, allow_private }).unwrap_err().to_string();
    let webhook = |url: &str| TargetConfig { secret: None, ..target("webhook", url) };
    for url in [
        "http://127.0.0.1/x",
        "http://localhost:9/x",
        "http://[::1]/x",
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest",
        "http://[::ffff:10.0.0.1]/",
    ] {
        let error = refused(vec![webhook(url)], false);
        assert!(error.contains("handover_allow_private"), "{error}");
    }
    for (target, words) in [
        (webhook("ftp://example.com"), "neither http nor https"),
        (webhook("nowhere"), "no URL"),
        (TargetConfig { kind: "pigeon".to_owned(), ..webhook("https://example.com") }, "the kinds are webhook, chatwoot, zendesk, slack"),
        (TargetConfig { secret: Some("not base64!".to_owned()), ..webhook("https://example.com") }, "openssl rand"),
        (TargetConfig { account: None, ..target("chatwoot", "https://example.com") }, "`account` is missing"),
        (TargetConfig { secret: None, ..target("zendesk", "https://example.com") }, "`secret` is missing"),
        (TargetConfig { concurrency: 0, ..webhook("https://example.com") }, "concurrency"),
        (TargetConfig { secret_file: Some("/nowhere/x".into()), ..webhook("https://example.com") }, "secret_file"),
    ] {
        let error = refused(vec![target], false);
        assert!(error.contains(words), "{error}");
    }
    assert!(refused(vec![webhook("https://example.com"), webhook("https://example.com")], false).contains("two targets"));
    let kept = format!("{:?}", target("zendesk", "https://example.com"));
    assert!(!kept.contains("secret\""), "{kept}");
}

#[tokio::test]
async fn a_payload_fits_whatever_was_said() {
    let (peer, url) = targets::receiver().await;
    let test = stores::sqlite().await;
    let config = ServeConfig { handover_url: Some(format!("{url}/hook")), ..settings(vec![]) };
    let (service, _couriers) = shop("storefront-en", config, &test.store).await;
    let long: Vec<Value> = (0..30).map(|n| json!({"role": "bot", "text": format!("{n} {}", "long words ".repeat(120))})).collect();
    let input = json!([{"conversation_id": "c1", "text": format!("{FURIOUS} {}", "\u{1F621}".repeat(3000)), "context": long}]);
    assert_eq!(post(&service, "/v1/classify", json!({"input": input})).await.status, 200);
    let told = peer.wait(1).await;
    assert!(told[0].text.len() < 20_000, "{}", told[0].text.len());
    let data = &told[0].body["data"];
    let turns = data["turns"].as_array().unwrap();
    assert_eq!(turns.len() as u64 + data["turns_left_out"].as_u64().unwrap(), 31);
    assert!(turns.last().unwrap()["text"].as_str().unwrap().starts_with(FURIOUS));
}
