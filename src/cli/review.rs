//! `hearken export review`: messages of a server's store that are worth a label, as rows to be checked and trained with.

use super::store::StoreArgs;
use crate::analytics::{Range, Review, reviews};
use crate::store::MessageRow;
use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

/// Its name among the formats.
pub const NAME: &str = "review";
/// Turns of context of a row.
const CONTEXT: usize = 10;

/// Writes the rows; says how many.
///
/// # Errors
/// When the store or the file fails.
pub fn run(store: &StoreArgs, file: &Path, days: u32, limit: usize) -> anyhow::Result<usize> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        let store = store.open().await?;
        let now = Timestamp::now();
        let from = now.saturating_sub(SignedDuration::from_hours(i64::from(days) * 24)).unwrap_or(now);
        let found = reviews(&store, &Range { from, ..Range::recent(now) }, limit).await?;
        let mut out = BufWriter::new(File::create(file).with_context(|| format!("`{}` cannot be written", file.display()))?);
        for review in &found {
            let before = store.messages(&review.conversation_id, review.turn, CONTEXT).await?;
            writeln!(out, "{}", row(review, &before))?;
        }
        out.flush()?;
        Ok(found.len())
    })
}

fn row(review: &Review, before: &[MessageRow]) -> Value {
    let mut row = Map::new();
    let mut put = |key: &str, value: Value| row.insert(key.to_owned(), value);
    put("text", review.text.as_str().into());
    if let Some(intent) = &review.corrected_intent {
        put("intent", intent.as_str().into());
    }
    if let Some(sentiment) = &review.corrected_sentiment {
        put("sentiment", sentiment.as_str().into());
    }
    let turn = |row: &MessageRow| Some(json!({"role": row.role, "text": row.text.as_ref()?}));
    let context: Vec<Value> = before.iter().filter_map(turn).collect();
    if !context.is_empty() {
        put("context", context.into());
    }
    put("conversation", review.conversation_id.as_str().into());
    put("turn", review.turn.into());
    put("timestamp", json!(review.at));
    put("why", review.why.as_str().into());
    put("suggested", json!({"intent": review.intent, "score": review.score, "sentiment": review.sentiment}));
    Value::Object(row)
}
