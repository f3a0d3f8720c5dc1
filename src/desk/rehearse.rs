//! Recorded conversations are classified as the desk would have, for a back-test: every message at once, since what was said before it is
//! known. And those that the store has, which were classified when they came.

use super::memory;
use crate::batch::Class;
use crate::conversation::context;
use crate::data::{Talk, TalkMessage};
use crate::engine::{Engine, EngineError, Input, Request};
use crate::eval::backtest::{Recorded, RecordedMessage, Wanted};
use crate::heads::Labels;
use crate::patterns::ValueContext;
use crate::store::{DocumentKind, MessageRow, Store, StoreError, moment};
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::SignedDuration;
use std::collections::HashMap;
use std::time::Duration;

/// Messages of one request.
const CHUNK: usize = 32;
/// Requests under way at once, so that the engine never waits for the next.
const UNDER_WAY: usize = 8;
/// Messages read from the store at once.
const PAGE: usize = 2000;
/// Satisfactions up to this say that a human was missed.
const DISSATISFIED: f64 = 2.0;
/// Satisfactions from this on say that none was.
const SATISFIED: f64 = 4.0;

/// Classifies conversations; `done` is told of messages as they are.
///
/// # Errors
/// When the engine fails.
pub async fn rehearse(engine: &Engine, talks: &[Talk], idle: SignedDuration, done: impl Fn(usize)) -> Result<Vec<Recorded>, EngineError> {
    let inputs: Vec<Input> = talks.iter().flat_map(|talk| &talk.messages).map(|message| input(message, idle)).collect();
    let chunks: Vec<Vec<Input>> = inputs.chunks(CHUNK).map(<[Input]>::to_vec).collect();
    let under_way = futures_util::stream::iter(chunks).map(|chunk| classify(engine, chunk)).buffered(UNDER_WAY);
    let outcomes: Vec<Vec<_>> = under_way.inspect_ok(|chunk| done(chunk.len())).try_collect().await?;
    let mut outcomes = outcomes.into_iter().flatten();
    let recorded = talks.iter().map(|talk| {
        let message = |message: &TalkMessage| RecordedMessage {
            turn: message.turn,
            at: message.at,
            text: message.text.as_str().to_owned(),
            channel: message.channel.clone(),
            segment: message.segment.clone(),
            language: message.language.clone(),
            prediction: outcomes.next().unwrap_or_default(),
        };
        Recorded {
            id: talk.id.clone(),
            messages: talk.messages.iter().map(message).collect(),
            wanted: wanted(talk),
            labels: engine.labels().clone(),
        }
    });
    Ok(recorded.collect())
}

fn input(message: &TalkMessage, idle: SignedDuration) -> Input {
    Input {
        text: message.text.clone(),
        context: context(&message.before, message.at, idle, |(at, turn)| Some((*at, turn.clone()))),
        values: ValueContext { now: Some(message.at.to_zoned(jiff::tz::TimeZone::UTC)), region: None },
    }
}

/// Waits while the engine has no room.
async fn classify(engine: &Engine, inputs: Vec<Input>) -> Result<Vec<crate::heads::Prediction>, EngineError> {
    loop {
        match engine.classify(Request { inputs: inputs.clone(), class: Class::Bulk, deadline: None }).await {
            Ok(outcomes) => return Ok(outcomes.into_iter().map(|outcome| outcome.prediction.kept()).collect()),
            Err(EngineError::Overloaded { retry_after }) => {
                tokio::time::sleep(retry_after.clamp(Duration::from_millis(1), Duration::from_millis(100))).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether a human should have taken over: as labelled; else where one did; else as satisfied as the customer was.
fn wanted(talk: &Talk) -> Option<Wanted> {
    if talk.messages.iter().any(|message| message.escalate.is_some()) {
        let from = talk.messages.iter().position(|message| message.escalate == Some(true));
        return Some(from.map_or(Wanted::No, Wanted::From));
    }
    let did = talk.messages.iter().position(|message| message.handover).map(Wanted::From);
    did.or_else(|| by_satisfaction(talk.csat?, talk.messages.len()))
}

fn by_satisfaction(csat: f64, messages: usize) -> Option<Wanted> {
    match csat {
        csat if csat <= DISSATISFIED => Some(Wanted::From(messages.saturating_sub(1))),
        csat if csat >= SATISFIED => Some(Wanted::No),
        _ => None,
    }
}

/// The conversations that the store has, up to `most` messages. A human was wanted where the caller asked for one, or the customer was not
/// satisfied.
///
/// # Errors
/// When the store fails.
pub async fn remembered(store: &Store, most: usize) -> Result<Vec<Recorded>, StoreError> {
    let mut recorded: Vec<Recorded> = Vec::new();
    let mut labels: HashMap<String, Labels> = HashMap::new();
    let mut after = (String::new(), i64::MIN);
    let mut read = 0;
    loop {
        let rows = store.decided((&after.0, after.1), PAGE.min(most - read)).await?;
        let Some(last) = rows.last() else { break };
        after = (last.conversation.clone(), last.turn);
        read += rows.len();
        for row in rows {
            let hash = row.labels.clone().unwrap_or_default();
            if !labels.contains_key(&hash) {
                labels.insert(hash.clone(), store.document(DocumentKind::Labels, &hash).await?.unwrap_or_default());
            }
            if recorded.last().is_none_or(|talk| talk.id != row.conversation) {
                let labels = labels.get(&hash).cloned().unwrap_or_default();
                recorded.push(Recorded { id: row.conversation.clone(), messages: Vec::new(), wanted: None, labels });
            }
            if let Some(talk) = recorded.last_mut() {
                talk.messages.push(message(row)?);
            }
        }
        if read >= most {
            break;
        }
    }
    let known = store.known_wishes().await?;
    for talk in &mut recorded {
        let Some(wish) = known.get(&talk.id) else { continue };
        let at = wish.requested.map(|turn| talk.messages.iter().rposition(|message| message.turn <= turn).unwrap_or_default());
        talk.wanted = at.map(Wanted::From).or_else(|| by_satisfaction(wish.csat?, talk.messages.len()));
    }
    Ok(recorded)
}

fn message(row: MessageRow) -> Result<RecordedMessage, StoreError> {
    Ok(RecordedMessage {
        turn: row.turn.unsigned_abs(),
        at: moment(row.at),
        prediction: memory::prediction(&row)?,
        text: row.text.unwrap_or_default(),
        channel: row.channel,
        segment: row.segment,
        language: row.language,
    })
}
