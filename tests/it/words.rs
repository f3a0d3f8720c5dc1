//! Words and their places whatever the tokenizer: word pieces, byte-level pairs, unigrams.

use crate::bases::{MOST, fixture, fixtures, utterance};
use hearken::text::{OffsetUnit, Span, TextEncoder, Utterance};
use proptest::prelude::*;

fn check_words(name: &str, tokens: &TextEncoder, text: &str) {
    let Ok(utterance) = Utterance::new(text) else { return };
    let encoded = tokens.encode(&utterance, &[]).unwrap();
    assert!(encoded.ids.len() <= MOST);
    let mut end = 0;
    for word in &encoded.words {
        let slice = text.get(word.span.start..word.span.end).unwrap_or_else(|| panic!("{name}, {text:?}: {word:?} cuts a character"));
        assert!(!slice.is_empty() && slice.trim() == slice, "{name}, {text:?}: {slice:?} has space around it");
        assert!(word.span.start >= end, "{name}, {text:?}: words overlap at {word:?}");
        assert!(word.token > 0 && word.token < encoded.ids.len() - 1, "{name}, {text:?}: {word:?} is a special token");
        end = word.span.end;
        let (start, end) = word.span.offsets(text, OffsetUnit::Codepoint);
        assert_eq!(Span::from_offsets(text, start, end, OffsetUnit::Codepoint), Ok(word.span));
    }
}

#[test]
fn words_are_exact_whatever_the_tokenizer() {
    for name in fixtures() {
        let tokens = TextEncoder::open(&fixture(&name).join("tokenizer.json"), MOST, 0).unwrap();
        let words = |text: &str| -> Vec<String> {
            let encoded = tokens.encode(&utterance(text), &[]).unwrap();
            encoded.words.iter().map(|word| word.span.slice(text).to_owned()).collect()
        };
        assert_eq!(words("where is  A-10293?"), ["where", "is", "A", "-", "10293", "?"], "{name}");
        assert_eq!(words("Päckchen für Zürich, naïve"), ["Päckchen", "für", "Zürich", ",", "naïve"], "{name}");
        // BERT's normalizer drops the mark, and with it its place.
        let wordpiece = ["bert", "distilbert"].contains(&name.as_str());
        assert_eq!(words("cafe\u{301} now"), [if wordpiece { "cafe" } else { "cafe\u{301}" }, "now"], "{name}");
        assert_eq!(words("broken 😡 now"), ["broken", "😡", "now"], "{name}");
        assert_eq!(words(" (order) "), ["(", "order", ")"], "{name}");
        assert_eq!(words("我的订单在哪里").concat(), "我的订单在哪里", "{name}");
        for text in
            ["\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} family", "½ price", "ﬁne", "a\tb\nc", "…", "'s", "e\u{301}\u{302}", "👍🏽👍🏽"]
        {
            check_words(&name, &tokens, text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn words_are_exact_in_any_text(text in "([a-z0-9 .,!#-]|\\PC|\u{1f600}|\u{1f468}\u{200d}\u{1f469}|e\u{301}|\u{5e9}\u{5dc}|\u{645}\u{631}|\u{200b}|\u{feff}|\u{4f60}\u{597d}|\u{1f3fd}|\u{fe0f}|\u{a8}|\u{bd}|\t){1,40}") {
        for name in ["roberta", "xlm-roberta", "deberta-v3", "modernbert", "bert"] {
            let tokens = TextEncoder::open(&fixture(name).join("tokenizer.json"), MOST, 0).unwrap();
            check_words(name, &tokens, &text);
        }
    }
}
