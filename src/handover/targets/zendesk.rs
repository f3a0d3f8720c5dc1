//! Zendesk's Sunshine Conversations: `passControl` moves the conversation to the agent workspace, with metadata that its triggers see.

use super::super::target::{Letter, Outcome, Target, TargetConfig, TargetError, judged};
use super::{below, needed, segment};
use reqwest::{Client, Url};
use serde_json::{Map, Value, json};

/// Most bytes of metadata.
const LARGEST: usize = 4096;
/// Most characters of one value, so that the rest has room.
const LONGEST: usize = 1000;

#[derive(Debug)]
struct Zendesk {
    /// `https://api.smooch.io/v2/apps/{appId}`.
    app: Url,
    key: String,
    secret: String,
}

pub fn build(config: &TargetConfig, url: Url) -> Result<Box<dyn Target>, TargetError> {
    let key = needed(config, "account", config.account.as_ref())?.to_owned();
    let secret = needed(config, "secret", config.secret.as_ref())?.to_owned();
    Ok(Box::new(Zendesk { app: url, key, secret }))
}

#[async_trait::async_trait]
impl Target for Zendesk {
    async fn tell(&self, http: &Client, letter: &Letter) -> Outcome {
        let conversation = segment(&letter.conversation("zendesk_conversation_id"));
        let url = below(&self.app, &format!("conversations/{conversation}/passControl"));
        let body = json!({"switchboardIntegration": "next", "metadata": metadata(letter)});
        let request = http.post(url).basic_auth(&self.key, Some(&self.secret)).json(&body);
        judged(request.send().await).await
    }
}

/// What fits: flat, in the order of what a person wants first.
fn metadata(letter: &Letter) -> Map<String, Value> {
    let mut metadata = Map::new();
    let mut put = |key: String, value: Value| {
        metadata.insert(key.clone(), value);
        if Value::Object(metadata.clone()).to_string().len() > LARGEST {
            metadata.remove(&key);
        }
    };
    put("hearken.handover_id".to_owned(), letter.id.as_str().into());
    for key in ["priority", "conversation_id", "summary", "channel"] {
        let text: String = letter.text(key).chars().take(LONGEST).collect();
        if !text.is_empty() {
            put(format!("hearken.{key}"), text.into());
        }
    }
    let reasons = letter.data.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let rules: Vec<&str> = reasons.filter_map(|reason| reason.get("rule")?.as_str()).collect();
    put("hearken.rules".to_owned(), rules.join(",").into());
    for (label, value) in letter.data.get("entities").and_then(Value::as_object).into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        put(format!("hearken.{label}"), value.chars().take(LONGEST).collect::<String>().into());
    }
    if let Some(link) = letter.data.get("links").and_then(|links| links.get("conversation")?.as_str()) {
        put("hearken.link".to_owned(), link.into());
    }
    metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_flat_and_fits() {
        let entities: Map<String, Value> = (0..50).map(|n| (format!("label{n}"), json!("x".repeat(500)))).collect();
        let data = json!({"priority": "high", "summary": "y".repeat(5000), "entities": entities, "reasons": [{"rule": "threat"}]});
        let letter = Letter { id: "ho_1".to_owned(), body: String::new(), data: data.as_object().unwrap().clone() };
        let metadata = metadata(&letter);
        assert!(metadata.values().all(Value::is_string));
        assert!(Value::Object(metadata.clone()).to_string().len() <= LARGEST);
        assert_eq!(metadata["hearken.rules"], "threat");
    }
}
