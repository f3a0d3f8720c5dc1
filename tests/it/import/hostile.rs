//! Broken and hostile files: each gives a report that names the place, nothing crashes, and what is sound beside it is read.
//! Small ones stand in `tests/corpus/hostile/import/`, with what must be said in `expected.json`; large and binary ones are made here.

use super::{Read, read, zipped};
use crate::shop::repository;
use hearken::data::import::{Importer, MAX_LINE, Source, find, recognise};
use serde_json::Value;
use std::io::Write as _;
use zip::write::SimpleFileOptions;

fn importer(name: &str) -> &'static dyn Importer {
    find(name).unwrap_or_else(|| panic!("no importer `{name}`"))
}

/// The file's name stands in for the path in what is said.
fn said(got: &Read) -> String {
    got.problems.join("\n")
}

#[test]
fn every_hostile_file_is_reported_and_the_rest_is_read() {
    let folder = repository("tests/corpus/hostile/import");
    let expected: serde_json::Map<String, Value> = serde_json::from_slice(&std::fs::read(folder.join("expected.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name == "expected.json" {
            continue;
        }
        let Some(case) = expected.get(&name) else {
            wrong.push(format!("{name} is not in expected.json"));
            continue;
        };
        let source = Source::bytes(&name, std::fs::read(&path).unwrap());
        let got = read(source, importer(case["format"].as_str().unwrap()));
        let rows = case["rows"].as_u64().unwrap();
        if got.rows.len() as u64 != rows {
            wrong.push(format!("{name}: {} rows, wanted {rows}", got.rows.len()));
        }
        for part in case["says"].as_array().unwrap() {
            if !got.problems.iter().any(|problem| problem.contains(part.as_str().unwrap())) {
                wrong.push(format!("{name}: nothing says {part}; said:\n  {}", got.problems.join("\n  ")));
            }
        }
        if got.problems.len() != case["says"].as_array().unwrap().len() {
            wrong.push(format!("{name}: {} problems:\n  {}", got.problems.len(), got.problems.join("\n  ")));
        }
    }
    let missing = expected.keys().filter(|name| !folder.join(name).is_file()).map(|name| format!("{name} is missing"));
    wrong.extend(missing);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(expected.len() >= 25, "{}", expected.len());
}

#[test]
fn a_line_of_two_gigabytes_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.jsonl");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"{\"text\": \"before\", \"intent\": \"a\"}\n").unwrap();
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(2 << 30)).unwrap(); // a hole, which takes no room on disk
    file.write_all(b"\n{\"text\": \"behind\", \"intent\": \"a\"}\n").unwrap();
    drop(file);
    let before = memory();
    let got = read(Source::file(&path), importer("jsonl"));
    let texts: Vec<_> = got.rows.iter().map(|imported| imported.row.text.as_str()).collect();
    assert_eq!(texts, ["before", "behind"]);
    assert!(said(&got).ends_with("train.jsonl:2: the line is longer than 16 MiB; one line is one message or one conversation"), "{got:?}");
    assert!(memory().saturating_sub(before) < 400 << 20, "the line was kept in memory");
}

#[test]
fn a_document_of_a_gigabyte_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big");
    let file = std::fs::File::create(&path).unwrap();
    file.set_len(1 << 30).unwrap();
    for name in ["rasa", "clu"] {
        let got = read(Source::file(&path), importer(name));
        assert!(
            got.rows.is_empty()
                && said(&got)
                    .ends_with("big: the file is larger than 256 MiB, the most for one document; split it, or export one object a line"),
            "{name}: {}",
            said(&got)
        );
    }
}

/// Most memory that the process has had, in bytes; 0 where the system does not tell.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1024
}

#[test]
fn a_csv_field_without_end_is_bounded() {
    let mut text = b"text,label\nfine,a\n\"open,b\n".to_vec();
    text.resize(MAX_LINE * 2, b'x');
    let got = read(Source::bytes("a.csv", text), importer("huggingface"));
    assert_eq!(got.rows.len(), 1);
    assert!(said(&got).starts_with("a.csv:3: ") && said(&got).contains("a quote may be left open"), "{}", said(&got));
}

/// A zip archive of entries.
fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const PHRASES: &[u8] = br#"[{"data": [{"text": "hello"}]}]"#;

fn agent(bytes: Vec<u8>) -> Read {
    read(Source::bytes("agent.zip", bytes), importer("dialogflow"))
}

#[test]
fn an_archive_that_is_cut_off_is_named() {
    let whole = zipped(&repository("tests/corpus/import/dialogflow/agent"));
    for length in [4, 30, whole.len() / 2, whole.len() - 1] {
        let got = agent(whole[..length].to_vec());
        assert!(said(&got).starts_with("agent.zip: the zip archive cannot be read: "), "{length}: {}", said(&got));
        assert!(got.rows.is_empty());
        let told = recognise(&Source::bytes("agent.zip", whole[..length].to_vec())).err().unwrap().to_string();
        assert!(told.starts_with("agent.zip: "), "{told}");
    }
}

#[test]
fn a_damaged_entry_is_named_and_the_others_are_read() {
    let mut bytes = archive(&[("intents/a_usersays_en.json", &PHRASES.repeat(40)), ("intents/b_usersays_en.json", PHRASES)]);
    let at = bytes.windows(4).position(|window| window == b"json").unwrap() + 8;
    for byte in &mut bytes[at..at + 12] {
        *byte ^= 0x55;
    }
    let got = agent(bytes);
    assert_eq!(got.rows.len(), 1);
    assert!(said(&got).starts_with("agent.zip/intents/a_usersays_en.json: the entry is damaged"), "{}", said(&got));
}

#[test]
fn a_bomb_is_not_unpacked() {
    let zeros = vec![b' '; 80 << 20];
    let bytes = archive(&[("intents/a_usersays_en.json", &zeros), ("intents/b_usersays_en.json", PHRASES)]);
    assert!(bytes.len() < 1 << 20, "the bomb is small");
    let got = agent(bytes);
    assert_eq!(got.rows.len(), 1);
    assert!(said(&got).starts_with("agent.zip/intents/a_usersays_en.json: the entry unpacks to more than 64 MiB"), "{}", said(&got));
}

#[test]
fn names_that_lead_out_of_the_archive_are_refused() {
    let bytes = archive(&[
        ("../intents/a_usersays_en.json", PHRASES),
        ("/intents/b_usersays_en.json", PHRASES),
        ("C:\\intents\\c_usersays_en.json", PHRASES),
        ("x/../../intents/d_usersays_en.json", PHRASES),
        ("intents/e_usersays_en.json", PHRASES),
    ]);
    let got = agent(bytes);
    assert_eq!(got.rows.len(), 1);
    assert_eq!(got.rows[0].place.to_string(), "agent.zip/intents/e_usersays_en.json:1");
    assert_eq!(got.problems.len(), 4, "{}", said(&got));
    assert!(got.problems.iter().all(|problem| problem.ends_with("leads out of the archive; it is not read")), "{}", said(&got));
    assert!(got.problems.iter().any(|problem| problem.starts_with("agent.zip/../intents/a_usersays_en.json: ")), "{}", said(&got));
}

#[test]
fn entries_that_are_not_what_they_should_be_are_named() {
    let bytes = archive(&[
        ("intents/a_usersays_en.json", b"\xff\xfe not text"),
        ("intents/b_usersays_en.json", b""),
        ("intents/c_usersays_en.json", b"{\"data\": 1}"),
        ("intents/d_usersays_en.json", PHRASES),
        ("intents/d.json", b"{\"name\""),
        ("intents/e_usersays_en.json", PHRASES),
        ("entities/f_entries_en.json", br#"[{"value": "a", "synonyms": ["b"]}, {"value": "b", "synonyms": ["a"]}]"#),
    ]);
    let got = agent(bytes);
    assert_eq!(got.rows.len(), 1);
    for part in [
        "b_usersays_en.json: the file is empty",
        "c_usersays_en.json:1: invalid type: map",
        "d.json:1: ",
        "f_entries_en.json:1: entity `f`: the synonyms go in a circle",
    ] {
        assert!(said(&got).contains(part), "`{part}` is not in\n{}", said(&got));
    }
    assert!(got.problems.iter().any(|problem| problem.starts_with("agent.zip/intents/a_usersays_en.json")), "{}", said(&got));
}

#[test]
fn text_in_other_encodings_is_read_or_named() {
    let text = "text,label\n\u{fc}ber,a\n";
    let little: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    for bytes in [little.clone(), big, format!("\u{feff}{text}").into_bytes()] {
        let got = read(Source::bytes("a.csv", bytes), importer("huggingface"));
        assert_eq!((got.rows[0].row.text.as_str(), said(&got).as_str()), ("\u{fc}ber", ""));
    }
    let got = read(Source::bytes("a.csv", b"text,label\n\xfcber,a\nfine,b\n".to_vec()), importer("huggingface"));
    assert_eq!((got.rows.len(), said(&got).as_str()), (1, "a.csv:2: invalid UTF-8 at byte 0 of field 1; save the file as UTF-8"));
    let unmarked = little[2..].to_vec();
    let got = read(Source::bytes("nlu.yml", unmarked), importer("rasa"));
    assert!(said(&got).starts_with("nlu.yml:") && said(&got).contains("UTF-8"), "{}", said(&got));
}

#[test]
fn every_importer_survives_what_is_not_its_own() {
    let deep = |open: &str, count: usize| open.repeat(count).into_bytes();
    let odd: [(&str, Vec<u8>); 12] = [
        ("empty", Vec::new()),
        ("blank.json", b" \n\n".to_vec()),
        ("nul.yml", b"nlu:\0\n- a\0".to_vec()),
        ("deep.json", deep("[", 200_000)),
        ("deeper.json", deep("{\"intents\":[", 50_000)),
        ("deep.yml", deep("- ", 100_000)),
        ("flow.yml", deep("[", 100_000)),
        ("quote.csv", b"text,label\n\"".to_vec()),
        ("zip.zip", b"PK\x03\x04 and no more".to_vec()),
        ("noise", (0..60_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()),
        ("half.json", b"{\"assets\": {\"utterances\": [{\"text\": \"a".to_vec()),
        ("number.json", b"1e999999999".to_vec()),
    ];
    for importer in hearken::data::import::IMPORTERS {
        for (name, bytes) in &odd {
            let got = read(Source::bytes(name, bytes.clone()), *importer);
            assert!(got.rows.is_empty(), "{} read rows from {name}: {:?}", importer.name(), got.rows.first());
            assert!(
                got.problems.iter().all(|problem| problem.starts_with(name) && problem.len() < 2_000),
                "{}: {name}: {}",
                importer.name(),
                said(&got)
            );
        }
    }
    for (name, bytes) in odd {
        drop(recognise(&Source::bytes(name, bytes)));
    }
}
