//! What an operator does with the commands on policies and stores.

use crate::http_client::post;
use crate::shop::{repository, shop};
use crate::stores::{self, TestStore};
use hearken::config::ServeConfig;
use hearken::store::Address;
use serde_json::{Value, json};
use std::process::{Command, Output};

const FURIOUS: &str = "I am furious, nobody answers, give me my money back NOW!";

fn hearken(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hearken")).args(arguments).current_dir(repository("")).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn address(test: &TestStore) -> String {
    match &test.address {
        Address::Sqlite(file) => format!("sqlite://{}", file.display()),
        Address::Postgres(url) => url.clone(),
    }
}

/// More than 1,000 messages, in conversations of ten.
async fn thousand(test: &TestStore) {
    let (service, _couriers) = shop("storefront-en", ServeConfig::default(), &test.store).await;
    let file = std::fs::read_to_string(repository("training-data/storefront-en/test.jsonl")).unwrap();
    let texts: Vec<String> =
        file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].as_str().unwrap().to_owned()).collect();
    for (number, chunk) in texts.chunks(10).take(102).enumerate() {
        let message =
            |(turn, text): (usize, &String)| json!({"conversation_id": format!("c{number}"), "id": format!("m{turn}"), "text": text});
        let input: Vec<Value> = chunk.iter().enumerate().map(message).collect();
        let answer = post(&service, "/v1/classify", json!({"input": input, "tasks": ["intent"]})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_thousand_decisions_are_the_same_when_they_are_made_again() {
    for test in &stores::all().await {
        thousand(test).await;
        test.store.close().await;
        let output = hearken(&["policy", "explain", "--all", "--store", &address(test)]);
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            said(&output).starts_with("1020 decisions are the same when they are made again, 0 are not, 0 cannot be"),
            "{}",
            said(&output)
        );
    }
}

#[tokio::test]
async fn a_store_is_looked_after_by_commands() {
    let test = stores::sqlite().await;
    let (service, _couriers) = shop("storefront-en", ServeConfig::default(), &test.store).await;
    let input = json!([
        {"conversation_id": "c1", "id": "m1", "text": "where is my order A-10293?"},
        {"conversation_id": "c1", "id": "m2", "text": FURIOUS},
        {"conversation_id": "c2", "id": "m1", "text": "who won the match last night"},
    ]);
    assert_eq!(post(&service, "/v1/classify", json!({"input": input})).await.status, 200);
    let correction = json!({"type": "correction", "conversation_id": "c1", "message_id": "m1", "intent": "item_missing"});
    assert_eq!(post(&service, "/v1/events", correction).await.status, 200);
    let store = address(&test);

    let explained = hearken(&["policy", "explain", "--conversation", "c1", "--message", "m2", "--store", &store]);
    let words = said(&explained);
    assert!(explained.status.success() && words.contains("handed over, high") && words.contains("the same to the last bit"), "{words}");
    assert!(words.contains("reason    strong_emotion: anger"), "{words}");
    for (arguments, complaint) in [
        (vec!["policy", "explain", "--conversation", "c9"], "no conversation `c9`"),
        (vec!["policy", "explain", "--conversation", "c1", "--message", "m9"], "no message `m9`"),
    ] {
        let output = hearken(&[&arguments[..], &["--store", &store]].concat());
        assert!(!output.status.success() && said(&output).contains(complaint), "{}", said(&output));
    }

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (copy, review) = (path("copy.db"), path("review.jsonl"));
    assert!(hearken(&["store", "backup", &copy, "--store", &store]).status.success());
    assert!(said(&hearken(&["store", "backup", &copy, "--store", &store])).contains("is there already"));
    let verified = hearken(&["store", "verify", "--json", "--store", &format!("sqlite://{copy}")]);
    let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!((&verified["rows"]["messages"], &verified["problems"]), (&json!(3), &json!([])), "{verified}");
    assert!(said(&hearken(&["store", "verify", "--data-dir", &path("nowhere")])).contains("there is no store"));

    let exported = hearken(&["export", "review", "--out", &review, "--store", &store]);
    assert!(exported.status.success(), "{}", said(&exported));
    let rows: Vec<Value> = std::fs::read_to_string(&review).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["intent"], &rows[0]["why"]), (&json!("item_missing"), &json!("corrected")));
    assert!(rows.iter().any(|row| row["why"] == "out_of_scope" && row["intent"].is_null()), "{rows:?}");

    let tested = hearken(&["backtest", "--conversations", "store", "--store", &store, "--json"]);
    let tested: Value = serde_json::from_slice(&tested.stdout).unwrap();
    assert_eq!((&tested["report"]["conversations"], &tested["report"]["handed_over"]), (&json!(2), &json!(1)));
    assert!(said(&hearken(&["store", "purge", "--store", &store])).contains("say what is old"));
    assert!(said(&hearken(&["store", "purge", "--texts-older-than", "1", "--store", &store])).contains("forgot 0 texts"));
    assert!(hearken(&["store", "migrate", "--store", &format!("sqlite://{}", path("new/x.db"))]).status.success());
}

#[test]
fn a_policy_is_shown_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.yaml");
    std::fs::write(&file, hearken(&["policy", "show"]).stdout).unwrap();
    let file = file.display().to_string();
    let checked = hearken(&["policy", "check", &file]);
    assert!(checked.status.success() && said(&checked).contains("shop@sha256:"), "{}", said(&checked));
    std::fs::write(&file, "version: 1\nescalate: {consecutive_negatives: {count: 1, priority: high}}").unwrap();
    let refused = hearken(&["policy", "check", &file]);
    assert!(!refused.status.success() && said(&refused).contains("escalate.consecutive_negatives.count"), "{}", said(&refused));
}
