//! What a server does beside answering: it forgets what is old.

use crate::store::Store;
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
        tokio::time::sleep(EVERY).await;
    }
}

async fn purge(store: &Store, texts: u32, conversations: u32) -> Result<(), crate::store::StoreError> {
    if texts == 0 && conversations == 0 {
        return Ok(());
    }
    let purged = store.purge(before(texts), before(conversations)).await?;
    if purged != crate::store::Purged::default() {
        telemetry::purged(purged.texts, purged.conversations);
    }
    Ok(())
}

/// The time so many days ago; the beginning of time for none.
pub fn before(days: u32) -> i64 {
    if days == 0 { i64::MIN } else { jiff::Timestamp::now().as_millisecond() - i64::from(days) * DAY }
}
