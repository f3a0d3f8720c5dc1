//! `hearken data` as its users run it.

use crate::shop::repository;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

fn data(args: &[&str]) -> (Output, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    let output = command.arg("data").args(args).current_dir(repository(".")).output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, text)
}

fn write(folder: &Path, name: &str, lines: &[&str]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(name), lines.join("\n") + "\n").unwrap();
}

fn lines(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display())).lines().map(str::to_owned).collect()
}

fn rows(file: &Path) -> Vec<Value> {
    lines(file).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_split_keeps_every_row_as_it_stands_and_leaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let source = repository("training-data/storefront-en");
    for out in [&one, &two] {
        let (output, text) = data(&["split", source.to_str().unwrap(), "--out", out.to_str().unwrap(), "--seed", "3"]);
        assert!(output.status.success() && text.contains("track_order"), "{text}");
    }
    let mut all: Vec<String> = ["train", "valid", "test"].iter().flat_map(|split| lines(&one.join(format!("{split}.jsonl")))).collect();
    let mut before: Vec<String> =
        ["train", "valid", "test"].iter().flat_map(|split| lines(&source.join(format!("{split}.jsonl")))).collect();
    all.sort();
    before.sort();
    assert!(all == before, "rows were lost or changed");
    for split in ["train", "valid", "test"] {
        assert_eq!(lines(&one.join(format!("{split}.jsonl"))), lines(&two.join(format!("{split}.jsonl"))), "the same again");
    }
    let mut shares: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for (side, split) in ["train", "test"].iter().enumerate() {
        for row in rows(&one.join(format!("{split}.jsonl"))) {
            shares.entry(row["intent"].to_string()).or_default()[side] += 1.0;
        }
    }
    for (intent, [train, test]) in shares.into_iter().filter(|(_, [train, _])| *train >= 80.0) {
        assert!((test / train - 0.125).abs() < 0.05, "{intent}: {train} in train, {test} in test");
    }
    let (output, text) = data(&["check", one.to_str().unwrap()]);
    assert!(output.status.success(), "{text}");
    let (output, text) = data(&["split", source.to_str().unwrap(), "--out", one.to_str().unwrap()]);
    assert!(output.status.code() == Some(1) && text.contains("--force"), "{text}");
    let (output, text) = data(&["split", source.to_str().unwrap(), "--out", one.to_str().unwrap(), "--test", "0", "--force"]);
    assert!(output.status.success() && !one.join("test.jsonl").exists(), "{text}");
    let (output, text) = data(&["split", source.to_str().unwrap(), "--out", source.to_str().unwrap(), "--force"]);
    assert!(output.status.code() == Some(1) && text.contains("read from"), "{text}");
}

#[test]
fn redaction_replaces_people_and_keeps_entities() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("in"), folder.path().join("out"));
    let train = [
        r#"{"text": "\ud83d\ude00 I'm ines.p@example.org, the red kettle is broken", "intent": "refund", "entities": [{"start": 6, "end": 24, "label": "email"}, {"start": 30, "end": 33, "label": "color"}, {"start": 34, "end": 40, "label": "product"}], "price": 12.50}"#,
        r#"{"text": "card 4111 1111 1111 1111, iban DE89 3704 0044 0532 0130 00, call +44 7700 900915"}"#,
        r#"{"text": "My name is Ines Palme", "conversation": "7", "entities": [{"start": 11, "end": 21, "label": "person"}]}"#,
        r#"{"text": "it is for Ines", "conversation": "7", "context": [{"role": "agent", "text": "Thanks, Ms Palme. One moment"}], "note": "a@b.co"}"#,
        r#"{"text": "nobody is named here", "conversation": "x@y.org", "id": 12345678901234567890123}"#,
    ];
    write(&source, "train.jsonl", &train);
    let (output, text) = data(&["redact", source.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{text}");
    for (kind, count) in [("EMAIL", 3), ("CARD", 1), ("IBAN", 1), ("PHONE", 1), ("NAME", 3)] {
        assert!(text.lines().any(|line| line.split_whitespace().eq([kind, &count.to_string()])), "{kind} {count} in\n{text}");
    }
    let rows = rows(&out.join("train.jsonl"));
    assert_eq!(rows[0]["text"], "\u{1f600} I'm [EMAIL], the red kettle is broken");
    let slice = |row: &Value, index: usize| {
        let entity = &row["entities"][index];
        let (start, end) = (entity["start"].as_u64().unwrap(), entity["end"].as_u64().unwrap());
        row["text"]
            .as_str()
            .unwrap()
            .chars()
            .enumerate()
            .filter(|(at, _)| (start..end).contains(&(*at as u64)))
            .map(|(_, c)| c)
            .collect::<String>()
    };
    assert_eq!([slice(&rows[0], 0), slice(&rows[0], 1), slice(&rows[0], 2)], ["[EMAIL]", "red", "kettle"]);
    assert_eq!(rows[1]["text"], "card [CARD], iban [IBAN], call [PHONE]");
    assert_eq!((&rows[2]["text"], slice(&rows[2], 0)), (&Value::from("My name is [NAME]"), "[NAME]".to_owned()));
    assert_eq!((&rows[3]["text"], &rows[3]["note"]), (&Value::from("it is for [NAME]"), &Value::from("[EMAIL]")));
    assert_eq!(rows[3]["context"][0]["text"], "Thanks, Ms [NAME]. One moment");
    let raw = lines(&out.join("train.jsonl"));
    assert!(raw[0].contains("\"price\": 12.50") && raw[4].contains("12345678901234567890123"), "{raw:?}");
    assert!(!raw[4].contains("x@y.org") && rows[4]["conversation"].as_str().unwrap().starts_with("conversation-"), "{raw:?}");
    let (output, text) = data(&["check", out.to_str().unwrap()]);
    assert!(output.status.success(), "offsets are right: {text}");
}

#[test]
fn pseudonyms_are_the_same_for_the_same_under_one_seed() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("in");
    write(&source, "train.jsonl", &[r#"{"text": "I am ines.p@example.org"}"#, r#"{"text": "again INES.P@example.org, +44 7700 900915"}"#]);
    let run = |out: &str, seed: &[&str]| {
        let out = folder.path().join(out);
        let (output, text) = data(&[&["redact", source.to_str().unwrap(), "--out", out.to_str().unwrap(), "--pseudonyms"], seed].concat());
        assert!(output.status.success(), "{text}");
        lines(&out.join("train.jsonl"))
    };
    let (a, again, other, random) = (run("a", &["--seed", "s"]), run("b", &["--seed", "s"]), run("c", &["--seed", "t"]), run("d", &[]));
    assert_eq!(a, again);
    assert!(a != other && a != random);
    let address = a[0].split(['"', ' ']).find(|word| word.contains('@')).unwrap();
    assert!(a[1].contains(address) && !a.concat().contains("ines.p") && !a.concat().contains("900915"), "{a:?}");
    let (output, text) = data(&["redact", source.to_str().unwrap(), "--out", "x", "--seed", "s"]);
    assert!(output.status.code() == Some(2), "{text}");
}

#[test]
fn check_summarises_and_speaks_json() {
    let folder = tempfile::tempdir().unwrap();
    let many: Vec<String> =
        (0..30).flat_map(|n| vec![format!("{{\"text\": \"message {}\", \"intent\": \"a\"}}", "x".repeat(n + 1)); 2]).collect();
    write(folder.path(), "train.jsonl", &many.iter().map(String::as_str).collect::<Vec<_>>());
    let path = folder.path().to_str().unwrap();
    let (output, text) = data(&["check", path]);
    assert!(output.status.success(), "{text}");
    assert_eq!(text.matches("warning: duplicate of").count(), 10);
    assert!(text.contains("... and 20 more of duplicate") && text.ends_with("0 errors, 30 warnings\n"), "{text}");
    assert_eq!(data(&["check", path, "--first", "0"]).1.matches("warning: duplicate of").count(), 30);
    assert_eq!(data(&["check", path, "--strict"]).0.status.code(), Some(1));
    let (_, text) = data(&["check", path, "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["summary"]["kinds"]["duplicate"], report["findings"].as_array().unwrap().len()), (&Value::from(30), 30));
    assert_eq!((&report["findings"][0]["line"], &report["findings"][0]["severity"]), (&Value::from(2), &Value::from("warning")));
}

/// Work that grows with the square of the rows would not end within anybody's patience.
#[test]
fn a_hundred_thousand_rows_are_no_trouble() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for n in 0..100_000u32 {
        let (a, b) = (n % 317, n / 317);
        writeln!(text, "{{\"text\": \"please tell me where parcel number w{a} of customer q{b} is now\", \"intent\": \"i{}\", \"conversation\": \"{}\"}}", n % 70, n / 3).unwrap();
    }
    std::fs::write(folder.path().join("train.jsonl"), text).unwrap();
    let (output, text) = data(&["check", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{text}");
    let out = folder.path().join("out");
    let (output, text) = data(&["split", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(output.status.success(), "{text}");
}

#[test]
fn suggestions_are_for_review_and_are_no_labels() {
    let folder = tempfile::tempdir().unwrap();
    let (source, out) = (folder.path().join("in"), folder.path().join("out"));
    let open = [
        r#"{"text": "where is my order A-10293", "x": 1.50}"#,
        r#"{"text": "hello", "intent": "greeting", "entities": [], "sentiment": "neutral", "emotions": []}"#,
        r#"{"text": "I answer", "speaker": "agent"}"#,
        r#"{"text": "this is awful", "intent": "complaint"}"#,
    ];
    write(&source, "train.jsonl", &open);
    let (output, text) = data(&["label", "tiny", source.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert!(output.status.success() && text.contains("2 rows to review; 1 have every label"), "{text}");
    let rows = rows(&out.join("train.jsonl"));
    assert_eq!(rows.len(), 2);
    let order = rows.iter().find(|row| row["x"] == 1.5).unwrap();
    assert!(order["intent"].is_null() && order["suggested"]["intent"].is_string() && order["confidence"]["intent"].is_f64(), "{order}");
    let complaint = rows.iter().find(|row| row["text"] == "this is awful").unwrap();
    assert!(complaint["intent"] == "complaint" && complaint["suggested"]["intent"].is_null(), "{complaint}");
    let least =
        |row: &Value| ["intent", "entities", "sentiment"].iter().filter_map(|part| row["confidence"][part].as_f64()).fold(1.0, f64::min);
    assert!(least(&rows[0]) <= least(&rows[1]), "the least sure comes first: {rows:?}");

    let messages = folder.path().join("messages.txt");
    std::fs::write(&messages, "where is it\n\n thanks \n").unwrap();
    let more = folder.path().join("more");
    let (output, text) = data(&["label", "tiny", messages.to_str().unwrap(), "--out", more.to_str().unwrap(), "--min-score", "1"]);
    assert!(output.status.success(), "{text}");
    let rows = self::rows(&more.join("messages.jsonl"));
    assert!(rows.len() == 2 && rows.iter().all(|row| row["suggested"]["intent"].is_null()), "{rows:?}");
    let (output, text) = data(&["label", "tiny", messages.to_str().unwrap(), "--out", more.to_str().unwrap(), "--min-score", "2"]);
    assert!(output.status.code() == Some(1) && text.contains("--min-score"), "{text}");
}

#[test]
fn a_wrong_line_stops_a_command_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "train.jsonl", &[r#"{"text": "a"}"#, "nonsense"]);
    let out = folder.path().join("out");
    for command in [vec!["split"], vec!["redact"], vec!["label", "tiny"]] {
        let (output, text) = data(&[&command[..], &[folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()]].concat());
        assert!(output.status.code() == Some(1) && text.contains("train.jsonl:2"), "{command:?}: {text}");
    }
    assert!(!out.exists(), "nothing is begun");
}

#[test]
fn copies_are_added_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let source = repository("training-data/storefront-en");
    for out in [&one, &two] {
        let (output, text) =
            data(&["augment", source.to_str().unwrap(), "--out", out.to_str().unwrap(), "--values", "1", "--distorted", "2"]);
        assert!(output.status.success() && text.contains("copies"), "{text}");
    }
    for split in ["train", "valid", "test"] {
        assert!(lines(&one.join(format!("{split}.jsonl"))) == lines(&two.join(format!("{split}.jsonl"))), "the same seed, the same rows");
    }
    assert!(lines(&one.join("test.jsonl")) == lines(&source.join("test.jsonl")));
    let (before, after) = (lines(&source.join("train.jsonl")), lines(&one.join("train.jsonl")));
    let copied: std::collections::HashSet<&String> = after.iter().collect();
    assert!(before.iter().all(|line| copied.contains(line)) && after.len() > 3 * before.len(), "{} of {}", after.len(), before.len());
    let (output, text) = data(&["check", one.to_str().unwrap()]);
    assert!(text.contains("near-duplicate") && !text.contains(" row  "), "the copies' entities lie in their texts: {text}");
    assert!(output.status.code().is_some());
    let (output, text) = data(&["augment", one.to_str().unwrap(), "--out", two.to_str().unwrap(), "--kinds", "shouting"]);
    assert!(output.status.code() == Some(2) && text.contains("capitals"), "{text}");
}

#[test]
fn templates_and_similar_texts_are_told_and_can_be_denied() {
    let folder = tempfile::tempdir().unwrap();
    let of = |item: &str| {
        let end = 17 + item.len();
        format!(
            "{{\"text\": \"do you still have {item} in the shop\", \"intent\": \"a\", \"entities\": [{{\"start\": 18, \"end\": {}, \"label\": \"product\"}}]}}",
            end + 1
        )
    };
    write(folder.path(), "train.jsonl", &[&of("kettles"), &of("red mugs")]);
    write(folder.path(), "test.jsonl", &["{\"text\": \"do you still have the kettles in the shop\", \"intent\": \"a\"}"]);
    let path = folder.path().to_str().unwrap();
    let (output, text) = data(&["check", path]);
    assert!(output.status.success() && text.contains("train.jsonl:2: warning") && text.contains("values of its entities"), "{text}");
    let (output, text) = data(&["check", path, "--deny", "template"]);
    assert!(output.status.code() == Some(1), "{text}");
    let (output, text) = data(&["check", path, "--embed", "tiny", "--similarity", "0.5", "--deny", "similar"]);
    assert!(output.status.code() == Some(1) && text.contains("test.jsonl:1") && text.contains("cosine"), "{text}");
    let (output, text) = data(&["check", path, "--deny", "nonsense"]);
    assert!(output.status.code() == Some(2) && text.contains("near-duplicate"), "{text}");
}
