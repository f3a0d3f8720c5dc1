//! Tags of tokens to spans, whichever scheme they are written in: IOB1, BIO (IOB2), BILOU, BIOES.
//!
//! Ramshaw and Marcus 1995 (IOB1), Tjong Kim Sang and Veenstra 1999 (IOB2), Ratinov and Roth 2009 (BILOU).

/// A span of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// Its first token.
    pub first: usize,
    /// Its last token.
    pub last: usize,
    /// Its label.
    pub label: String,
}

/// A tag that has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag<'a> {
    Outside,
    Of(Position, &'a str),
}

/// Where in a span its token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Begin,
    Inside,
    Last,
    Only,
}

/// What a tag says; none where the text is no tag.
fn read(tag: &str) -> Option<Tag<'_>> {
    if tag == "O" {
        return Some(Tag::Outside);
    }
    let (position, label) = tag.split_once(['-', '_'])?;
    let position = match position {
        "B" => Position::Begin,
        "I" | "M" => Position::Inside,
        "L" | "E" => Position::Last,
        "U" | "S" | "W" => Position::Only,
        _ => return None,
    };
    Some(Tag::Of(position, label)).filter(|_| !label.is_empty())
}

/// Whether a text is a tag.
pub(super) fn is_one(tag: &str) -> bool {
    read(tag).is_some()
}

/// The spans of a message's tags. A token inside goes on with the span before it if the label is the same, and begins one otherwise,
/// as IOB1 has it.
///
/// # Errors
/// A sentence, when a text is no tag, or a last token has no beginning.
///
/// ```
/// # use hearken::data::import::spans;
/// let read = spans(&["O", "I-city", "B-city", "I-city"]).unwrap();
/// assert_eq!(read.iter().map(|span| (span.first, span.last)).collect::<Vec<_>>(), [(1, 1), (2, 3)]);
/// ```
pub fn spans<T: AsRef<str>>(tags: &[T]) -> Result<Vec<Tagged>, String> {
    let mut spans: Vec<Tagged> = Vec::new();
    let mut open = false;
    for (at, tag) in tags.iter().map(AsRef::as_ref).enumerate() {
        let Tag::Of(position, label) = read(tag).ok_or_else(|| format!("`{tag}` is no tag"))? else {
            open = false;
            continue;
        };
        let last = spans.last_mut().filter(|span| open && span.label == label);
        match (position, last) {
            (Position::Inside | Position::Last, Some(span)) => span.last = at,
            (Position::Last, None) => return Err(format!("`{tag}` at token {} ends what was not begun", at + 1)),
            (Position::Begin | Position::Inside | Position::Only, _) => spans.push(Tagged { first: at, last: at, label: label.to_owned() }),
        }
        open = matches!(position, Position::Begin | Position::Inside);
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(tags: &str) -> Result<String, String> {
        let tags: Vec<_> = tags.split(' ').collect();
        Ok(spans(&tags)?.iter().map(|span| format!("{}{}{}", span.first, span.label, span.last)).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn every_scheme_gives_the_same_spans() {
        for tags in ["O I-a I-a B-a I-b O", "O B-a I-a B-a B-b O", "O B-a L-a U-a U-b O", "O B-a E-a S-a S-b O"] {
            assert_eq!(read_all(tags), Ok("1a2 3a3 4b4".into()), "{tags}");
        }
        assert_eq!(read_all("B-a I-a L-a"), Ok("0a2".into()));
    }

    #[test]
    fn what_is_no_tag_is_named() {
        assert_eq!(read_all("O Q-a"), Err("`Q-a` is no tag".into()));
        assert_eq!(read_all("B-"), Err("`B-` is no tag".into()));
        assert_eq!(read_all("O L-a"), Err("`L-a` at token 2 ends what was not begun".into()));
    }
}
