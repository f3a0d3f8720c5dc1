//! `POST /v1/backtest`: what a policy would have done with conversations that are sent, or that the store has.

use crate::conversation::{Role, Turn};
use crate::data::{Talk, TalkMessage};
use crate::desk::{rehearse, remembered};
use crate::eval::backtest::{Bound, Examined, Question, Sweep, examine};
use crate::http::body;
use crate::http::openapi::{BodyProblems, StateProblems};
use crate::http::parse::typed;
use crate::http::problem::Problem;
use crate::http::server::Service;
use crate::http::terms::Terms;
use crate::http::wire::Object;
use crate::policy::{Policy, PolicyFile};
use crate::text::Utterance;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// Most messages of the store that are looked at; the rest is for `hearken backtest`.
const MOST: usize = 200_000;

/// A back-test.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BacktestBody {
    /// The policy; that in force without it.
    policy: Option<Value>,
    /// A second policy, to list the conversations in which they differ.
    against: Option<Value>,
    /// Conversations; those that the store has without them.
    #[schema(value_type = Option<Vec<SentConversation>>)]
    conversations: Option<Vec<Object<SentConversation>>>,
    /// Messages of the customer after the labelled one that are still in time.
    #[serde(default = "within")]
    #[schema(default = 2)]
    within: usize,
    /// Parameter of a rule and the values to try: `RULE.PARAMETER=FROM..TO/STEPS`.
    sweep: Option<String>,
    /// What the recommended value may cost: `calm<=SHARE` or `rate<=SHARE`.
    target: Option<String>,
}

fn within() -> usize {
    2
}

/// A conversation that is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SentConversation {
    id: String,
    /// What was said, oldest first.
    #[schema(value_type = Vec<SentTurn>)]
    turns: Vec<Object<SentTurn>>,
    channel: Option<String>,
    /// The customer's group.
    segment: Option<String>,
    language: Option<String>,
    /// How satisfied the customer was, 1 to 5.
    csat: Option<f64>,
}

/// A turn that is sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SentTurn {
    role: Role,
    text: String,
    /// When, RFC 3339; a minute after the turn before without it.
    #[schema(value_type = Option<String>, format = DateTime)]
    timestamp: Option<Timestamp>,
    /// Whether a human should take over here.
    escalate: Option<bool>,
    /// Whether a human did.
    #[serde(default)]
    handover: bool,
}

/// Says what a policy would have done.
#[utoipa::path(post, path = "/v1/backtest", tag = "policy", request_body = BacktestBody,
    responses((status = 200, body = Examined), StateProblems, BodyProblems))]
pub async fn run(State(service): State<Arc<Service>>, headers: HeaderMap, body: Body) -> Result<Json<Examined>, Problem> {
    service.check_open()?;
    let terms = Terms::read(&headers, service.deadline())?;
    let Object(asked): Object<BacktestBody> = typed(&body::bytes(&service, &headers, body, &terms).await?)?;
    let sweep = asked.sweep.as_ref().map(|text| text.parse::<Sweep>().map_err(|error| Problem::invalid("/sweep", error.to_string())));
    let bound = asked.target.as_ref().map(|text| text.parse::<Bound>().map_err(|error| Problem::invalid("/target", error.to_string())));
    let (sweep, bound) = (sweep.transpose()?, bound.transpose()?);
    let policy = match asked.policy {
        Some(policy) => Arc::new(parsed(&policy, "/policy")?),
        None => service.policy(),
    };
    let against = asked.against.map(|against| parsed(&against, "/against")).transpose()?;
    let idle = policy.idle();
    let work = async {
        let recorded = match asked.conversations {
            Some(sent) => {
                let talks = sent.into_iter().enumerate().map(|(i, Object(sent))| talk(sent, &format!("/conversations/{i}")));
                let talks = talks.collect::<Result<Vec<_>, _>>()?;
                rehearse(&service.slots.stable(), &talks, idle, |_| {}).await?
            }
            None => remembered(service.desk()?.store(), MOST).await?,
        };
        let examined = tokio::task::spawn_blocking(move || {
            let question = Question { against: against.as_ref(), within: asked.within, sweep: sweep.as_ref(), bound };
            examine(&policy, &recorded, question).map_err(|error| Problem::invalid("/sweep", error.to_string()))
        });
        examined.await.map_err(|_| Problem::deadline())?
    };
    let answer = tokio::time::timeout_at(terms.deadline.into(), work).await.map_err(|_| Problem::deadline())??;
    Ok(Json(answer))
}

fn parsed(policy: &Value, place: &str) -> Result<Policy, Problem> {
    let file = PolicyFile::parse(&policy.to_string()).map_err(|error| Problem::invalid(place, error.to_string()))?;
    Ok(Policy::new("sent", file))
}

fn talk(sent: SentConversation, place: &str) -> Result<Talk, Problem> {
    let mut before: Vec<(Timestamp, Turn)> = Vec::new();
    let mut messages = Vec::new();
    for (i, Object(turn)) in sent.turns.into_iter().enumerate() {
        let text = Utterance::new(turn.text).map_err(|error| Problem::invalid(format!("{place}/turns/{i}/text"), error.to_string()))?;
        let last = before.last().map(|(at, _)| *at);
        let next = last.map_or_else(Timestamp::now, |at| at.saturating_add(SignedDuration::from_mins(1)).unwrap_or(at));
        let at = turn.timestamp.unwrap_or(next).max(last.unwrap_or(Timestamp::MIN));
        if turn.role == Role::Customer {
            messages.push(TalkMessage {
                turn: i as u64,
                at,
                text: text.clone(),
                before: before.clone(),
                channel: sent.channel.clone(),
                segment: sent.segment.clone(),
                language: sent.language.clone(),
                escalate: turn.escalate,
                handover: turn.handover,
            });
        }
        before.push((at, Turn { role: turn.role, text }));
    }
    Ok(Talk { id: sent.id, messages, csat: sent.csat })
}
