//! What formats say beside their examples: synonyms, values of entities, regular expressions. It is kept in `lexicon.json`.

use serde::Serialize;
use std::collections::BTreeMap;

/// Words and what they stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lexicon {
    /// Value → words that stand for it, whatever the entity.
    synonyms: Synonyms,
    /// Entity → value → words that stand for it.
    lookup: BTreeMap<String, Synonyms>,
    /// Entity → regular expressions.
    regex: BTreeMap<String, Vec<String>>,
}

/// Values and the words that stand for them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Synonyms {
    words: BTreeMap<String, Vec<String>>,
    value_of: BTreeMap<String, String>,
}

impl Serialize for Synonyms {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words.serialize(serializer)
    }
}

impl Synonyms {
    fn add(&mut self, value: &str, word: &str) -> Result<(), String> {
        if value == word {
            self.words.entry(value.to_owned()).or_default();
            return Ok(());
        }
        match self.value_of.get(word) {
            Some(known) if known == value => return Ok(()),
            Some(known) => return Err(format!("`{word}` stands for `{known}` already and cannot stand for `{value}` too")),
            None => {}
        }
        let mut circle = vec![word, value];
        let mut end = value;
        while let Some(next) = self.value_of.get(end) {
            circle.push(next);
            if next == word {
                return Err(format!("the synonyms go in a circle: `{}`; say which of them is the value", circle.join("` → `")));
            }
            end = next;
        }
        self.value_of.insert(word.to_owned(), value.to_owned());
        self.words.entry(value.to_owned()).or_default().push(word.to_owned());
        Ok(())
    }
}

impl Lexicon {
    pub(super) fn synonym(&mut self, value: &str, word: &str) -> Result<(), String> {
        self.synonyms.add(value, word)
    }

    pub(super) fn value<'w>(&mut self, entity: &str, value: &str, words: impl IntoIterator<Item = &'w str>) -> Vec<String> {
        let of_entity = self.lookup.entry(entity.to_owned()).or_default();
        let own = of_entity.add(value, value).err();
        let wrong = own.into_iter().chain(words.into_iter().filter_map(|word| of_entity.add(value, word).err()));
        wrong.map(|detail| format!("entity `{entity}`: {detail}")).collect()
    }

    pub(super) fn regex(&mut self, name: &str, pattern: &str) {
        let of_name = self.regex.entry(name.to_owned()).or_default();
        if !of_name.iter().any(|known| known == pattern) {
            of_name.push(pattern.to_owned());
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.synonyms.words.is_empty() && self.lookup.is_empty() && self.regex.is_empty()
    }

    /// Words with a value of their own, entities with values, and regular expressions.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let words = self.lookup.values().chain([&self.synonyms]).map(|of_entity| of_entity.value_of.len()).sum();
        (words, self.lookup.len(), self.regex.values().map(Vec::len).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_and_contradictions_are_refused() {
        let mut lexicon = Lexicon::default();
        assert_eq!(lexicon.synonym("b", "a"), Ok(()));
        assert_eq!(lexicon.synonym("c", "b"), Ok(()));
        assert_eq!(lexicon.synonym("c", "b"), Ok(()));
        let circle = lexicon.synonym("a", "c").unwrap_err();
        assert_eq!(circle, "the synonyms go in a circle: `c` → `a` → `b` → `c`; say which of them is the value");
        assert!(lexicon.synonym("d", "a").unwrap_err().contains("`a` stands for `b` already"));
        assert_eq!(lexicon.value("size", "large", ["big", "large"]), Vec::<String>::new());
        assert_eq!(
            serde_json::to_string(&lexicon).unwrap(),
            r#"{"synonyms":{"b":["a"],"c":["b"]},"lookup":{"size":{"large":["big"]}},"regex":{}}"#
        );
    }
}
