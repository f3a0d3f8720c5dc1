//! The trainer, end to end on small things: it learns, it repeats, and a kill at any moment loses nothing.

use crate::shop::repository;
use hearken::eval::Report;
use hearken::model::LoadedModel;
use hearken::train::{Contrastive, Job, LossWeights, Observer, Outcome, Progress, Recipe, TrainingDevice, run};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A run of the program over the smoke data, with a checkpoint after every step.
fn train(folder: &Path, out: &str, more: &[&str]) -> Command {
    train_for(folder, out, 12, more)
}

fn train_for(folder: &Path, out: &str, epochs: u32, more: &[&str]) -> Command {
    let recipe = folder.join("recipe.toml");
    let numbers =
        "batch_rows = 16\nlearning_rate = 0.003\nhead_learning_rate = 0.02\nmax_tokens = 48\ncontext_tokens = 0\ncheckpoint_minutes = 0.0";
    std::fs::write(&recipe, format!("epochs = {epochs}\npatience = {epochs}\n{numbers}\n")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    command.arg("train").args(["--data"]).arg(repository("training-data/smoke")).arg("--base").arg(repository("models/tiny"));
    command.arg("--out").arg(folder.join(out)).arg("--recipe").arg(recipe).args(["--seed", "3"]).args(more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn finish(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

fn weights(model: &Path) -> HashMap<String, Vec<f32>> {
    let tensors = candle_core::safetensors::load(model.join("model.safetensors"), &candle_core::Device::Cpu).unwrap();
    let flat = |tensor: candle_core::Tensor| tensor.to_dtype(candle_core::DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    tensors.into_iter().map(|(name, tensor)| (name, flat(tensor))).collect()
}

fn wait_for(child: &mut Child, what: impl Fn() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        assert!(started.elapsed() < Duration::from_mins(2), "no checkpoint within two minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn steps_done(out: &Path) -> u64 {
    let state = std::fs::read(out.join("checkpoint/current/state.json")).unwrap_or_default();
    serde_json::from_slice::<serde_json::Value>(&state).ok().and_then(|state| state["steps"].as_u64()).unwrap_or(0)
}

#[test]
fn a_killed_run_resumes_to_the_same_weights() {
    let folder = tempfile::tempdir().unwrap();
    finish(train(folder.path(), "whole", &[]));
    for kill_after in [3, 17, 40] {
        let out = folder.path().join("killed");
        let resume: &[&str] = if kill_after == 3 { &[] } else { &["--resume"] };
        let mut child = train(folder.path(), "killed", resume).spawn().unwrap();
        wait_for(&mut child, || steps_done(&out) >= kill_after);
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
    }
    finish(train(folder.path(), "killed", &["--resume"]));
    let (whole, killed) = (weights(&folder.path().join("whole")), weights(&folder.path().join("killed")));
    assert_eq!(whole.len(), killed.len());
    for (name, whole) in &whole {
        let distance = whole.iter().zip(&killed[name]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(distance <= 1e-3, "{name}: {distance}");
    }
    assert!(!folder.path().join("killed/checkpoint").exists(), "the checkpoint goes once the model is written");
}

#[test]
fn the_trainer_learns_and_its_model_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let text = finish(train_for(folder.path(), "model", 30, &[]));
    assert!(text.contains("epoch 30:") && text.contains("wrote"), "{text}");
    let model = folder.path().join("model");
    let output = eval(&model, &["--json"]);
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let accuracy = report["report"]["intent"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.5, "a model that learnt nothing has 0.14: {accuracy}");
    let manifest = std::fs::read_to_string(model.join("hearken.toml")).unwrap();
    for key in ["seed = 3", "base_sha256", "[[training.data]]", "smoke/train.jsonl", "temperature"] {
        assert!(manifest.contains(key), "{key} is missing in\n{manifest}");
    }
    assert_eq!(eval(&model, &["--gate", "intent.accuracy>=1.1"]).status.code(), Some(3));
    assert_eq!(eval(&model, &["--gate", "intent.accuracy>=0.5"]).status.code(), Some(0));
}

/// `hearken eval` on what the model was trained on.
fn eval(model: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    command.arg("eval").arg(model).arg(repository("training-data/smoke")).args(["--split", "train"]).args(more).output().unwrap()
}

#[test]
fn an_occupied_output_and_another_run_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("out")).unwrap();
    std::fs::write(folder.path().join("out/precious.txt"), "keep").unwrap();
    let output = train(folder.path(), "out", &[]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains("--resume") && text.contains("--force"), "{text}");
    let output = train(folder.path(), "out", &["--resume"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing to resume"));

    let mut child = train(folder.path(), "run", &[]).spawn().unwrap();
    let out = folder.path().join("run");
    wait_for(&mut child, || steps_done(&out) >= 2);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut other = train(folder.path(), "run", &["--resume"]);
    other.args(["--data"]).arg(repository("training-data/smoke"));
    let text = String::from_utf8_lossy(&other.output().unwrap().stderr).into_owned();
    assert!(text.contains("other data"), "{text}");
}

#[test]
fn an_interrupt_writes_a_checkpoint_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = train(folder.path(), "run", &[]).spawn().unwrap();
    let out = folder.path().join("run");
    wait_for(&mut child, || steps_done(&out) >= 2);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--resume"));
}

#[test]
fn bad_rows_are_named_by_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("train.jsonl"), "{\"text\": \"hi\", \"intent\": \"greeting\"}\n{\"text\": \"a b\", \"entities\": [{\"start\": 0, \"end\": 9, \"label\": \"size\"}]}\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    command.args(["train", "--data"]).arg(&data).arg("--base").arg(repository("models/tiny")).arg("--out").arg(folder.path().join("out"));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("train.jsonl:2") && text.contains("beyond the text's end"), "{text}");
}

/// Asks for a stop after some steps.
struct StopAfter(u64, std::cell::Cell<u64>);

impl Observer for StopAfter {
    fn prepared(&mut self, _train: usize, _valid: usize, _labels: &str) {}

    fn step(&mut self, progress: Progress) {
        self.1.set(progress.steps);
    }

    fn stage(&mut self, _stage: &str) {}
    fn epoch(&mut self, _epoch: u32, _report: Option<&Report>, _better: bool) {}

    fn interrupted(&self) -> bool {
        self.1.get() >= self.0
    }
}

/// A run on the smoke data from `tiny`.
fn smoke(out: PathBuf, recipe: Recipe) -> Job {
    Job {
        device: TrainingDevice::Cpu,
        data: vec![repository("training-data/smoke")],
        base: repository("models/tiny"),
        teacher: None,
        out,
        recipe,
        seed: 1,
        resume: false,
        force: false,
        commit: None,
    }
}

#[test]
fn an_interrupt_keeps_every_step() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe { batch_rows: 16, max_tokens: 48, context_tokens: 0, checkpoint_minutes: 1e3, ..Recipe::default() };
    let job = smoke(folder.path().join("out"), recipe);
    assert_eq!(run(&job, &mut StopAfter(9, 0.into())).unwrap(), Outcome::Interrupted);
    assert_eq!(steps_done(&job.out), 9, "in the middle of an epoch, long before the next checkpoint is due");
    assert_eq!(run(&Job { resume: true, ..job.clone() }, &mut StopAfter(12, 0.into())).unwrap(), Outcome::Interrupted);
    assert_eq!(steps_done(&job.out), 12);
    // A run that died between writing a checkpoint and renaming it.
    let checkpoint = job.out.join("checkpoint");
    std::fs::rename(checkpoint.join("current"), checkpoint.join("next")).unwrap();
    assert_eq!(run(&Job { resume: true, ..job.clone() }, &mut StopAfter(13, 0.into())).unwrap(), Outcome::Interrupted);
    assert_eq!(steps_done(&job.out), 13);
}

#[test]
fn a_head_without_weight_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let loss = LossWeights { emotions: 0.0, entities: 0.0, ..LossWeights::default() };
    let recipe = Recipe { epochs: 1, max_tokens: 48, context_tokens: 0, loss, ..Recipe::default() };
    let job = smoke(folder.path().join("out"), recipe);
    run(&job, &mut StopAfter(u64::MAX, 0.into())).unwrap();
    let model = LoadedModel::open(&job.out).unwrap();
    let heads: Vec<_> = model.manifest.heads.rows().into_iter().map(|(name, _)| name).collect();
    assert_eq!(heads, ["intent", "sentiment"]);
    for entry in std::fs::read_dir(&job.out).unwrap() {
        let entry = entry.unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&entry.metadata().unwrap().permissions());
        assert_eq!(mode & 0o044, 0o044, "{} can be read by a server that runs as somebody else", entry.path().display());
    }
}

/// Asks for a stop after some steps of its own, and remembers the stages.
struct Stages {
    stop_after: usize,
    steps: usize,
    names: Vec<String>,
}

impl Observer for Stages {
    fn prepared(&mut self, _train: usize, _valid: usize, _labels: &str) {}

    fn stage(&mut self, stage: &str) {
        self.names.push(stage.to_owned());
    }

    fn step(&mut self, _progress: Progress) {
        self.steps += 1;
    }

    fn epoch(&mut self, _epoch: u32, _report: Option<&Report>, _better: bool) {}

    fn interrupted(&self) -> bool {
        self.steps >= self.stop_after
    }
}

#[test]
fn every_stage_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::copy(repository("training-data/smoke/train.jsonl"), data.join("train.jsonl")).unwrap();
    let contrastive = Contrastive { epochs: 1, ..Contrastive::default() };
    let recipe = Recipe {
        epochs: 1,
        least_steps: 0,
        max_tokens: 48,
        context_tokens: 0,
        contrastive,
        class_weighting: 0.5,
        averaging: 0.98,
        word_masking: 0.1,
        ..Recipe::default()
    };
    let job = Job {
        device: TrainingDevice::Cpu,
        data: vec![data],
        base: repository("models/tiny"),
        teacher: None,
        out: folder.path().join("whole"),
        recipe,
        seed: 1,
        resume: false,
        force: false,
        commit: None,
    };
    let weights = |job: &Job| std::fs::read(job.out.join("model.safetensors")).unwrap();
    let mut watch = Stages { stop_after: usize::MAX, steps: 0, names: Vec::new() };
    assert!(matches!(run(&job, &mut watch).unwrap(), Outcome::Finished(_)));
    assert_eq!(watch.names.len(), 4, "{:?}", watch.names);
    assert!(watch.names[0].contains("contrastive") && watch.names[3].contains("held out"), "{:?}", watch.names);
    let (steps, pieces) = (watch.steps, Job { out: folder.path().join("pieces"), ..job.clone() });
    let mut runs = 0;
    loop {
        let mut watch = Stages { stop_after: 3, steps: 0, names: Vec::new() };
        let outcome = run(&Job { resume: runs > 0, ..pieces.clone() }, &mut watch).unwrap();
        runs += 1;
        assert!(runs <= steps, "the run does not end");
        if matches!(outcome, Outcome::Finished(_)) {
            break;
        }
    }
    assert!(runs > steps / 4, "{runs} runs for {steps} steps");
    assert!(weights(&job) == weights(&pieces), "the weights differ");
}

#[test]
fn a_student_learns_from_a_teacher_without_labels() {
    let folder = tempfile::tempdir().unwrap();
    let job = |out: &str, data: std::path::PathBuf, base: std::path::PathBuf| Job {
        device: TrainingDevice::Cpu,
        data: vec![data],
        base,
        teacher: None,
        out: folder.path().join(out),
        recipe: Recipe {
            epochs: 6,
            least_steps: 0,
            max_tokens: 48,
            context_tokens: 0,
            batch_rows: 16,
            learning_rate: 3e-3,
            ..Recipe::default()
        },
        seed: 1,
        resume: false,
        force: false,
        commit: None,
    };
    // Half of the rows keep their labels, so that the student's heads have every label; the other half are only texts.
    let rows = std::fs::read_to_string(repository("training-data/smoke/train.jsonl")).unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    let bare = |line: &str| {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        serde_json::json!({"text": row["text"]}).to_string()
    };
    let lines: Vec<String> = rows.lines().enumerate().map(|(i, line)| if i % 2 == 0 { line.to_owned() } else { bare(line) }).collect();
    std::fs::write(data.join("train.jsonl"), lines.join("\n")).unwrap();
    let tiny = repository("models/tiny");
    let taught = Job { teacher: Some(tiny.clone()), ..job("taught", data.clone(), tiny.clone()) };
    let alone = job("alone", data, tiny);
    for job in [&taught, &alone] {
        assert!(matches!(run(job, &mut StopAfter(u64::MAX, 0.into())).unwrap(), Outcome::Finished(_)));
    }
    let teacher = LoadedModel::open(&taught.out).unwrap().manifest.training.unwrap().teacher_sha256;
    assert!(teacher.is_some_and(|sha256| sha256.len() == 64));
    assert!(weights(&taught.out)["heads.intent.weight"] != weights(&alone.out)["heads.intent.weight"]);
    let missing = Job { teacher: Some(folder.path().join("nowhere")), out: folder.path().join("none"), ..alone };
    assert!(format!("{:#}", run(&missing, &mut StopAfter(u64::MAX, 0.into())).unwrap_err()).contains("teacher"));
}

/// The same steps by the kernels and by the graph that a card learns with: two models that are much nearer to each other than to the base.
#[test]
fn the_graph_learns_what_the_kernels_learn() {
    let folder = tempfile::tempdir().unwrap();
    let learned = |device, out: &str| {
        let recipe = Recipe { epochs: 2, max_tokens: 48, context_tokens: 0, dropout: 0.0, ..Recipe::default() };
        let job = Job { device, ..smoke(folder.path().join(out), recipe) };
        run(&job, &mut StopAfter(u64::MAX, 0.into())).unwrap();
        weights(&job.out)
    };
    let (kernels, graph) = (learned(TrainingDevice::Cpu, "kernels"), learned(TrainingDevice::Candle, "graph"));
    let base = weights(&repository("models/tiny"));
    let distance = |a: &HashMap<String, Vec<f32>>, b: &HashMap<String, Vec<f32>>| {
        let encoder = a.iter().filter(|(name, _)| !name.starts_with("heads."));
        let squares = encoder.flat_map(|(name, a)| a.iter().zip(&b[name])).map(|(a, b)| f64::from(a - b).powi(2));
        squares.sum::<f64>().sqrt()
    };
    let (apart, travelled) = (distance(&kernels, &graph), distance(&kernels, &base));
    println!("{apart} apart after {travelled}");
    assert!(travelled > 0.0 && apart <= 0.1 * travelled, "{apart} apart after {travelled}");
}
