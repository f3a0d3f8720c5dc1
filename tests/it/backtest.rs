//! Back-tests: the shipped policy on the labelled conversations, and the same decisions as a server's.

use crate::http_client::post;
use crate::shop::{engine, repository, shop};
use crate::stores;
use hearken::config::ServeConfig;
use hearken::data::{DataDirectory, Split, Talk, records_of, talks};
use hearken::desk::{rehearse, remembered};
use hearken::eval::backtest::{Bound, Recorded, backtest, differences, page, play, sweep, text};
use hearken::policy::{Policy, PolicyFile};
use serde_json::{Value, json};

fn recorded_talks() -> Vec<Talk> {
    let file = DataDirectory::new(&repository("training-data/storefront-en")).file(Split::Test);
    talks(&records_of(&file).unwrap()).unwrap()
}

fn default_policy() -> Policy {
    Policy::new("default", PolicyFile::default())
}

async fn recorded() -> Vec<Recorded> {
    rehearse(&engine("storefront-en", 1024), &recorded_talks(), default_policy().idle(), |_| {}).await.unwrap()
}

#[tokio::test]
async fn the_shipped_policy_hands_over_whom_it_should_and_few_others() {
    let recorded = recorded().await;
    let policy = default_policy();
    let played: Vec<_> = recorded.iter().map(|one| play(&policy, one)).collect();
    let report = backtest(&policy, &recorded, &played, 2);
    let labelled = report.labelled.clone().unwrap();
    assert_eq!((labelled.conversations, labelled.wanted), (73, 26));
    assert!(labelled.recall >= 0.9 && labelled.false_alarm_rate <= 0.08, "{}", text(&report, None, &[], None));
}

#[tokio::test]
async fn a_server_decides_as_the_back_test_says() {
    let talks = recorded_talks();
    let recorded = recorded().await;
    let policy = default_policy();
    let test = stores::sqlite().await;
    let (service, _couriers) = shop("storefront-en", ServeConfig::default(), &test.store).await;
    for (talk, recorded) in talks.iter().zip(&recorded) {
        let played = play(&policy, recorded);
        for ((message, number), decision) in talk.messages.iter().zip(0..).zip(&played.decisions) {
            let context: Vec<Value> =
                message.before.iter().map(|(_, turn)| json!({"role": turn.role, "text": turn.text.as_str()})).collect();
            let input = json!([{
                "id": format!("m{number}"), "conversation_id": talk.id, "text": message.text.as_str(), "context": context,
                "timestamp": message.at, "channel": message.channel,
            }]);
            let answer = post(&service, "/v1/classify", json!({"input": input, "tasks": ["sentiment"]})).await;
            let escalation = &answer.body["data"][0]["escalation"];
            let rules: Vec<_> = escalation["reasons"].as_array().unwrap().iter().map(|reason| reason["rule"].as_str().unwrap()).collect();
            let expected: Vec<_> = decision.reasons.iter().map(|reason| reason.rule.as_ref()).collect();
            let place = format!("{} message {number}: {}", talk.id, message.text.as_str());
            assert_eq!(rules, expected, "{place}");
            assert_eq!(escalation["priority"].as_str(), decision.priority.map(hearken::policy::Priority::name), "{place}");
        }
    }
    // And the store, read again, gives the same decisions.
    let again = remembered(&test.store, usize::MAX).await.unwrap();
    assert_eq!(again.len(), recorded.len());
    for one in &again {
        let before = recorded.iter().find(|other| other.id == one.id).unwrap();
        assert_eq!(play(&policy, one).handed_over, play(&policy, before).handed_over, "{}", one.id);
    }
}

#[tokio::test]
async fn a_sweep_recommends_and_a_difference_is_listed() {
    let recorded = recorded().await;
    let policy = default_policy();
    let curve =
        sweep(policy.file(), &recorded, &"negative_sentiment.below=-0.999..-0.5/4".parse().unwrap(), 2, Some(Bound::Calm(0.05))).unwrap();
    assert_eq!(curve.points.len(), 4);
    assert!(curve.points.windows(2).all(|pair| pair[0].rate <= pair[1].rate), "a lower bar hands over more: {:?}", curve.points);
    assert!(curve.recommended.is_some());
    assert!(sweep(policy.file(), &recorded, &"negative_sentiment.above=0,1".parse().unwrap(), 2, None).is_err());
    assert!(sweep(policy.file(), &recorded, &"negative_sentiment.below=5,6".parse().unwrap(), 2, None).is_err());
    let quiet = Policy::new("quiet", PolicyFile::parse("version: 1\nescalate: {}").unwrap());
    let (one, two): (Vec<_>, Vec<_>) = recorded.iter().map(|recorded| (play(&policy, recorded), play(&quiet, recorded))).unzip();
    let differing = differences(&recorded, &one, &two);
    assert!(!differing.is_empty() && differing.iter().all(|difference| difference.second.is_none() && !difference.rules.is_empty()));
    let report = backtest(&policy, &recorded, &one, 2);
    let page = page(&report, Some(&backtest(&quiet, &recorded, &two, 2)), &differing, Some(&curve));
    assert!(page.contains("<svg") && !page.contains("http://") && page.contains("recommended"));
}

#[tokio::test]
async fn a_back_test_over_http_takes_what_is_sent_and_what_is_stored() {
    let test = stores::sqlite().await;
    let (service, _couriers) = shop("storefront-en", ServeConfig::default(), &test.store).await;
    let furious = "I am furious, nobody answers, give me my money back NOW!";
    let sent = json!([
        {"id": "a", "turns": [{"role": "customer", "text": furious, "escalate": true}]},
        {"id": "b", "turns": [{"role": "customer", "text": "do you ship to Norway?", "escalate": false}, {"role": "bot", "text": "We do."}]},
    ]);
    let answer = post(&service, "/v1/backtest", json!({"conversations": sent, "against": {"version": 1, "escalate": {}}})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.body["report"]["labelled"]["in_time"], 1);
    assert_eq!(answer.body["differences"][0]["conversation"], "a");
    let input = json!([{"conversation_id": "c1", "text": furious}, {"conversation_id": "c2", "text": "hello"}]);
    assert_eq!(post(&service, "/v1/classify", json!({"input": input})).await.status, 200);
    let stored = post(&service, "/v1/backtest", json!({"sweep": "consecutive_negatives.count=2,3"})).await;
    assert_eq!((&stored.body["report"]["conversations"], &stored.body["report"]["handed_over"]), (&json!(2), &json!(1)), "{}", stored.text);
    assert_eq!(stored.body["sweep"]["points"].as_array().unwrap().len(), 2);
    for (body, pointer) in [
        (json!({"policy": {"version": 7}}), "/policy"),
        (json!({"sweep": "x"}), "/sweep"),
        (json!({"sweep": "x.y=1,2"}), "/sweep"),
        (json!({"target": "x"}), "/target"),
        (json!({"conversations": [{"id": "a", "turns": [{"role": "customer", "text": ""}]}]}), "/conversations/0/turns/0/text"),
    ] {
        let answer = post(&service, "/v1/backtest", body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (422, &json!(pointer)), "{}", answer.text);
    }
}
