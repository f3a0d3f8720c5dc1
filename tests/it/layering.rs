//! Data flows one way: a folder imports only folders below it. Adding a folder means giving it a place here and in architecture.md.

use crate::shop::repository;
use std::collections::BTreeMap;
use std::path::Path;

/// The folders of `src/`, lowest first. Those of one line do not know each other.
const LAYERS: &[&[&str]] = &[
    &["text", "telemetry", "plot"],
    &["patterns", "conversation", "batch"],
    &["model"],
    &["backend", "import", "hub"],
    &["heads"],
    &["policy", "data", "keys"],
    &["store"],
    &["engine", "eval", "handover"],
    &["desk"],
    &["analytics"],
    &["config", "train"],
    &["http"],
    &["cli"],
];

fn level(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&folder))
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Every `crate::folder` that the production part of a file names.
fn imports(text: &str) -> impl Iterator<Item = &str> {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let folders =
        production.split("crate::").skip(1).map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default());
    folders.filter(|folder| !folder.is_empty())
}

#[test]
fn folders_import_only_what_lies_below() {
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(repository("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !path.is_dir() || name == "docs" {
            continue;
        }
        let here = level(&name).unwrap_or_else(|| panic!("src/{name} has no layer; give it one in LAYERS"));
        let mut files = Vec::new();
        sources(&path, &mut files);
        for (file, text) in files {
            for folder in imports(&text).filter(|folder| *folder != name) {
                match level(folder) {
                    Some(there) if there < here => {}
                    Some(_) => wrong.push(format!("{file}: {name} may not import {folder}")),
                    None => wrong.push(format!("{file}: crate::{folder} is no folder with a layer")),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_open_by_saying_what_they_are() {
    let mut files = Vec::new();
    for folder in ["src", "kernels/src", "tests"] {
        sources(&repository(folder), &mut files);
    }
    let mut wrong = Vec::new();
    for (file, text) in files {
        if !text.starts_with("//!") && !text.starts_with("#![") {
            wrong.push(format!("{file}: open with `//!` and what the file is"));
        }
        let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().lines().count();
        if production > 400 {
            wrong.push(format!("{file}: {production} production lines; 400 are the most"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_folder_has_a_section_on_the_map() {
    let map = std::fs::read_to_string(repository("src/docs/architecture.md")).unwrap();
    let missing: BTreeMap<_, _> =
        LAYERS.iter().flat_map(|layer| layer.iter()).map(|folder| (folder, map.contains(&format!("`{folder}/`")))).collect();
    assert!(missing.values().all(|there| *there), "{missing:?}");
}
