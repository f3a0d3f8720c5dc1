//! What a server does beside answering: it forgets what is old, and notices what is not as it was.

use crate::analytics::anomalies;
use crate::store::{EventKind, EventRow, Store, StoreError};
use crate::telemetry;
use std::time::Duration;

/// How often it is looked for what is old.
const EVERY: Duration = Duration::from_hours(1);
const DAY: i64 = 86_400_000;

/// Works until it is dropped. 0 days keep for ever.
pub async fn run(store: Store, texts: u32, conversations: u32) {
    loop {
        match purge(&store, texts, conversations).await {
            Ok(()) => {}
            Err(error) => telemetry::upkeep_failed(&error.to_string()),
        }
        if let Err(error) = watch(&store).await {
            telemetry::upkeep_failed(&error.to_string());
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn purge(store: &Store, texts: u32, conversations: u32) -> Result<(), StoreError> {
    if texts == 0 && conversations == 0 {
        return Ok(());
    }
    let purged = store.purge(before(texts), before(conversations)).await?;
    if purged != crate::store::Purged::default() {
        telemetry::purged(purged.texts, purged.conversations);
    }
    Ok(())
}

/// Looks for what is not as it was; each thing is told once.
async fn watch(store: &Store) -> Result<(), StoreError> {
    for anomaly in anomalies(store, jiff::Timestamp::now()).await? {
        let event = EventRow {
            id: format!("anomaly:{}:{}:{}", anomaly.kind, anomaly.name, anomaly.hour),
            at: anomaly.hour.as_millisecond(),
            kind: EventKind::Anomaly.name().to_owned(),
            conversation: None,
            handover: None,
            message: None,
            value: Some(anomaly.messages),
            data: serde_json::to_string(&anomaly).ok(),
        };
        if store.record(&event).await? {
            telemetry::anomaly(anomaly.kind, &anomaly.name, anomaly.messages, anomaly.usual);
        }
    }
    Ok(())
}

/// The time so many days ago; the beginning of time for none.
pub fn before(days: u32) -> i64 {
    if days == 0 { i64::MIN } else { jiff::Timestamp::now().as_millisecond() - i64::from(days) * DAY }
}
