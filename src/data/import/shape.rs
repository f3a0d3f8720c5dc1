//! The keys of a JSON value, told from its beginning: a format is recognised although the file is cut off or broken further on.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

/// Levels that are looked at.
const DEPTH: usize = 6;

/// Paths of the keys of a value: `events`, `events[].event`; an array at the top is `[]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape(BTreeSet<String>);

impl Shape {
    /// The shape of the first value in `text`, as far as it can be read.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let paths = RefCell::new(BTreeSet::new());
        let seed = Walk { paths: &paths, path: String::new(), depth: 0 };
        // The text may be cut off; what was seen until then is what is wanted.
        let _ = seed.deserialize(&mut serde_json::Deserializer::from_str(text));
        Self(paths.into_inner())
    }

    /// Whether a path is there.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.0.contains(path)
    }

    /// Whether all paths are there.
    #[must_use]
    pub fn has_all(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.has(path))
    }

    /// Whether there is nothing: no JSON object and no array.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

struct Walk<'a> {
    paths: &'a RefCell<BTreeSet<String>>,
    path: String,
    depth: usize,
}

impl Walk<'_> {
    fn below(&self, part: &str) -> Self {
        let dot = if self.path.is_empty() || part == "[]" { "" } else { "." };
        let path = format!("{}{dot}{part}", self.path);
        self.paths.borrow_mut().insert(path.clone());
        Self { paths: self.paths, path, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth >= DEPTH { deserializer.deserialize_ignored_any(IgnoredAny).map(drop) } else { deserializer.deserialize_any(self) }
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            map.next_value_seed(self.below(&key))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(self.below("[]"))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_enough() {
        let shape = Shape::of(r#"{"events": [{"event": "user", "timestamp": 1.5, "ok": true, "x": null}, {"name": "#);
        assert!(shape.has_all(&["events", "events[]", "events[].event", "events[].name"]), "{shape:?}");
        assert!(!shape.has("event"));
        assert!(Shape::of(r#"[{"text": "hi"}"#).has("[].text"));
        assert!(Shape::of("plain").is_empty());
    }
}
