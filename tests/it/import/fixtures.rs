//! Every importer reads its fixtures in `tests/corpus/import/NAME/` as `golden/CASE.txt` says, and is told without its name.
//! `HEARKEN_BLESS=1` writes the golden files anew; read what changed before it is committed.

use super::{Read, read, zipped};
use crate::shop::repository;
use hearken::data::import::{IMPORTERS, Importer, Source, find, recognise};
use std::path::{Path, PathBuf};

fn cases(importer: &str) -> Vec<PathBuf> {
    let folder = repository("tests/corpus/import").join(importer);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("importer `{importer}` has no fixtures in {}: {error}", folder.display()));
    let mut cases: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("golden")).collect();
    cases.sort();
    cases
}

fn rendered(read: &Read, prefix: &str) -> String {
    let rows = read.rows.iter().map(|imported| {
        let place = imported.place.to_string().replace(prefix, "");
        let (split, row) = (imported.split.map_or("-", |split| split.name()), serde_json::to_string(&imported.row).unwrap());
        format!("{place} {split} {row}")
    });
    let problems = read.problems.iter().map(|problem| format!("problem {}", problem.replace(prefix, "")));
    let lexicon = (!read.lexicon.is_empty()).then(|| format!("lexicon {}", serde_json::to_string(&read.lexicon).unwrap()));
    rows.chain(problems).chain(lexicon).fold(String::new(), |all, line| all + &line + "\n")
}

#[test]
fn every_importer_reads_its_fixtures() {
    let bless = std::env::var_os("HEARKEN_BLESS").is_some();
    let mut wrong = Vec::new();
    for importer in IMPORTERS {
        let cases = cases(importer.name());
        assert!(!cases.is_empty(), "importer `{}` has no fixtures", importer.name());
        for case in cases {
            let name = case.file_name().unwrap().to_string_lossy().into_owned();
            let got = read(Source::file(&case), *importer);
            assert!(!got.rows.is_empty() || !got.lexicon.is_empty(), "{}: {:?}", case.display(), got.problems);
            let prefix = format!("{}/", case.parent().unwrap().display());
            let (got, golden) = (rendered(&got, &prefix), case.parent().unwrap().join("golden").join(format!("{name}.txt")));
            if bless {
                std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
                std::fs::write(&golden, &got).unwrap();
            }
            let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
            let differ = |(got, wanted): (&str, &str)| (got != wanted).then(|| format!("  got    {got}\n  wanted {wanted}"));
            let lines = got.lines().chain(std::iter::repeat("")).zip(wanted.lines().chain(std::iter::repeat("")));
            let most = got.lines().count().max(wanted.lines().count());
            wrong.extend(lines.take(most).filter_map(differ).map(|lines| format!("{}:\n{lines}", case.display())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_format_is_told_without_its_name() {
    for importer in IMPORTERS {
        for case in cases(importer.name()) {
            let told = recognise(&Source::file(&case)).map(Importer::name).map_err(|problem| problem.to_string());
            assert_eq!(told, Ok(importer.name()), "{}", case.display());
        }
    }
}

#[test]
fn an_archive_and_its_folder_give_the_same() {
    for (name, folder) in [("dialogflow", "agent"), ("lex", "bot")] {
        let path = repository("tests/corpus/import").join(name).join(folder);
        let zip = || Source::bytes(&path.display().to_string(), zipped(&path));
        assert_eq!(recognise(&zip()).unwrap().name(), name);
        let importer = find(name).unwrap();
        let (zip, folder) = (read(zip(), importer), read(Source::file(&path), importer));
        assert_eq!(rendered(&zip, ""), rendered(&folder, ""));
    }
}

#[test]
fn names_differ_and_say_something() {
    for (at, importer) in IMPORTERS.iter().enumerate() {
        assert!(!importer.about().is_empty() && !importer.name().contains(char::is_whitespace), "{}", importer.name());
        assert!(IMPORTERS.iter().skip(at + 1).all(|other| other.name() != importer.name()), "{}", importer.name());
    }
}

#[test]
fn what_no_format_fits_lists_the_formats() {
    for (name, text) in [("a.txt", "just words\n"), ("a.json", "{\"a\": 1}"), ("a.pdf", "%PDF-1.7")] {
        let problem = recognise(&Source::bytes(name, text.as_bytes())).err().unwrap().to_string();
        assert!(problem.starts_with(name) && problem.contains("format") && problem.contains("rasa, rasa-tracker"), "{problem}");
    }
    assert!(recognise(&Source::file(Path::new("nowhere.yml"))).err().unwrap().to_string().contains("nowhere.yml: cannot be read"));
}
