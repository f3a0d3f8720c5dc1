//! Calibration, cards, cross-validation and the skip of a finished run, as their users run them.

use crate::shop::repository;
use hearken::model::{LoadedModel, Manifest};
use hearken::train::card_of;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn hearken() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    command.current_dir(repository(".")).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Exit code and everything that was said.
fn finish(command: &mut Command) -> (Option<i32>, String) {
    let output = command.output().unwrap();
    (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// The tiny model in a folder of its own.
fn tiny(folder: &Path) -> PathBuf {
    let to = folder.join("model");
    std::fs::create_dir_all(&to).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors", "hearken.toml", "CARD.md"] {
        std::fs::copy(repository("models/tiny").join(file), to.join(file)).unwrap();
    }
    to
}

/// A data directory whose splits are the smoke rows.
fn smoke(folder: &Path, splits: &[&str]) -> PathBuf {
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    for split in splits {
        std::fs::copy(repository("training-data/smoke/train.jsonl"), data.join(format!("{split}.jsonl"))).unwrap();
    }
    data
}

/// A recipe of one short epoch.
fn recipe(folder: &Path) -> PathBuf {
    let file = folder.join("recipe.toml");
    let numbers = "epochs = 1\nbatch_rows = 16\nmax_tokens = 48\ncontext_tokens = 0\ncheckpoint_minutes = 0.0\n[calibration]\nout_of_scope_share = 0.1\n";
    std::fs::write(&file, numbers).unwrap();
    file
}

fn manifest(model: &Path) -> Manifest {
    Manifest::parse(&std::fs::read_to_string(model.join("hearken.toml")).unwrap()).unwrap()
}

#[test]
fn thresholds_are_chosen_on_labels_and_kept_in_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (tiny(folder.path()), smoke(folder.path(), &["train", "valid"]));
    // The smoke rows have intents that the tiny model lacks: a row that names one is refused by its place.
    let (code, text) = finish(hearken().args(["model", "calibrate"]).arg(&model).arg(&data).args(["--only", "thresholds"]));
    assert!(code == Some(1) && text.contains("valid.jsonl:") && text.contains("none of the model's 5"), "{text}");
    let known = |line: &&str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let intents = ["human_agent", "product_availability", "refund_request", "thanks", "track_order", "out_of_scope"];
        row["intent"].as_str().is_none_or(|intent| intents.contains(&intent))
    };
    let rows = std::fs::read_to_string(data.join("valid.jsonl")).unwrap();
    std::fs::write(data.join("valid.jsonl"), rows.lines().filter(known).collect::<Vec<_>>().join("\n")).unwrap();
    let before = std::fs::read(model.join("hearken.toml")).unwrap();
    let calibrate = |more: &[&str]| finish(hearken().args(["model", "calibrate"]).arg(&model).arg(&data).args(more));
    let (code, text) = calibrate(&["--dry-run", "--target-precision", "0.9"]);
    assert!(code == Some(0) && text.contains("min_score  answered") && text.contains("nothing is written"), "{text}");
    assert_eq!(std::fs::read(model.join("hearken.toml")).unwrap(), before);
    let (code, text) = calibrate(&["--target-precision", "0.9", "--out-of-scope-share", "0.25"]);
    assert!(code == Some(0) && text.contains("measured the channels") && text.contains("calibrated tiny@1.0.0"), "{text}");
    let head = LoadedModel::open(&model).unwrap().manifest.heads.intent.unwrap();
    let point = head.operating_point.unwrap();
    assert_eq!((point.target_precision, point.out_of_scope_share), (Some(0.9), 0.25));
    assert!(point.coverage.len() > 5 && point.coverage.is_sorted_by(|a, b| a[1] >= b[1]), "{:?}", point.coverage);
    assert_ne!(head.calibration.temperature, 1.0);
    assert!(model.join("channels.safetensors").is_file());
}

#[test]
fn what_is_missing_for_a_calibration_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (tiny(folder.path()), smoke(folder.path(), &["train"]));
    let calibrate = |more: &[&str]| finish(hearken().args(["model", "calibrate"]).arg(&model).arg(&data).args(more));
    let (code, text) = calibrate(&["--only", "thresholds"]);
    assert!(code == Some(1) && text.contains("valid.jsonl"), "{text}");
    let (code, text) = calibrate(&[]);
    assert!(code == Some(0) && text.contains("stay as they are"), "{text}");
    assert_eq!(calibrate(&["--target-precision", "95"]).0, Some(2));
}

#[test]
fn calibrations_that_make_no_sense_are_refused_by_their_key() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(tiny(folder.path()).join("hearken.toml")).unwrap();
    let with = |row: &str| {
        let table = format!("[heads.intent.calibration.scale_and_bias]\n{row}\n\n[heads.entities]");
        Manifest::parse(&text.replace("[heads.entities]", &table)).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(with("thanks = [1.2, -0.5]\nout_of_scope = [1.0, 0.25]"), Ok(()));
    for (row, part) in
        [("nobody = [1.0, 0.0]", "scale_and_bias.nobody"), ("thanks = [0.0, 0.0]", "above 0"), ("thanks = [1.0, inf]", "finite")]
    {
        let error = with(row).unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_finished_run_is_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let train = |more: &[&str]| {
        let mut command = hearken();
        command.args(["train", "--data", "training-data/smoke", "--base", "models/tiny", "--out"]).arg(&out);
        finish(command.arg("--recipe").arg(recipe(folder.path())).args(more))
    };
    let (code, text) = train(&[]);
    assert!(code == Some(0) && text.contains("min_score  answered"), "{text}");
    let written = std::fs::metadata(out.join("hearken.toml")).unwrap().modified().unwrap();
    for more in [&[][..], &["--resume"]] {
        let (code, text) = train(more);
        assert!(code == Some(0) && text.contains("already") && text.contains("--force"), "{text}");
    }
    assert_eq!(std::fs::metadata(out.join("hearken.toml")).unwrap().modified().unwrap(), written);
    let (code, text) = train(&["--seed", "2"]);
    assert!(code == Some(1) && text.contains("not empty"), "{text}");
    let (code, text) = train(&["--force"]);
    assert!(code == Some(0) && text.contains("wrote"), "{text}");
    assert_ne!(std::fs::metadata(out.join("hearken.toml")).unwrap().modified().unwrap(), written);
}

fn cv(folder: &Path, data: &Path, more: &[&str]) -> Command {
    let mut command = hearken();
    command.args(["cv", "--base", "models/tiny", "--data"]).arg(data).arg("--out").arg(folder.join("cv"));
    command.arg("--recipe").arg(recipe(folder)).args(more);
    command
}

/// Two folds, two seeds.
const TWICE: [&str; 4] = ["--folds", "2", "--seeds", "2"];

#[test]
fn a_cross_validation_that_was_stopped_goes_on_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = smoke(folder.path(), &["train"]);
    let first = folder.path().join("cv/runs/share-1-fold-1-seed-1/report.json");
    let mut child = cv(folder.path(), &data, &TWICE).spawn().unwrap();
    let started = Instant::now();
    while !first.is_file() {
        assert!(started.elapsed() < Duration::from_mins(3), "no run was finished");
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be stopped");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    let written = std::fs::metadata(&first).unwrap().modified().unwrap();
    let (code, text) = finish(&mut cv(folder.path(), &data, &TWICE));
    assert!(code == Some(0) && text.contains("2 folds x 2 seeds") && text.contains("intent.accuracy"), "{text}");
    assert_eq!(std::fs::metadata(&first).unwrap().modified().unwrap(), written);

    let report: Value = serde_json::from_slice(&std::fs::read(folder.path().join("cv/report.json")).unwrap()).unwrap();
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 4);
    // The figures are those of the report that is kept, and each row is held back once by each seed.
    let accuracies: Vec<f64> = runs.iter().map(|run| run["report"]["intent"]["accuracy"].as_f64().unwrap()).collect();
    let mean = report["curve"][0]["figures"]["intent.accuracy"]["mean"].as_f64().unwrap();
    assert!((accuracies.iter().sum::<f64>() / 4.0 - mean).abs() < 1e-12, "{accuracies:?} {mean}");
    let held: u64 = runs.iter().filter(|run| run["seed"] == 1).map(|run| run["test_rows"].as_u64().unwrap()).sum();
    assert_eq!(held, report["rows"].as_u64().unwrap());
    assert!(!folder.path().join("cv/runs/share-1-fold-1-seed-1/model").exists());

    let (code, text) = finish(&mut cv(folder.path(), &data, &["--folds", "2", "--seeds", "2", "--json"]));
    assert!(code == Some(0) && !text.contains("run 1 of"), "{text}");
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), report);
    let (code, text) = finish(&mut cv(folder.path(), &data, &["--folds", "2", "--seeds", "2", "--seed", "9"]));
    assert!(code == Some(1) && text.contains("--force"), "{text}");
}

#[test]
fn a_learning_curve_measures_the_test_split() {
    let folder = tempfile::tempdir().unwrap();
    let data = smoke(folder.path(), &["train"]);
    let (code, text) = finish(&mut cv(folder.path(), &data, &["--folds", "1"]));
    assert!(code == Some(1) && text.contains("test.jsonl"), "{text}");
    smoke(folder.path(), &["test", "valid"]);
    let (code, text) = finish(&mut cv(folder.path(), &data, &["--folds", "1", "--seeds", "1", "--curve", "0.5,1.0"]));
    assert!(code == Some(0) && text.contains("learning curve"), "{text}");
    let report: Value = serde_json::from_slice(&std::fs::read(folder.path().join("cv/report.json")).unwrap()).unwrap();
    let rows: Vec<u64> = report["curve"].as_array().unwrap().iter().map(|of| of["train_rows"].as_u64().unwrap()).collect();
    assert!(rows.len() == 2 && rows[0] * 2 <= rows[1] + 12 && rows[0] < rows[1], "{rows:?}");
    assert_eq!(finish(&mut cv(folder.path(), &data, &["--curve", "0,1"])).0, Some(2));
}

#[test]
fn a_card_is_made_of_what_is_known_and_made_again_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data) = (tiny(folder.path()), smoke(folder.path(), &["test"]));
    std::fs::write(model.join("card.in.md"), "{{title}}\n\nWritten by hand.\n\n{{evaluation}}\n").unwrap();
    let card = |more: &[&str]| finish(hearken().args(["model", "card"]).arg(&model).args(more));
    let data = data.display().to_string();
    let (code, text) = card(&["--data", &data, "--device", "candle"]);
    assert!(code == Some(0) && text.contains("CARD.md is written"), "{text}");
    let read = || (std::fs::read_to_string(model.join("CARD.md")).unwrap(), std::fs::read(model.join("hearken.toml")).unwrap());
    let first = read();
    assert!(
        first.0.contains("Written by hand.") && first.0.contains("data/test.jsonl") && first.0.contains("intent.accuracy"),
        "{}",
        first.0
    );
    for more in [&[][..], &["--data", &data, "--device", "candle"]] {
        let (code, text) = card(more);
        assert!(code == Some(0) && text.contains("CARD.md is as it was"), "{text}");
        assert_eq!(read(), first);
    }
    LoadedModel::open(&model).unwrap();
    std::fs::write(model.join("card.in.md"), "{{figures}}\n").unwrap();
    let (code, text) = card(&[]);
    assert!(code == Some(1) && text.contains("card.in.md:1") && text.contains("evaluation"), "{text}");
}

#[test]
fn the_shipped_card_is_what_the_command_makes() {
    let model = repository("models/storefront-en");
    let card = card_of(&model, &manifest(&model)).unwrap();
    assert!(std::fs::read_to_string(model.join("CARD.md")).unwrap() == card, "it differs; run: hearken model card storefront-en");
}
