//! Chatwoot: a bot has a conversation while it is `pending`. Only then a private note tells the agents why, and the conversation is opened.
//! Told again, nothing happens twice: a note that is there is not written again, and what is open stays so.

use super::super::target::{Letter, Outcome, Target, TargetConfig, TargetError, failed, judged};
use super::{below, needed, segment};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::{Value, json};

#[derive(Debug)]
struct Chatwoot {
    /// `https://chat.example/api/v1/accounts/{account}`.
    account: String,
    token: String,
}

pub fn build(config: &TargetConfig, url: Url) -> Result<Box<dyn Target>, TargetError> {
    let account = segment(needed(config, "account", config.account.as_ref())?);
    let token = needed(config, "secret", config.secret.as_ref())?.to_owned();
    Ok(Box::new(Chatwoot { account: below(&url, &format!("api/v1/accounts/{account}")), token }))
}

#[async_trait::async_trait]
impl Target for Chatwoot {
    async fn tell(&self, http: &Client, letter: &Letter) -> Outcome {
        self.try_to_tell(http, letter).await.unwrap_or_else(|outcome| outcome)
    }
}

impl Chatwoot {
    async fn try_to_tell(&self, http: &Client, letter: &Letter) -> Result<Outcome, Outcome> {
        let id = letter.conversation("chatwoot_conversation_id");
        let conversation = format!("{}/conversations/{}", self.account, segment(&id));
        let now = read(self.sign(http.get(&conversation))).await?;
        let status = now.get("status").and_then(Value::as_str).unwrap_or_default();
        if status != "pending" {
            // A person has it, or it is over.
            return Ok(Outcome::Delivered(Some(200)));
        }
        let messages = format!("{conversation}/messages");
        let there = read(self.sign(http.get(&messages))).await?;
        let noted = there.get("payload").and_then(Value::as_array).into_iter().flatten();
        let noted = noted.filter_map(|message| message.get("content")?.as_str()).any(|content| content.contains(&letter.id));
        if !noted {
            let body = json!({"content": note(letter), "message_type": "outgoing", "private": true});
            read(self.sign(http.post(&messages)).json(&body)).await?;
        }
        let body = json!({"status": "open"});
        Ok(judged(self.sign(http.post(format!("{conversation}/toggle_status"))).json(&body).send().await).await)
    }

    fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("api_access_token", &self.token)
    }
}

/// What the agents read.
fn note(letter: &Letter) -> String {
    let reasons = letter.data.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let reasons = reasons.filter_map(|reason| reason.get("message")?.as_str()).fold(String::new(), |all, message| all + "\n- " + message);
    format!("Hand-over ({}): {}{reasons}\n\n{}", letter.text("priority"), letter.text("summary"), letter.id)
}

/// The JSON of an answer, or how the exchange went instead. A conversation that is not there will not come.
async fn read(request: RequestBuilder) -> Result<Value, Outcome> {
    let response = request.send().await.map_err(|error| failed(&error))?;
    let status = response.status();
    if status == reqwest::StatusCode::NOT_FOUND {
        let error = "Chatwoot has no such conversation; send its display id as metadata.chatwoot_conversation_id".to_owned();
        return Err(Outcome::Refused { status: Some(404), error });
    }
    if !status.is_success() {
        return Err(judged(Ok(response)).await);
    }
    let bytes = response.bytes().await.map_err(|error| failed(&error))?;
    let unread = |error: serde_json::Error| Outcome::Failed {
        status: Some(status.as_u16()),
        error: format!("the answer is not JSON: {error}"),
        retry_after: None,
    };
    serde_json::from_slice(&bytes).map_err(unread)
}
