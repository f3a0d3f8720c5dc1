//! The program as its users run it.

use crate::shop::repository;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

fn hearken(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    command.args(args).current_dir(repository(".")).env("HEARKEN_STORE", "none");
    command
}

fn run(args: &[&str]) -> (Output, String, String) {
    let output = hearken(args).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned());
    (output, out, err)
}

#[test]
fn every_command_has_help_with_an_example() {
    for args in [
        vec![],
        vec!["serve"],
        vec!["classify"],
        vec!["train"],
        vec!["eval"],
        vec!["compare"],
        vec!["data", "check"],
        vec!["data", "stats"],
        vec!["data", "label"],
        vec!["data", "redact"],
        vec!["data", "split"],
        vec!["doctor"],
        vec!["backtest"],
        vec!["export"],
        vec!["policy", "check"],
        vec!["policy", "show"],
        vec!["policy", "explain"],
        vec!["store", "migrate"],
        vec!["store", "backup"],
        vec!["store", "verify"],
        vec!["store", "purge"],
        vec!["bench", "engine"],
        vec!["bench", "training"],
        vec!["bench", "advise"],
        vec!["bench", "agree"],
        vec!["cv"],
        vec!["model", "card"],
        vec!["model", "calibrate"],
        vec!["import"],
        vec!["export"],
        vec!["model", "import"],
        #[cfg(feature = "hub")]
        vec!["model", "pull"],
    ] {
        let (output, out, _) = run(&[&args[..], &["--help"]].concat());
        assert!(output.status.success() && out.contains("Usage:"), "{args:?}");
        assert!(args == ["doctor"] || out.contains("Example"), "{args:?} teaches nothing");
    }
    assert_eq!(run(&["clasify"]).0.status.code(), Some(2));
    assert_eq!(run(&["train", "--data", "x"]).0.status.code(), Some(2));
}

#[test]
fn lines_are_answered_in_order_and_a_bad_one_is_named() {
    let mut child = hearken(&["classify", "-", "--model", "tiny", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"where is my order\n\nbad \xff line\nthanks\r\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let lines: Vec<Value> = String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0]["intent"]["name"].is_string());
    assert_eq!([&lines[0]["id"], &lines[1]["id"]], ["1", "4"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("line 3: invalid UTF-8 at byte 4"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn doctor_says_what_is_on_and_a_missing_model_says_what_to_do() {
    let (output, out, err) = run(&["doctor", "--model", "tiny"]);
    assert!(output.status.success(), "{err}");
    for part in ["kernels scalar", "chosen", "backend candle", "tiny@1.0.0", "limits"] {
        assert!(out.contains(part), "{part} is not in {out}");
    }
    let (output, _, err) = run(&["classify", "--model", "nowhere", "hi"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("nowhere") && err.contains("hearken.toml"), "{err}");
    let (output, _, err) = run(&["classify", "--model", "tiny", "--device", "abacus", "hi"]);
    assert!(output.status.code() == Some(1) && err.contains("abacus") && err.contains("candle"), "{err}");
}

#[test]
fn bench_engine_measures_and_says_what_it_is_given_wrong() {
    let (output, out, err) = run(&["bench", "engine", "--model", "tiny", "--seconds", "0.05", "--threads", "2", "--json"]);
    assert!(output.status.success(), "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    for figure in ["messages_per_second", "tokens_per_second", "text_to_prediction_messages_per_second"] {
        assert!(report[figure].as_f64().unwrap() > 0.0, "{figure}: {out}");
    }
    assert!(report["cosine"]["worst"].as_f64().unwrap() > 0.9 && report["kernel_tier"].is_string(), "{out}");
    let (_, out, _) = run(&["bench", "engine", "--model", "tiny", "--seconds", "0.02", "--latency"]);
    assert!(out.contains("16 tokens: p50"), "{out}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.txt");
    std::fs::write(&file, "\n").unwrap();
    let file = file.to_str().unwrap();
    for (wrong, said) in
        [(["--seconds", "1e30"], "--seconds"), (["--workload", file], "no message"), (["--workload", "nowhere"], "nowhere")]
    {
        let (output, _, err) = run(&[&["bench", "engine", "--model", "tiny"], &wrong[..]].concat());
        assert!(output.status.code() == Some(1) && err.contains(said), "{wrong:?}: {err}");
    }
}

#[test]
fn whoever_stops_reading_is_no_panic() {
    let mut child = hearken(&["doctor", "--model", "tiny"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_authored_data_has_no_errors() {
    let (output, out, _) = run(&["data", "check", "training-data/storefront-en", "training-data/smoke"]);
    assert!(output.status.success(), "{out}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("train.jsonl"),
        "{\"text\": \"Hello there\", \"intent\": \"a\"}\n{\"text\": \"hello, there\", \"intent\": \"b\"}\n{\"text\": 5}\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("test.jsonl"), "{\"text\": \"hello there!\", \"intent\": \"c\"}\n").unwrap();
    let (output, out, _) = run(&["data", "check", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    for part in [
        "train.jsonl:2: warning: intent `b`, but `a`",
        "train.jsonl:3: error: `text`",
        "test.jsonl:1: error: the text stands in train too",
        "intent `c` stands in valid or test",
    ] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
}

/// A server on a free port, and its address.
fn server() -> (Child, String) {
    let mut child = hearken(&["serve", "--model", "tiny", "--port", "0"]).env_remove("RUST_LOG").stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("http://") {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
    }
    let address = line.split("http://").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
    (child, address)
}

fn exchange(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_server_answers_and_stops_on_sigterm() {
    let (mut child, address) = server();
    let body = "{\"input\": \"where is my order?\"}";
    let request = format!(
        "POST /v1/classify HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(&address, &request);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"intent\""), "{answer}");
    assert!(
        exchange(&address, &format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")).starts_with("HTTP/1.1 200")
    );
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn settings_that_are_wrong_name_the_key() {
    for (args, part) in [
        (vec!["serve", "--port", "99999"], "port"),
        (vec!["serve", "--config", "nowhere.toml"], "nowhere.toml"),
        (vec!["serve", "--model", "tiny", "--policy", "nowhere.yaml"], "nowhere.yaml"),
    ] {
        let (output, _, err) = run(&args);
        assert!(!output.status.success() && err.contains(part), "{args:?}: {err}");
    }
    let output = hearken(&["serve", "--model", "tiny"]).env("HEARKEN_QUEUE", "many").output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("QUEUE"), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn bench_advise_says_what_to_start() {
    let cache = tempfile::tempdir().unwrap();
    let advise = |args: &[&str]| {
        let args = [&["bench", "advise", "--model", "tiny", "--seconds", "0.05"], args].concat();
        let output = hearken(&args).env("XDG_CACHE_HOME", cache.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, out, err) = advise(&["--p99-ms", "10000", "--price-cpu-hour", "3.6", "--json"]);
    assert_eq!(code, Some(0), "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let setups = report["setups"].as_array().unwrap();
    assert!(setups.iter().all(|setup| setup["capacity"].as_f64().unwrap() > 0.0 && setup["alone"]["p50_ms"].as_f64().is_some()));
    let best = &report["best"];
    let (rate, cost) = (best["messages_per_second"].as_f64().unwrap(), best["cost_per_million"].as_f64().unwrap());
    // 3.6 an hour is a thousandth a second.
    assert!((cost * rate / 1000.0 - 1.0).abs() < 0.01, "{cost} for a million at {rate}");
    assert!(report["command"].as_str().unwrap().starts_with("hearken serve --model tiny --device "));
    let kept = std::fs::read_to_string(cache.path().join("hearken/devices.json")).unwrap();
    assert!(kept.contains("\"cpu\":"), "{kept}");
    let (_, out, _) = advise(&["--p99-ms", "0.000001"]);
    assert!(out.contains("No setup answers 99 of 100 messages within 0.000001 ms"), "{out}");
    for (wrong, said) in [("--p99-ms=0", "--p99-ms"), ("--price-cpu-hour=-1", "price"), ("--workload=nowhere.txt", "nowhere.txt")] {
        let (code, _, err) = advise(&[wrong]);
        assert!(code == Some(1) && err.contains(said), "{wrong}: {err}");
    }
}

#[test]
fn bench_agree_compares_a_device_with_the_reference() {
    let folder = tempfile::tempdir().unwrap();
    let workload = folder.path().join("messages.txt");
    std::fs::write(&workload, "where is my order\nhi\nI want my money back\n").unwrap();
    let agree = ["bench", "agree", "--model", "tiny", "--device", "cpu", "--json", "--workload", workload.to_str().unwrap()];
    let (output, out, err) = run(&agree);
    assert!(output.status.success(), "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["messages"], &report["reference"]), (&Value::from(3), &Value::from("candle")));
    assert_eq!(report["alone_and_in_batch"]["largest_logit_error"], 0.0, "{report}");
    assert!(report["largest_logit_error"].as_f64().unwrap() > 0.0 && report["argmax_equal"].as_f64().unwrap() > 0.9, "{report}");
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_card_that_cannot_be_used_is_named_with_the_way_out() {
    for args in [vec!["classify", "hi", "--device", "cuda"], vec!["bench", "training", "--base", "models/tiny", "--device", "cuda"]] {
        let (output, _, err) = run(&args);
        assert!(!output.status.success() && err.contains("scripts/build-cuda"), "{args:?}: {err}");
    }
    let (output, _, err) = run(&["bench", "training", "--base", "models/tiny", "--device", "tpu"]);
    assert!(output.status.code() == Some(2) && err.contains("choose cpu, cuda or candle"), "{err}");
}

#[test]
fn bench_training_measures_and_says_what_it_is_given_wrong() {
    let tiny = ["bench", "training", "--base", "models/tiny"];
    let (output, out, err) = run(&[&tiny[..], &["--steps", "2", "--rows", "3", "--tokens", "5", "--json"]].concat());
    assert!(output.status.success(), "{err}");
    let figures: Value = serde_json::from_str(&out).unwrap();
    assert!(figures["step_ms"]["p50"].as_f64().unwrap() > 0.0 && figures["element"].is_string(), "{out}");
    for (flag, value) in [("--rows", "0"), ("--tokens", "65"), ("--steps", "0"), ("--base", "nowhere")] {
        let (output, _, err) =
            run(&[&["bench", "training"], &["--base", "models/tiny"][..if flag == "--base" { 0 } else { 2 }], &[flag, value]].concat());
        assert!(output.status.code() == Some(1) && err.contains(flag.trim_start_matches('-')) || err.contains(value), "{flag}: {err}");
    }
}
