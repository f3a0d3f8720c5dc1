//! One suite for every kind of store.

use crate::stores::{self, TestStore};
use hearken::policy::Episode;
use hearken::store::{
    Change, ConversationRow, DeliveryRow, DocumentKind, EventRow, Finished, HandoverRow, HandoverState, MessageRow, Store, Written,
};

fn conversation(id: &str, version: i64, turns: i64) -> ConversationRow {
    ConversationRow {
        id: id.to_owned(),
        version,
        created: 1_000,
        updated: 1_000 + version,
        turns,
        channel: Some("chat".to_owned()),
        segment: None,
        customer: Some("k'17 \"x\" ünï 🙂".to_owned()),
        metadata: Some("{\"a\":\"\\u0000\"}".to_owned()),
        episode: serde_json::to_string(&Episode::NEW).unwrap(),
        handover: None,
        resolved: None,
    }
}

fn message(conversation: &str, turn: i64) -> MessageRow {
    MessageRow {
        conversation: conversation.to_owned(),
        turn,
        id: Some(format!("m{turn}")),
        role: "customer".to_owned(),
        at: 1_000 + turn,
        text: Some("where's my \"parcel\"? \\ 🙂".to_owned()),
        intent: Some("track_order".to_owned()),
        intent_score: Some(0.1 + 0.2),
        sentiment_score: (turn % 2 == 0).then_some(-0.25),
        decision: Some("{}".to_owned()),
        escalated: 1,
        ..MessageRow::default()
    }
}

fn handover(id: &str, conversation: &str) -> HandoverRow {
    HandoverRow {
        id: id.to_owned(),
        conversation: conversation.to_owned(),
        turn: 0,
        at: 1_000,
        began: 1_000,
        source: "policy".to_owned(),
        priority: "high".to_owned(),
        channel: None,
        segment: None,
        rules: "[\"threat\"]".to_owned(),
        payload: "{\"data\":{}}".to_owned(),
        state: "open".to_owned(),
        accepted: None,
        resolved: None,
    }
}

fn change(conversation: ConversationRow, messages: Vec<MessageRow>) -> Change {
    Change { conversation, messages, handovers: Vec::new(), deliveries: Vec::new() }
}

async fn begin(store: &Store, id: &str) {
    let change = Change {
        handovers: vec![handover(&format!("ho_{id}"), id)],
        deliveries: vec![DeliveryRow::new(&format!("ho_{id}"), "desk", 1_000)],
        ..change(conversation(id, 1, 1), vec![message(id, 0)])
    };
    assert_eq!(store.write(change).await.unwrap(), Written::Done);
}

#[tokio::test]
async fn what_is_written_is_read_again_after_a_restart() {
    for TestStore { store, address, .. } in &stores::all().await {
        begin(store, "c1").await;
        store.close().await;
        let store = Store::open(address.clone()).await.unwrap();
        let found = store.remembered("c1").await.unwrap().unwrap();
        assert_eq!(found.conversation, conversation("c1", 1, 1), "{address:?}");
        assert_eq!(found.messages, [message("c1", 0)]);
        assert_eq!(store.handover("ho_c1").await.unwrap().unwrap(), handover("ho_c1", "c1"));
        assert_eq!(store.message("c1", "m0").await.unwrap().unwrap(), message("c1", 0));
        assert!(store.message("c1", "m1").await.unwrap().is_none() && store.remembered("c2").await.unwrap().is_none());
        assert_eq!(store.verify().await.unwrap().problems, [""; 0]);
    }
}

#[tokio::test]
async fn of_two_changes_from_one_version_one_wins() {
    for TestStore { store, .. } in &stores::all().await {
        begin(store, "c1").await;
        let other = store.clone();
        let changes = |turn| change(conversation("c1", 2, 2), vec![MessageRow { id: None, ..message("c1", turn) }]);
        let (one, two) = tokio::join!(store.write(changes(1)), other.write(changes(1)));
        let mut results = [one.unwrap(), two.unwrap()];
        results.sort_by_key(|written| *written == Written::Conflict);
        assert_eq!(results, [Written::Done, Written::Conflict]);
        assert_eq!(store.write(changes(1)).await.unwrap(), Written::Conflict, "the version has passed");
        assert_eq!(store.remembered("c1").await.unwrap().unwrap().messages.len(), 2);
    }
}

#[tokio::test]
async fn many_conversations_at_once_are_all_written() {
    for test in &stores::all().await {
        let again = test.again().await;
        let write = |number: usize| {
            // Two doors to one store, as two replicas have.
            let store = if number.is_multiple_of(2) { test.store.clone() } else { again.clone() };
            async move {
                let id = format!("c{number}");
                begin(&store, &id).await;
                for version in 2..6 {
                    let change = change(conversation(&id, version, version), vec![message(&id, version - 1)]);
                    assert_eq!(store.write(change).await.unwrap(), Written::Done);
                }
            }
        };
        futures_util::future::join_all((0..100).map(write)).await;
        let verified = test.store.verify().await.unwrap();
        assert_eq!(verified.problems, [""; 0]);
        assert!(verified.rows.contains(&("messages", 500)), "{:?}", verified.rows);
    }
}

#[tokio::test]
async fn an_erased_conversation_does_not_come_back_by_an_update() {
    for TestStore { store, .. } in &stores::all().await {
        begin(store, "c1").await;
        begin(store, "c2").await;
        assert!(store.erase("c1").await.unwrap() && !store.erase("c1").await.unwrap());
        let late = change(conversation("c1", 2, 2), vec![message("c1", 1)]);
        assert_eq!(store.write(late).await.unwrap(), Written::Conflict);
        let rows = store.verify().await.unwrap().rows;
        assert_eq!(rows, [("conversations", 1), ("messages", 1), ("handovers", 1), ("deliveries", 1), ("events", 0), ("documents", 0)]);
        begin(store, "c1").await;
    }
}

#[tokio::test]
async fn a_delivery_is_with_one_courier_at_a_time_and_comes_back_after_its_lease() {
    for test in &stores::all().await {
        let store = &test.store;
        for number in 0..20 {
            begin(store, &format!("c{number:02}")).await;
        }
        let again = test.again().await;
        let take = |store: Store| async move { store.take_due("desk", 2_000, 500, 10).await.unwrap() };
        let (one, two) = tokio::join!(take(store.clone()), take(again.clone()));
        let mut taken: Vec<_> = one.iter().chain(&two).map(|due| due.delivery.handover.clone()).collect();
        taken.sort();
        taken.dedup();
        assert_eq!(taken.len(), one.len() + two.len(), "none was taken twice");
        let rest = store.take_due("desk", 2_000, 500, 100).await.unwrap();
        assert_eq!(taken.len() + rest.len(), 20);
        assert!(store.take_due("desk", 2_400, 500, 100).await.unwrap().is_empty());
        assert_eq!(store.next_due("desk").await.unwrap(), Some(2_500));
        let mut back = store.take_due("desk", 2_500, 500, 100).await.unwrap();
        assert_eq!(back.len(), 20);
        assert!(back.iter().all(|due| due.delivery.attempts == 2 && due.payload == "{\"data\":{}}"));

        let (last, later, dead) = (back.pop().unwrap().delivery, back.pop().unwrap().delivery, back.pop().unwrap().delivery);
        store.finish(&last, &Finished::Delivered, Some(200), None, 2_600).await.unwrap();
        store.finish(&later, &Finished::Later(9_000), None, Some("no answer"), 2_600).await.unwrap();
        store.finish(&dead, &Finished::Dead, Some(410), Some("gone"), 2_600).await.unwrap();
        assert_eq!(store.take_due("desk", 8_999, 500, 100).await.unwrap().len(), 17);
        assert_eq!(store.retry(&dead.handover, 9_000).await.unwrap(), 1);
        assert_eq!(store.retry(&last.handover, 9_000).await.unwrap(), 0, "what has arrived is not sent again");
        let found = store.deliveries(&last.handover).await.unwrap();
        assert_eq!((found[0].state.as_str(), found[0].status, found[0].finished), ("delivered", Some(200), Some(2_600)));
        let page = |before: Option<String>| async move { store.handovers(None, None, before.as_deref(), 7).await.unwrap() };
        let mut seen = 0;
        let mut next = page(None).await;
        while let Some(last) = next.last().map(|row| row.id.clone()) {
            seen += next.len();
            next = page(Some(last)).await;
        }
        assert_eq!(seen, 20, "all began in the same millisecond, and none is left out");
        let dead_now = store.handovers(None, Some("dead"), None, 10).await.unwrap();
        assert!(dead_now.is_empty());
    }
}

#[tokio::test]
async fn a_hand_over_goes_forward_only() {
    for TestStore { store, .. } in &stores::all().await {
        begin(store, "c1").await;
        assert!(store.advance("ho_c1", HandoverState::Accepted, 5).await.unwrap());
        assert!(!store.advance("ho_c1", HandoverState::Accepted, 6).await.unwrap());
        assert!(store.advance("ho_c1", HandoverState::Resolved, 7).await.unwrap());
        assert!(!store.advance("ho_c1", HandoverState::Accepted, 8).await.unwrap());
        let row = store.handover("ho_c1").await.unwrap().unwrap();
        assert_eq!((row.state.as_str(), row.accepted, row.resolved), ("resolved", Some(5), Some(7)));
        assert_eq!(store.handovers(Some("resolved"), Some("pending"), None, 10).await.unwrap(), [row]);
        assert!(store.handovers(Some("open"), None, None, 10).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn events_and_documents_are_kept_once() {
    for TestStore { store, .. } in &stores::all().await {
        let event = EventRow {
            id: "e1".to_owned(),
            at: 3,
            kind: "csat".to_owned(),
            conversation: Some("c1".to_owned()),
            handover: None,
            message: None,
            value: Some(4.5),
            data: Some("{\"why\":\"ok\"}".to_owned()),
        };
        assert!(store.record(&event).await.unwrap() && !store.record(&event).await.unwrap());
        assert_eq!(store.events("c1").await.unwrap(), [event]);
        for content in [vec!["a"], vec!["b"]] {
            store.keep(DocumentKind::Labels, "h", &content).await.unwrap();
        }
        assert_eq!(store.document::<Vec<String>>(DocumentKind::Labels, "h").await.unwrap().unwrap(), ["a"]);
        assert!(store.document::<Vec<String>>(DocumentKind::Policy, "h").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn what_is_old_is_forgotten_but_not_what_a_person_has() {
    for TestStore { store, .. } in &stores::all().await {
        begin(store, "old").await;
        begin(store, "held").await;
        let held = ConversationRow { handover: Some("ho_held".to_owned()), ..conversation("held", 2, 1) };
        store.write(change(held, vec![])).await.unwrap();
        let due = store.take_due("desk", 2_000, 500, 10).await.unwrap();
        for due in &due {
            store.finish(&due.delivery, &Finished::Delivered, Some(200), None, 2_000).await.unwrap();
        }
        let purged = store.purge(1_001, 500).await.unwrap();
        assert_eq!((purged.texts, purged.conversations), (2, 0));
        assert_eq!(store.message("old", "m0").await.unwrap().unwrap().text, None);
        assert_eq!(store.handover("ho_old").await.unwrap().unwrap().payload, "{}");
        assert_eq!(store.purge(1_001, 10_000).await.unwrap().conversations, 1);
        let verified = store.verify().await.unwrap();
        assert_eq!(verified.problems, [""; 0]);
        assert!(store.conversation("held").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_copy_of_a_store_is_a_store() {
    let test = stores::sqlite().await;
    begin(&test.store, "c1").await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    test.store.backup(&copy).await.unwrap();
    let copy = Store::open(hearken::store::Address::Sqlite(copy)).await.unwrap();
    assert_eq!(copy.remembered("c1").await.unwrap(), test.store.remembered("c1").await.unwrap());
}
