//! Encoding on any text: offsets that are exact, words that do not overlap, and nothing that panics.

use crate::shop::model;
use hearken::model::LoadedModel;
use hearken::text::{OffsetUnit, Utterance};
use proptest::prelude::*;
use std::sync::LazyLock;

static MODEL: LazyLock<LoadedModel> = LazyLock::new(|| model("storefront-en"));

fn check(text: &str) {
    let Ok(utterance) = Utterance::new(text) else { return };
    let encoded = MODEL.text.encode(&utterance, &[]).unwrap();
    assert_eq!(encoded.ids.len(), encoded.segments.len());
    assert!(encoded.ids.len() <= MODEL.manifest.max_tokens);
    let mut end = 0;
    for word in &encoded.words {
        assert!(text.get(word.span.start..word.span.end).is_some_and(|slice| !slice.is_empty()), "{text:?}: {word:?}");
        assert!(word.span.start >= end, "{text:?}: words overlap at {word:?}");
        assert!(word.token > 0 && word.token < encoded.ids.len() - 1, "{text:?}: {word:?} is a special token");
        end = word.span.end;
        for unit in [OffsetUnit::Codepoint, OffsetUnit::Utf16] {
            let (start, end) = word.span.offsets(text, unit);
            assert_eq!(hearken::text::Span::from_offsets(text, start, end, unit), Ok(word.span));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn words_are_exact_in_any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn words_are_exact_among_emoji_marks_directions_and_joiners(
        text in "([a-z0-9 .,!#-]|\u{1f600}|\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}|e\u{301}|n\u{303}|\u{5e9}\u{5dc}\u{5d5}\u{5dd}|\u{645}\u{631}\u{62d}|\u{200b}|\u{200f}|\u{feff}|\u{4f60}\u{597d}|\u{1f3fd}|\u{fe0f}){1,40}"
    ) {
        check(&text);
    }
}

#[test]
fn special_tokens_of_a_customer_are_text() {
    let encode = |text: &str| MODEL.text.encode(&Utterance::new(text).unwrap(), &[]).unwrap();
    let sep = *encode("hi").ids.last().unwrap();
    assert_eq!(encode("hi [SEP] there").ids.iter().filter(|id| **id == sep).count(), 1);
}

#[test]
fn a_long_message_is_cut_and_says_so() {
    let encoded = MODEL.text.encode(&Utterance::new("parcel ".repeat(2000)).unwrap(), &[]).unwrap();
    assert!(encoded.truncated);
    assert_eq!(encoded.ids.len(), MODEL.manifest.max_tokens);
}

#[test]
fn context_is_the_second_segment_and_the_newest_turns_stay() {
    let tiny = model("tiny");
    let say = |text: &str| Utterance::new(text).unwrap();
    let turns = [say("where where where where where where where where where where where where"), say("hello hello"), say("my order")];
    let encoded = tiny.text.encode(&say("hi"), &turns).unwrap();
    let context = encoded.segments.iter().filter(|segment| **segment == 1).count();
    assert_eq!(context, 3 + 3 + 13, "all three turns fit into 24 tokens");
    let more = [turns[0].clone(), turns[0].clone(), turns[1].clone()];
    let encoded = tiny.text.encode(&say("hi"), &more).unwrap();
    assert_eq!(encoded.segments.iter().filter(|segment| **segment == 1).count(), 3 + 13, "the oldest turn is left out whole");
    assert_eq!(encoded.words.len(), 1, "entities are read from the message alone");
}
