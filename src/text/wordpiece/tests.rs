//! The crate is the specification: whatever the text and the settings, ids, places and word numbers are its own.
//!
//! `HEARKEN_FUZZ_STRINGS` sets how many random strings are compared, `HEARKEN_PUBLIC_DATA` names a folder of JSONL files whose
//! `text` fields are compared as well.

use super::*;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A tokenizer as the encoder uses it.
fn tokenizer(model: &str) -> Tokenizer {
    changed(model, |_| {})
}

/// The same with another `tokenizer.json`.
fn changed(model: &str, change: impl FnOnce(&mut Value)) -> Tokenizer {
    let file = Path::new(ROOT).join("models").join(model).join("tokenizer.json");
    let mut json: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    json["truncation"] = Value::Null;
    json["padding"] = Value::Null;
    change(&mut json);
    let mut tokenizer = Tokenizer::from_bytes(json.to_string()).unwrap();
    tokenizer.set_encode_special_tokens(true);
    tokenizer
}

/// How many random texts a test compares.
fn strings() -> usize {
    std::env::var("HEARKEN_FUZZ_STRINGS").map_or(10_000, |strings| strings.parse().unwrap())
}

/// Both tokenizers, and how much they were compared.
struct Comparison {
    tokenizer: Tokenizer,
    ours: WordPiece,
    pieces: Vec<Piece>,
    texts: usize,
    tokens: usize,
}

impl Comparison {
    fn new(tokenizer: Tokenizer) -> Self {
        Self { ours: WordPiece::of(&tokenizer).unwrap(), tokenizer, pieces: Vec::new(), texts: 0, tokens: 0 }
    }

    fn check(&mut self, text: &str) {
        let encoding = self.tokenizer.encode(text, false).unwrap();
        let places = encoding.get_offsets().iter().zip(encoding.get_word_ids());
        let wanted = encoding.get_ids().iter().zip(places).map(|(&id, (&(start, end), word))| Piece {
            id,
            span: Span { start, end },
            word: word.unwrap(),
        });
        let wanted: Vec<Piece> = wanted.collect();
        self.ours.encode(text, &mut self.pieces).unwrap();
        if self.pieces != wanted {
            let at = self.pieces.iter().zip(&wanted).take_while(|(got, wanted)| got == wanted).count();
            let settings = (self.ours.normalizer, self.ours.max_word_characters);
            panic!("{text:?} with {settings:?}, piece {at}\n   got {:?}\nwanted {:?}", self.pieces.get(at..), wanted.get(at..));
        }
        self.texts += 1;
        self.tokens += wanted.len();
    }

    fn report(&self, what: &str) {
        println!("{what}: {} texts, {} tokens, all equal", self.texts, self.tokens);
    }
}

fn jsonl_texts(folder: &Path, texts: &mut Vec<String>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            jsonl_texts(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "jsonl") {
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                texts.extend(line.get("text").and_then(Value::as_str).map(str::to_owned));
            }
        }
    }
}

#[test]
fn messages_equal_the_crate() {
    let mut folders = vec![Path::new(ROOT).join("training-data")];
    folders.extend(std::env::var_os("HEARKEN_PUBLIC_DATA").map(PathBuf::from));
    for folder in folders {
        let mut texts = Vec::new();
        jsonl_texts(&folder, &mut texts);
        assert!(!texts.is_empty(), "{}", folder.display());
        let mut comparison = Comparison::new(tokenizer("storefront-en"));
        for text in &texts {
            comparison.check(text);
        }
        // Many messages as one text, so that offsets are large and words many.
        texts.chunks(100).for_each(|texts| comparison.check(&texts.join("\n")));
        comparison.report(&folder.display().to_string());
    }
}

#[test]
fn odd_texts_equal_the_crate() {
    let mut comparison = Comparison::new(tokenizer("storefront-en"));
    let long = ["a".repeat(100), "a".repeat(101), "€".repeat(100), "€".repeat(101), "é".repeat(100), "e\u{301}".repeat(101)];
    let odd = [
        "",
        " ",
        "\t\r\n",
        "\0",
        "\u{7f}",
        "\u{b}",
        "a\u{b}b",
        "a\u{c}b",
        "a\0b",
        "\0a",
        "a\0",
        "\0 \0",
        "a\u{85}b",
        "a\u{a0}b",
        "a\u{2028}b",
        "[CLS]",
        "[cls] [SEP][MASK]",
        "x[SEP]y",
        "##ing",
        "a##ing",
        "##",
        "[UNK]",
        "[unused1]",
        "...",
        "I’m",
        "“so—what”",
        "£12.50",
        "🙂🙂",
        "e\u{301}",
        "\u{301}e",
        " \u{301}",
        "\u{344}\u{323}",
        "a\u{323}\u{344}",
        "İstanbul",
        "ǅ ß ẞ K Å",
        "中文 and漢字!",
        "각 각",
        "a\u{200d}b",
        "👩\u{200d}🚀",
        "❤\u{fe0f}",
        "\u{feff}hi",
        "\u{fffd}",
        "x\u{e0061}y",
        "สวัสดี",
        "السلام عليكم",
        "ﬁne ½ ²",
        "don't!!!!",
    ];
    for text in odd.into_iter().chain(long.iter().map(String::as_str)) {
        comparison.check(text);
    }
    comparison.report("odd texts");
}

#[test]
fn every_character_equals_the_crate() {
    let mut comparison = Comparison::new(tokenizer("storefront-en"));
    let last = if std::env::var_os("HEARKEN_FUZZ_STRINGS").is_some() { char::MAX } else { '\u{2fff}' };
    for c in '\0'..=last {
        comparison.check(&format!("go {c}A{c} ing{c}"));
    }
    let simple: Vec<char> = ('\0'..='\u{7f}').chain(COMMON.chars()).collect();
    for a in &simple {
        for b in &simple {
            comparison.check(&format!("{a}{b} A{a}{b}x"));
        }
    }
    comparison.report("characters");
}

/// Most common characters have a class of their own, so that they do not send a chunk to the crate.
#[test]
fn common_characters_are_not_foreign() {
    let ours = WordPiece::of(&tokenizer("storefront-en")).unwrap();
    let foreign: String = ours.common.iter().filter(|(_, class)| *class == Class::Foreign).map(|(c, _)| *c).collect();
    assert_eq!(foreign, "");
    assert_eq!(
        [ours.class('a'), ours.class('A'), ours.class('’'), ours.class('€')],
        [Class::Letter, Class::Letter, Class::Punctuation, Class::Letter]
    );
    assert_eq!([ours.class('\0'), ours.class('é'), ours.class('中')], [Class::Foreign; 3]);
}

const RANGES: [(char, char); 20] = [
    ('\0', '\u{1f}'),
    (' ', '\u{7f}'),
    ('\u{80}', '\u{ff}'),
    ('\u{100}', '\u{24f}'),
    ('\u{300}', '\u{36f}'),
    ('\u{370}', '\u{52f}'),
    ('\u{590}', '\u{6ff}'),
    ('\u{900}', '\u{97f}'),
    ('\u{e00}', '\u{e7f}'),
    ('\u{f00}', '\u{fbc}'),
    ('\u{1100}', '\u{11ff}'),
    ('\u{1e00}', '\u{1fff}'),
    ('\u{2000}', '\u{206f}'),
    ('\u{20a0}', '\u{20ff}'),
    ('\u{3000}', '\u{30ff}'),
    ('\u{4e00}', '\u{4e20}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{ffff}'),
    ('\u{1f300}', '\u{1faff}'),
    ('\0', char::MAX),
];

const FRAGMENTS: [&str; 36] = [
    "where",
    "is",
    "my",
    "Order",
    "KX-20418",
    "refund",
    "don't",
    "ing",
    "##ing",
    "##",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "[UNK]",
    "[PAD]",
    "[",
    "]",
    "£9.99",
    "I’m",
    "“",
    "…",
    " ",
    "  ",
    "\t",
    "\n",
    "\u{a0}",
    "\u{200b}",
    "\u{200d}",
    "\u{feff}",
    "\u{fe0f}",
    "👩\u{200d}💻",
    "é",
    "e\u{301}",
    "\0",
    "漢字",
    "한국",
];

fn random_text(random: &mut ChaCha8Rng) -> String {
    let mut text = String::new();
    let separator = *["", "", " "].choose(random).unwrap();
    for _ in 0..random.random_range(0..24) {
        match random.random_range(0..12) {
            0..4 => text.push_str(FRAGMENTS.choose(random).unwrap()),
            4..6 => text.push(random.random_range(' '..='~')),
            6 => text.push(COMMON.chars().nth(random.random_range(0..COMMON.chars().count())).unwrap()),
            7 if random.random_ratio(1, 8) => {
                let letter = *["a", "Ab1", "€", "é", "a\u{301}", "\u{1f600}"].choose(random).unwrap();
                text.push_str(&letter.repeat(random.random_range(30..130)));
            }
            8 => text.extend((0..random.random_range(1..10)).map(|_| random.random_range('a'..='z'))),
            _ => {
                let &(first, last) = RANGES.choose(random).unwrap();
                text.extend((0..random.random_range(1..4)).map(|_| random.random_range(first..=last)));
            }
        }
        text.push_str(separator);
    }
    text
}

#[test]
fn random_texts_equal_the_crate() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut comparison = Comparison::new(tokenizer("storefront-en"));
    for _ in 0..strings() {
        comparison.check(&random_text(&mut random));
    }
    comparison.report("random texts");
}

#[test]
fn every_setting_equals_the_crate() {
    let strings = strings() / 48;
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for setting in 0..48 {
        let is = |bit: u32| setting >> bit & 1 == 1;
        let tokenizer = changed("storefront-en", |json| {
            let accents = [None, Some(false), Some(true)][setting / 16];
            json["normalizer"] = serde_json::json!({
                "type": "BertNormalizer", "clean_text": is(0), "handle_chinese_chars": is(1), "strip_accents": accents, "lowercase": is(2),
            });
            if is(3) {
                let model = &mut json["model"];
                model["continuing_subword_prefix"] = (*["", "t", "no such prefix"].choose(&mut random).unwrap()).into();
                model["unk_token"] = "the".into();
                model["max_input_chars_per_word"] = random.random_range(0..20).into();
            }
        });
        let mut comparison = Comparison::new(tokenizer);
        for _ in 0..strings {
            comparison.check(&random_text(&mut random));
        }
        ('\0'..='\u{24f}').for_each(|c| comparison.check(&format!("go {c}A{c} ing{c}")));
        comparison.report(&format!("{:?}", comparison.ours.normalizer));
    }
}

#[test]
fn other_tokenizers_are_refused() {
    use serde_json::json;
    let accepted = |key: &str, value: Value| WordPiece::of(&changed("tiny", |json| json[key] = value)).is_some();
    let special = json!({"[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}});
    let template = |single: Value| json!({"type": "TemplateProcessing", "single": single, "pair": [], "special_tokens": special});
    let (text, end) = (json!({"Sequence": {"id": "A", "type_id": 0}}), json!({"SpecialToken": {"id": "[SEP]", "type_id": 0}}));
    let added = |special: bool| json!([{"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": special}]);
    assert!(accepted("post_processor", Value::Null));
    assert!(accepted("post_processor", json!({"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]})));
    assert!(accepted("post_processor", template(json!([text, end]))));
    assert!(accepted("added_tokens", added(true)));
    for (key, value) in [
        ("post_processor", template(json!([text, end, text]))),
        ("post_processor", template(json!([end]))),
        ("post_processor", json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true})),
        ("added_tokens", added(false)),
        ("truncation", json!({"max_length": 128, "strategy": "LongestFirst", "stride": 0})),
        (
            "padding",
            json!({"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}),
        ),
        ("normalizer", Value::Null),
        ("normalizer", json!({"type": "Sequence", "normalizers": []})),
        ("pre_tokenizer", json!({"type": "Whitespace"})),
        ("model", json!({"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"})),
        (
            "model",
            json!({"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9}),
        ),
    ] {
        assert!(!accepted(key, value.clone()), "{key}: {value}");
    }
    let mut typed = tokenizer("tiny");
    typed.set_encode_special_tokens(false);
    assert!(WordPiece::of(&typed).is_none(), "`[SEP]` in a text is the special token");
}
