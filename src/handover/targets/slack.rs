//! A channel that people read (Slack's incoming webhooks, and those that are alike: Mattermost, Rocket.Chat, Discord's `/slack`).

use super::super::target::{Letter, Outcome, Target, TargetConfig, TargetError, judged};
use reqwest::{Client, Url};
use serde_json::{Value, json};

#[derive(Debug)]
struct Slack {
    url: Url,
}

#[expect(clippy::unnecessary_wraps, reason = "the kinds have one form")]
pub fn build(_config: &TargetConfig, url: Url) -> Result<Box<dyn Target>, TargetError> {
    Ok(Box::new(Slack { url }))
}

#[async_trait::async_trait]
impl Target for Slack {
    async fn tell(&self, http: &Client, letter: &Letter) -> Outcome {
        judged(http.post(self.url.clone()).json(&message(letter)).send().await).await
    }
}

/// The message. `<`, `>` and `&` are the wire's own, so a customer's words cannot mention anybody or hide a link.
fn message(letter: &Letter) -> Value {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let said = letter.data.get("turns").and_then(Value::as_array).and_then(|turns| turns.last()?.get("text")?.as_str()).unwrap_or_default();
    let said: String = said.chars().take(1000).collect();
    let link = letter.data.get("links").and_then(|links| links.get("conversation")?.as_str());
    let link = link.map(|link| format!("\n<{link}|Open the conversation>")).unwrap_or_default();
    let quoted = escaped(&said).replace('\n', "\n> ");
    let title = format!("*Hand-over ({})* {}", letter.text("priority"), escaped(letter.text("conversation_id")));
    json!({"text": format!("{title}\n{}\n> {quoted}{link}\n_{}_", escaped(letter.text("summary")), letter.id)})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customers_words_stay_words() {
        let data =
            json!({"priority": "high", "conversation_id": "c<1>", "summary": "x", "turns": [{"text": "<!channel> look\n<http://a|b>"}]});
        let letter = Letter { id: "ho_1".to_owned(), body: String::new(), data: data.as_object().unwrap().clone() };
        let text = message(&letter)["text"].as_str().unwrap().to_owned();
        assert!(text.contains("&lt;!channel&gt; look\n> &lt;http://a|b&gt;") && text.contains("c&lt;1&gt;"), "{text}");
    }
}
