//! When are two texts the same to a reader? What is left of a text without case, punctuation and spacing.

/// Letters and digits in lower case, one space between words; a text without any as it is.
#[must_use]
pub fn folded(text: &str) -> String {
    let lower = text.to_lowercase();
    let mut out = String::with_capacity(lower.len());
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    if out.is_empty() { lower } else { out }
}

/// A message with what was said before it: two rows of the same key are the same example.
#[must_use]
pub fn key<'a>(context: impl Iterator<Item = &'a str>, text: &'a str) -> String {
    context.chain([text]).map(folded).collect::<Vec<_>>().join("\n")
}

/// A folded text with every word that holds a digit as `#`: equal for two texts that differ in their numbers only.
#[must_use]
pub fn without_numbers(folded: &str) -> String {
    let numeric = |word: &str| word.contains(|c: char| c.is_numeric());
    folded.split(' ').map(|word| if numeric(word) { "#" } else { word }).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_punctuation_and_spacing_are_nothing() {
        assert_eq!(folded("Where's  my ORDER?!"), "where s my order");
        assert_eq!(folded("?!"), "?!");
        assert_eq!(folded("\u{c9}t\u{e9} 5"), "\u{e9}t\u{e9} 5");
    }

    #[test]
    fn context_counts() {
        assert_ne!(key(["Which size?"].into_iter(), "M"), key([].into_iter(), "M"));
        assert_eq!(key(["which size"].into_iter(), "m!"), key(["Which size?"].into_iter(), "M"));
    }

    #[test]
    fn numbers_can_be_left_out() {
        assert_eq!(without_numbers("order kx20418 is late 2"), "order # is late #");
    }
}
