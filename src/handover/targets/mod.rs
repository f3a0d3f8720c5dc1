//! One kind of target a file and one line in [`KINDS`].

mod chatwoot;
mod slack;
mod webhook;
mod zendesk;

use super::target::{Target, TargetConfig, TargetError};
use reqwest::Url;

/// Builds a target of a kind from its settings.
type Build = fn(&TargetConfig, Url) -> Result<Box<dyn Target>, TargetError>;

/// Every kind of target.
pub const KINDS: &[(&str, Build)] =
    &[("webhook", webhook::build), ("chatwoot", chatwoot::build), ("zendesk", zendesk::build), ("slack", slack::build)];

/// A setting that the kind needs.
fn needed<'a>(config: &'a TargetConfig, key: &str, value: Option<&'a String>) -> Result<&'a str, TargetError> {
    let missing =
        || TargetError { target: config.name.clone(), detail: format!("`{key}` is missing; the kind `{}` needs it", config.kind) };
    value.map(|value| value.trim()).filter(|value| !value.is_empty()).ok_or_else(missing)
}

/// A URL below another.
fn below(base: &Url, path: &str) -> String {
    format!("{}/{path}", base.as_str().trim_end_matches('/'))
}

/// A part of a path, so that an identifier cannot lead elsewhere.
fn segment(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let encode = |byte: u8| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let encoded: String = text.bytes().map(encode).collect();
    if encoded.chars().all(|c| c == '.') { encoded.replace('.', "%2E") } else { encoded }
}
