//! `hearken import` and `hearken export` as their users run them.

use crate::shop::repository;
use std::path::Path;
use std::process::{Command, Output};

fn hearken(args: &[&str]) -> (Output, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hearken")).args(args).current_dir(repository(".")).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, said)
}

fn fixture(path: &str) -> String {
    format!("tests/corpus/import/{path}")
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn formats_are_listed() {
    let (output, said) = hearken(&["import", "--list"]);
    assert!(output.status.success());
    for importer in hearken::data::import::IMPORTERS {
        assert!(said.lines().any(|line| line.starts_with(importer.name())), "{said}");
    }
    let (output, said) = hearken(&["export", "--list"]);
    assert!(output.status.success() && said.contains("conll"), "{said}");
}

#[test]
fn several_files_become_one_directory() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("shop");
    let out = out.to_str().unwrap();
    let (nlu, project) = (fixture("rasa/nlu.yml"), fixture("clu/project.json"));
    let (output, said) = hearken(&["import", &nlu, &project, "--out", out]);
    assert!(output.status.success(), "{said}");
    for part in [
        "nlu.yml: rasa",
        "project.json: clu",
        "train.jsonl 11 rows, test.jsonl 1 rows",
        "lexicon.json: 3 synonyms",
        "6 intents: ",
        "check_balance 3",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    assert!(said.contains("4 problems") && said.contains("project.json:17: "), "{said}");
    assert_eq!(files(Path::new(out)), ["lexicon.json", "test.jsonl", "train.jsonl"]);
    let (output, said) = hearken(&["data", "check", out]);
    assert!(output.status.success(), "{said}");

    let (output, said) = hearken(&["import", &nlu, "--out", out]);
    assert!(output.status.code() == Some(1) && said.contains("is there already") && said.contains("--force"), "{said}");
    let (output, said) = hearken(&["import", "rasa", &nlu, "--out", out, "--force", "--split", "valid"]);
    assert!(output.status.success(), "{said}");
    assert_eq!(files(Path::new(out)), ["lexicon.json", "valid.jsonl"], "what an earlier import left is gone");
}

#[test]
fn problems_are_listed_and_strict_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("shop");
    let out = out.to_str().unwrap();
    let file = fixture("rasa/problems.yml");
    let (output, said) = hearken(&["import", &file, "--out", out, "--strict"]);
    assert!(output.status.code() == Some(1) && said.contains("nothing was written, because of --strict"), "{said}");
    assert!(!Path::new(out).exists(), "an import that fails leaves nothing behind");
    let (output, said) = hearken(&["import", &file, "nowhere.csv", "--out", out]);
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("  {file}:6: an example begins with `- `")) && said.contains("  nowhere.csv: cannot be read"), "{said}");
}

#[test]
fn what_cannot_be_read_at_all_fails() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("shop");
    let out = out.to_str().unwrap();
    for (args, part) in [
        (vec!["import", "README.md", "--out", out], "the format is not known; name one of rasa, "),
        (vec!["import", "rsa", "README.md", "--out", out], "`rsa` is neither a format nor a file"),
        (vec!["import", "rasa", "--out", out], "`rasa` is a format; name the files"),
        (vec!["import", "nowhere.yml", "--out", out], "nowhere.yml: cannot be read"),
        (vec!["import", "rasa", "Cargo.toml", "--out", out], "no row could be read"),
        (vec!["import", "rasa", "Cargo.toml", "--labels", "nowhere", "--out", out], "--labels"),
        (vec!["export", "word", "training-data/smoke", "--out", out], "`word` is no format; the formats are jsonl, rasa, conll"),
        (vec!["export", "rasa", "nowhere", "--out", out], "nowhere"),
    ] {
        let (output, said) = hearken(&args);
        assert!(output.status.code() == Some(1) && said.contains(part), "{args:?}: {said}");
    }
    for args in
        [vec!["import", "x.yml"], vec!["import"], vec!["export", "rasa", "x"], vec!["import", "x.yml", "--out", out, "--split", "some"]]
    {
        let (output, said) = hearken(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    }
}

#[test]
fn numbered_labels_get_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("train.jsonl"), "{\"text\": \"hi\", \"label\": 1}\n{\"text\": \"yo\", \"label\": 2}\n").unwrap();
    std::fs::write(path("dataset_info.json"), "{\"features\": {\"label\": {\"names\": [\"bye\", \"greet\"], \"_type\": \"ClassLabel\"}}}")
        .unwrap();
    let (output, said) = hearken(&["import", &path("train.jsonl"), "--labels", &path("dataset_info.json"), "--out", &path("out")]);
    assert!(output.status.success() && said.contains("greet 1") && said.contains("label 2 has no name among the 2"), "{said}");
}

#[test]
fn a_directory_is_exported_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let rows = std::fs::read_to_string(repository("training-data/storefront-en/valid.jsonl")).unwrap().lines().count();
    for (format, file) in [("rasa", "nlu.yml"), ("conll", "train.conll"), ("jsonl", "rows.jsonl")] {
        let (output, said) = hearken(&["export", format, "training-data/storefront-en", "--split", "valid", "--out", &path(file)]);
        assert!(output.status.success() && said.contains(&format!("{rows} rows of valid")), "{said}");
        let (output, said) = hearken(&["import", &path(file), "--out", &path(format), "--split", "train"]);
        assert!(output.status.success() && said.contains(&format!("train.jsonl {rows} rows")), "{said}");
        let (output, said) = hearken(&["export", format, "training-data/storefront-en", "--out", &path(file)]);
        assert!(output.status.code() == Some(1) && said.contains("is there already"), "{said}");
    }
}
