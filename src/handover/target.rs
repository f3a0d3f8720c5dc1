//! Somebody who takes conversations over: how one hand-over is told to them.

use super::private::{PublicOnly, is_private};
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Time for one attempt, within the 15 to 30 seconds of Standard Webhooks.
const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(5);

/// A target as the settings have it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetConfig {
    /// Its name in the outbox.
    pub name: String,
    /// Its kind: `webhook`, `chatwoot`, `zendesk` or `slack`.
    pub kind: String,
    /// Where it is.
    pub url: String,
    /// Key, token or signing secret; several of a webhook's, separated by commas, sign together while they are exchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// A file that has the secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<std::path::PathBuf>,
    /// The account, application or key identifier, where the kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Hand-overs told at once.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
}

fn concurrency() -> usize {
    4
}

impl fmt::Debug for TargetConfig {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetConfig").field("name", &self.name).field("kind", &self.kind).field("url", &self.url).finish_non_exhaustive()
    }
}

/// Settings of a target that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("hand-over target `{target}`: {detail}")]
pub struct TargetError {
    /// Its name.
    pub target: String,
    /// What is wrong.
    pub detail: String,
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The target has it.
    Delivered(Option<u16>),
    /// It may work later.
    Failed {
        /// HTTP status, where there was one.
        status: Option<u16>,
        /// What went wrong.
        error: String,
        /// When the target wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It will never work: the target is gone, or cannot take this.
    Refused {
        /// HTTP status, where there was one.
        status: Option<u16>,
        /// What went wrong.
        error: String,
    },
}

/// What a target is told.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The hand-over's identifier.
    pub id: String,
    /// The payload as it is stored.
    pub body: String,
    /// Its `data`.
    pub data: Map<String, Value>,
}

impl Letter {
    /// A text of the payload's data.
    pub fn text(&self, key: &str) -> &str {
        self.data.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The other system's name for the conversation: what the caller put into the metadata, else the conversation's own.
    pub fn conversation(&self, key: &str) -> String {
        let metadata = self.data.get("metadata").and_then(|metadata| metadata.get(key));
        match metadata {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => self.text("conversation_id").to_owned(),
        }
    }
}

/// Somebody who takes conversations over.
#[async_trait::async_trait]
pub trait Target: Send + Sync + fmt::Debug {
    /// Tells one hand-over. The same one may be told again, after a crash or where an answer was lost.
    async fn tell(&self, http: &Client, letter: &Letter) -> Outcome;
}

/// A client that reaches what it may.
pub fn client(allow_private: bool) -> Result<Client, reqwest::Error> {
    // The provider of this process, unless it has one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .timeout(TIMEOUT)
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("hearken/", env!("CARGO_PKG_VERSION")));
    if allow_private { builder.build() } else { builder.dns_resolver(Arc::new(PublicOnly)).build() }
}

/// The address of a target, checked.
pub fn address(config: &TargetConfig, allow_private: bool) -> Result<Url, TargetError> {
    let wrong = |detail: String| TargetError { target: config.name.clone(), detail };
    let url: Url = config.url.parse().map_err(|error| wrong(format!("`{}` is no URL: {error}", config.url)))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong(format!("`{}` is neither http nor https", config.url)));
    }
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    if !allow_private && (literal.is_some_and(is_private) || host == "localhost") {
        return Err(wrong(format!(
            "`{host}` is a private address; say handover_allow_private = true (HEARKEN_HANDOVER_ALLOW_PRIVATE) to reach it"
        )));
    }
    Ok(url)
}

/// How an HTTP exchange went, as Standard Webhooks reads it: 2xx is delivered, 410 is never again, the rest may work later.
pub async fn judged(answer: Result<reqwest::Response, reqwest::Error>) -> Outcome {
    let response = match answer {
        Ok(response) => response,
        Err(error) => return failed(&error),
    };
    let status = response.status();
    if status == StatusCode::GONE {
        return Outcome::Refused { status: Some(410), error: "the target says it is gone (410)".to_owned() };
    }
    let retry_after = response.headers().get(reqwest::header::RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(wait);
    if !status.is_success() {
        let error = format!("the target answered {status}");
        return Outcome::Failed { status: Some(status.as_u16()), error, retry_after };
    }
    // An answer that breaks off in its body may not have been meant.
    match response.bytes().await {
        Ok(_) => Outcome::Delivered(Some(status.as_u16())),
        Err(error) => failed(&error),
    }
}

/// An exchange that failed below HTTP.
pub fn failed(error: &reqwest::Error) -> Outcome {
    let kind = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    let cause = std::iter::successors(std::error::Error::source(error), |error| error.source()).last();
    let error = cause.map_or_else(|| kind.to_owned(), |cause| format!("{kind}: {cause}"));
    Outcome::Failed { status: None, error, retry_after: None }
}

/// `Retry-After`: seconds, or a date.
fn wait(value: &str) -> Option<Duration> {
    let seconds = value.trim().parse().ok().map(Duration::from_secs);
    let date = || jiff::fmt::rfc2822::parse(value).ok().map(|date| date.timestamp().duration_since(jiff::Timestamp::now()));
    seconds.or_else(|| date().and_then(|wait| Duration::try_from(wait).ok()))
}
