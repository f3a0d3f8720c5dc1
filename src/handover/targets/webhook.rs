//! Any program that takes a signed POST (Standard Webhooks): the identifier of the hand-over is the message's, so that a receiver
//! can tell what came twice. With several secrets it is signed by each, while one takes the other's place.

use super::super::target::{Letter, Outcome, Target, TargetConfig, TargetError, judged};
use reqwest::{Client, Url};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};
use std::fmt;

struct Signed {
    url: Url,
    keys: Vec<Webhook>,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("url", &self.url.as_str()).field("keys", &self.keys.len()).finish()
    }
}

pub fn build(config: &TargetConfig, url: Url) -> Result<Box<dyn Target>, TargetError> {
    let wrong = |error| TargetError {
        target: config.name.clone(),
        detail: format!("a signing secret is not `whsec_` and base64: {error}; `openssl rand -base64 32` makes one"),
    };
    let secrets = config.secret.iter().flat_map(|secrets| secrets.split(',')).map(str::trim).filter(|secret| !secret.is_empty());
    let keys = secrets.map(|secret| Webhook::new(secret).map_err(wrong)).collect::<Result<_, _>>()?;
    Ok(Box::new(Signed { url, keys }))
}

#[async_trait::async_trait]
impl Target for Signed {
    async fn tell(&self, http: &Client, letter: &Letter) -> Outcome {
        let now = jiff::Timestamp::now().as_second();
        let signatures: Result<Vec<String>, _> = self.keys.iter().map(|key| key.sign(&letter.id, now, letter.body.as_bytes())).collect();
        let signatures = match signatures {
            Ok(signatures) => signatures.join(" "),
            Err(error) => return Outcome::Refused { status: None, error: format!("cannot be signed: {error}") },
        };
        let mut request = http.post(self.url.clone()).header("content-type", "application/json");
        request = request.header(HEADER_WEBHOOK_ID, &letter.id).header(HEADER_WEBHOOK_TIMESTAMP, now);
        if !signatures.is_empty() {
            request = request.header(HEADER_WEBHOOK_SIGNATURE, signatures);
        }
        judged(request.body(letter.body.clone()).send().await).await
    }
}
