//! Bodies in HTML as the text a reader sees.

use regex::Regex;
use std::sync::OnceLock;

/// Bytes of a body that are read: a message of the most characters, eight times over for its markup.
const MOST: usize = 128 << 10;

/// The text of a body: blocks and breaks become lines, links their words, entities their characters.
///
/// # Errors
/// When the body is too large to be a message.
pub fn text(body: &str) -> Result<String, String> {
    static LINK: OnceLock<Option<Regex>> = OnceLock::new();
    if body.len() > MOST {
        return Err(format!("the body has {} bytes of HTML; {MOST} are the most for a message", body.len()));
    }
    let link = LINK.get_or_init(|| Regex::new(r"(?i)</?a(?:\s[^>]*)?>").ok());
    let body = link.as_ref().map_or_else(|| body.into(), |link| link.replace_all(body, ""));
    let text = nanohtml2text::html2text(&body).replace("\r\n", "\n").replace('\u{a0}', " ");
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    Ok(lines.join("\n").trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_body_reads_as_it_is_seen() {
        for (body, wanted) in [
            ("<p>Where is my <b>order</b>?</p>", "Where is my order?"),
            ("<p>Hi &amp; hello,</p><p>it&#39;s&nbsp;late<br>again</p>", "Hi & hello,\n\nit's late\nagain"),
            ("write to <a href=\"mailto:a@b.co\" target=\"_blank\">a@b.co</a> please", "write to a@b.co please"),
            ("<style>p { color: red }</style><div>ok</div><script>x()</script>", "ok"),
            ("plain text, 5 < 6", "plain text, 5 < 6"),
            ("<p></p>", ""),
        ] {
            assert_eq!(text(body).unwrap(), wanted, "{body}");
        }
        assert!(text(&"<p>".repeat(MOST)).is_err());
    }

    proptest! {
        #[test]
        fn no_markup_breaks_it(body in "(<|>|/|a|p|!--|-->|script|&|#|;|x|\"|'|=| |\u{e9}|\u{1f600}){0,40}") {
            prop_assert!(text(&body).is_ok());
        }
    }
}
