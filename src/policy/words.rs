//! Sentences for the customer: acknowledgements by language and emotion, and what buttons could say.

use super::decision::QuickReply;
use crate::heads::{Prediction, Status};
use std::collections::BTreeMap;

/// By language, then by emotion or intent.
pub type Sentences = BTreeMap<String, BTreeMap<String, String>>;

/// The language that is spoken where no other is known.
const LANGUAGE: &str = "en";
/// What is said where the file says nothing.
const FALLBACK: &str = "Let me connect you with a colleague who can help.";
/// The sentence of a language for a shop that is closed; `{opens}` stands for the time it opens.
pub const CLOSED: &str = "closed";
/// Where the time goes.
pub const OPENS: &str = "{opens}";
/// The sentence for every emotion that has none.
const DEFAULT: &str = "default";
/// Most quick replies.
const REPLIES: usize = 3;

/// The sentences of a language: of the tag, of its first parts, of English, of any.
fn spoken<'a>(sentences: &'a Sentences, language: Option<&str>) -> Option<&'a BTreeMap<String, String>> {
    let tag = language.map(|tag| tag.replace('_', "-")).unwrap_or_default();
    let find =
        |wanted: &str| sentences.iter().find(|(name, _)| name.replace('_', "-").eq_ignore_ascii_case(wanted)).map(|(_, found)| found);
    // Shorter by a part each time, as RFC 4647 looks tags up.
    let mut shorter = std::iter::successors(Some(tag.as_str()), |tag| tag.rsplit_once('-').map(|(rest, _)| rest));
    shorter.find_map(find).or_else(|| find(LANGUAGE)).or_else(|| sentences.values().next())
}

/// The sentence for the strongest emotion that has one, or for a closed shop. Never empty.
#[must_use]
pub fn acknowledgement(sentences: &Sentences, language: Option<&str>, prediction: &Prediction, opens: Option<&str>) -> String {
    let sentences = spoken(sentences, language);
    if let (Some(opens), Some(closed)) = (opens, sentences.and_then(|sentences| sentences.get(CLOSED))) {
        return closed.replace(OPENS, opens);
    }
    let mut emotions = prediction.emotions.iter().flatten().filter(|emotion| emotion.present);
    let by_emotion = emotions.find_map(|emotion| sentences?.get(&emotion.name));
    by_emotion.or_else(|| sentences?.get(DEFAULT)).map_or(FALLBACK, String::as_str).to_owned()
}

/// The best intents of an ambiguous message, in words.
#[must_use]
pub fn quick_replies(sentences: &Sentences, language: Option<&str>, prediction: &Prediction) -> Vec<QuickReply> {
    let Some(intent) = prediction.intent.as_ref().filter(|intent| intent.status == Status::Ambiguous) else { return Vec::new() };
    let words = spoken(sentences, language);
    let reply = |(name, _): &(String, f32)| {
        let text = words.and_then(|words| words.get(name)).cloned();
        QuickReply { intent: name.clone(), text: text.unwrap_or_else(|| title(name)) }
    };
    intent.ranking.iter().take(REPLIES).map(reply).collect()
}

/// `track_order` as `Track order`.
fn title(name: &str) -> String {
    let words = name.replace(['_', '-'], " ");
    let mut characters = words.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences() -> Sentences {
        let of = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        BTreeMap::from([
            ("de".to_owned(), of(&[("default", "Einen Moment."), ("closed", "Wir sind ab {opens} wieder da.")])),
            ("en".to_owned(), of(&[("default", "One moment."), ("anger", "I'm sorry.")])),
            ("pt-BR".to_owned(), of(&[("default", "Um momento.")])),
        ])
    }

    #[test]
    fn the_language_is_the_tag_its_first_part_or_english() {
        let say = |language| acknowledgement(&sentences(), language, &Prediction::default(), None);
        assert_eq!(say(Some("de-AT")), "Einen Moment.");
        assert_eq!(say(Some("pt-br")), "Um momento.");
        assert_eq!(say(Some("fr")), "One moment.");
        assert_eq!(say(None), "One moment.");
        assert_eq!(acknowledgement(&Sentences::new(), Some("de"), &Prediction::default(), None), FALLBACK);
    }

    #[test]
    fn a_closed_shop_says_when_it_opens_where_it_has_the_words() {
        let say = |language| acknowledgement(&sentences(), Some(language), &Prediction::default(), Some("Mon 09:00"));
        assert_eq!(say("de"), "Wir sind ab Mon 09:00 wieder da.");
        assert_eq!(say("en"), "One moment.");
    }

    #[test]
    fn a_button_without_words_says_the_intent() {
        assert_eq!(title("track_order"), "Track order");
        assert_eq!(title(""), "");
    }
}
