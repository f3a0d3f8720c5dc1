//! E-mail addresses: the everyday part of RFC 5321, letters of any script included; no quoted local parts and no address literals.

use super::{Form, Pattern, ValueContext, surface};
use crate::text::Span;
use serde_json::Value;

/// `ines.p@example.org`; the value has its domain in lower case.
pub struct Email;

static ADDRESS: Form = Form::new(r"[\p{L}\p{M}\p{N}._%+'&=~-]+@[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)+");

/// RFC 5321, 4.5.3.1: the most octets of a path.
const LONGEST: usize = 254;

impl Pattern for Email {
    fn label(&self) -> &'static str {
        "email"
    }

    fn forms(&self) -> Vec<&'static Form> {
        vec![&ADDRESS]
    }

    fn find(&self, text: &str) -> Vec<Span> {
        ADDRESS
            .spans(text)
            .into_iter()
            .filter_map(|span| tightened(text, span))
            .filter(|span| normalised(span.slice(text)).is_some())
            .collect()
    }

    fn value(&self, surface: &str, _context: &ValueContext) -> Option<Value> {
        let address = surface::plain(surface);
        ADDRESS.is(&address).then(|| normalised(&address).map(Value::String))?
    }

    fn is_certain(&self, _surface: &str) -> bool {
        true
    }
}

/// The address without quotes, dots or hyphens of the sentence around it.
fn tightened(text: &str, span: Span) -> Option<Span> {
    let inside = span.slice(text);
    let loose = |c: char| matches!(c, '.' | '\'' | '-' | '&' | '=' | '~');
    let start = span.start + (inside.len() - inside.trim_start_matches(loose).len());
    let end = span.end - (inside.len() - inside.trim_end_matches(['.', '-']).len());
    (start < end).then_some(Span { start, end })
}

fn normalised(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let sound = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
    let (_, top) = domain.rsplit_once('.')?;
    let named = top.chars().count() >= 2 && top.chars().any(char::is_alphabetic);
    let labels = domain.split('.').all(|label| !label.starts_with('-') && !label.ends_with('-'));
    (sound(local) && sound(domain) && named && labels && address.len() <= LONGEST).then(|| format!("{local}@{}", domain.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patterns::testing::{found, value};

    #[test]
    fn addresses_are_found() {
        for (text, wanted) in [
            ("mail me at ines.p@example.org.", vec!["ines.p@example.org"]),
            ("<office+orders@tinkerbarn.example.org>", vec!["office+orders@tinkerbarn.example.org"]),
            ("'a@b.co' or c_d@e-f.com!", vec!["a@b.co", "c_d@e-f.com"]),
            ("\u{1f4e7}x@y.de\u{1f600}", vec!["x@y.de"]),
            ("andr\u{e9}@m\u{fc}ller.de", vec!["andr\u{e9}@m\u{fc}ller.de"]),
            ("jose\u{301}@example.com", vec!["jose\u{301}@example.com"]),
            ("a@b", vec![]),
            ("@handle and name@", vec![]),
            ("1@2.3", vec![]),
            ("a..b@c.de", vec![]),
        ] {
            assert_eq!(found(&Email, text), wanted, "{text}");
        }
    }

    #[test]
    fn only_the_domain_loses_its_case() {
        assert_eq!(value(&Email, "Sara.L@Norrby.Example.NET"), Some("Sara.L@norrby.example.net".into()));
        assert_eq!(value(&Email, "sara at norrby"), None);
    }
}
