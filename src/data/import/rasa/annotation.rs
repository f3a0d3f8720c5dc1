//! Rasa's notation for entities in a text: `[text](label)`, `[text]{"entity": "label", "role": "", "group": "", "value": ""}` and
//! `[text][{…}, {…}]`.
//!
//! <https://rasa.com/docs/rasa/training-data-format#entities>

use crate::data::row::RowEntity;
use serde::Deserialize;

/// A text without its annotations, and what they said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Annotated {
    /// The text.
    pub text: String,
    /// The entities, in code points of the text.
    pub entities: Vec<RowEntity>,
    /// What was left out, if anything.
    pub remarks: Vec<String>,
}

/// The full form.
#[derive(Debug, Deserialize)]
struct Label {
    entity: String,
    role: Option<String>,
    group: Option<Text>,
    value: Option<Text>,
}

/// A text, or a number that is taken for one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Words(String),
    Number(serde_json::Number),
    Switch(bool),
}

impl Text {
    fn into_string(self) -> String {
        match self {
            Self::Words(text) => text,
            Self::Number(number) => number.to_string(),
            Self::Switch(on) => on.to_string(),
        }
    }
}

/// Reads the annotations of an example.
///
/// # Errors
/// A sentence, when an annotation is not closed or does not say what it should.
///
/// ```
/// # use hearken::data::import::annotated;
/// let read = annotated("to [the office](place) please").unwrap();
/// assert_eq!(read.text, "to the office please");
/// assert_eq!((read.entities[0].start, read.entities[0].end), (3, 13));
/// ```
pub fn annotated(example: &str) -> Result<Annotated, String> {
    let mut read = Annotated::default();
    let (mut rest, mut length) = (example, 0);
    while let Some((before, opened)) = rest.split_once('[') {
        read.text.push_str(before);
        length += before.chars().count();
        let Some((inside, behind)) = opened.split_once(']') else {
            if looks_annotated(opened) {
                return Err(format!("the bracket of `[{}` is not closed; write [text](label)", beginning(opened)));
            }
            read.text.push('[');
            length += 1;
            rest = opened;
            continue;
        };
        let Some((labels, after)) = labels(inside, behind)? else {
            read.text.push('[');
            length += 1;
            rest = opened;
            continue;
        };
        let end = length + inside.chars().count();
        let mut labels = labels.into_iter();
        let Some(label) = labels.next() else { return Err(format!("`[{inside}]` has an empty list of labels")) };
        read.remarks.extend(
            labels.map(|other| {
                format!("`{inside}` is `{}` and `{}`; a text has one label here: the first is kept", label.entity, other.entity)
            }),
        );
        read.entities.push(entity(inside, (length, end), label)?);
        read.text.push_str(inside);
        (length, rest) = (end, after);
    }
    read.text.push_str(rest);
    Ok(read)
}

/// Whether the author meant an annotation although its bracket is not closed.
fn looks_annotated(opened: &str) -> bool {
    opened.contains("{\"") || opened.split_once('(').is_some_and(|(_, rest)| rest.contains(')'))
}

fn beginning(text: &str) -> String {
    let short: String = text.chars().take(24).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

fn entity(inside: &str, (start, end): (usize, usize), label: Label) -> Result<RowEntity, String> {
    if label.entity.trim().is_empty() {
        return Err(format!("the label of `[{inside}]` is empty"));
    }
    let value = label.value.map(Text::into_string).filter(|value| value != inside);
    Ok(RowEntity { start, end, label: label.entity, role: label.role, group: label.group.map(Text::into_string), value })
}

/// The labels behind a bracket and what follows them; none where the bracket is no annotation.
fn labels<'a>(inside: &str, behind: &'a str) -> Result<Option<(Vec<Label>, &'a str)>, String> {
    if let Some(short) = behind.strip_prefix('(') {
        let (label, after) =
            short.split_once(')').ok_or_else(|| format!("the label of `[{inside}]({}` is not closed", beginning(short)))?;
        let (entity, value) = label.split_once(':').map_or((label, None), |(entity, value)| (entity, Some(Text::Words(value.to_owned()))));
        return Ok(Some((vec![Label { entity: entity.to_owned(), role: None, group: None, value }], after)));
    }
    if behind.starts_with('{') {
        let (label, after) = json(inside, behind)?;
        return Ok(Some((vec![label], after)));
    }
    if behind.starts_with("[{") {
        return json(inside, behind).map(Some);
    }
    Ok(None)
}

fn json<'a, T: Deserialize<'a>>(inside: &str, text: &'a str) -> Result<(T, &'a str), String> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    match values.next() {
        Some(Ok(value)) => Ok((value, text.get(values.byte_offset()..).unwrap_or_default())),
        Some(Err(error)) => {
            let detail = super::super::json::message(&error);
            Err(format!("what stands behind `[{inside}]` is no label: {detail}; write {{\"entity\": \"label\"}}"))
        }
        None => Err(format!("nothing stands behind `[{inside}]`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(example: &str) -> Vec<(usize, usize, String)> {
        annotated(example).unwrap().entities.into_iter().map(|entity| (entity.start, entity.end, entity.label)).collect()
    }

    #[test]
    fn offsets_count_code_points_of_the_plain_text() {
        assert_eq!(spans("\u{e9}\u{1f600} [k\u{e9}ttle](product) [2](n)"), [(3, 9, "product".into()), (10, 11, "n".into())]);
    }

    #[test]
    fn the_full_form_has_role_group_and_value() {
        let read = annotated(r#"to [SF]{"entity": "city", "role": "destination", "group": 1, "value": "San Francisco"}!"#).unwrap();
        let wanted = RowEntity {
            role: Some("destination".into()),
            group: Some("1".into()),
            value: Some("San Francisco".into()),
            ..RowEntity::new(3, 5, "city")
        };
        assert_eq!((read.text.as_str(), &read.entities[0]), ("to SF!", &wanted));
    }

    #[test]
    fn a_list_keeps_its_first_label_and_says_so() {
        let read = annotated(r#"[Paris][{"entity":"location"},{"entity":"city"}] now"#).unwrap();
        assert_eq!((read.text.as_str(), read.entities[0].label.as_str()), ("Paris now", "location"));
        assert!(read.remarks[0].contains("`location` and `city`"));
    }

    #[test]
    fn brackets_that_annotate_nothing_are_text() {
        for text in ["sad :[", "see [1] and [note]", "[[x]]", "a ] b"] {
            assert_eq!(annotated(text).unwrap().text, text);
        }
    }

    #[test]
    fn what_is_not_closed_is_named() {
        for (example, part) in [
            ("[Berlin](city", "`[Berlin](city` is not closed"),
            ("to [Berlin(city)", "`[Berlin(city)` is not closed"),
            ("[x]{\"entity\": \"a\"", "EOF"),
            ("[x]{\"role\": \"a\"}", "missing field `entity`"),
            ("[x]()", "label of `[x]` is empty"),
            ("[x][{]", "no label"),
        ] {
            let error = annotated(example).unwrap_err();
            assert!(error.contains(part), "{example}: {error}");
        }
    }
}
