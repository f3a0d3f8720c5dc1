//! `hearken model pull` against a stub of the hub on this machine, which answers as the hub does: redirects for large files, ranges,
//! commits and entity tags in headers. It can also drop connections, send wrong bytes and ask for a token.

use crate::shop::repository;
use hearken::model::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the stub does wrong with the weights.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Closes the connection in the middle, so many times.
    Drop(u32),
    /// Flips a byte, so many times.
    Damage(u32),
}

struct State {
    files: BTreeMap<String, Vec<u8>>,
    fault: Fault,
    token: Option<String>,
    /// Path and range of each request.
    seen: Vec<(String, String)>,
}

/// A stub at work.
struct Hub {
    address: String,
    state: Arc<Mutex<State>>,
    folder: tempfile::TempDir,
}

impl Hub {
    /// A hub with the files of a fixture under the names `owner/model`, `private/x`, `gated/x`.
    fn new(fixture: &str) -> Self {
        let from = repository("tests/corpus/bases").join(fixture);
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(&from).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            files.insert(entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap());
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { files, fault: Fault::None, token: None, seen: Vec::new() }));
        let (shared, own) = (Arc::clone(&state), address.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, address) = (Arc::clone(&shared), own.clone());
                std::thread::spawn(move || answer(stream, &state, &address));
            }
        });
        Self { address, state, folder: tempfile::tempdir().unwrap() }
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap();
        state.seen.clear();
        change(&mut state);
    }

    fn out(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pull(&self, name: &str, out: &str, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
        command.args(["model", "pull", name, "--out"]).arg(self.out(out)).args(more);
        for variable in ["HF_TOKEN", "HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(variable);
        }
        command.env("HF_ENDPOINT", &self.address).env("HF_HOME", self.out("cache")).output().unwrap()
    }

    fn succeeds(&self, name: &str, out: &str, more: &[&str]) -> String {
        let output = self.pull(name, out, more);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn fails(&self, name: &str, more: &[&str]) -> String {
        let output = self.pull(name, "refused", more);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(!self.out("refused").join("source.json").exists() && !error.contains("panicked"), "{error}");
        error
    }

    /// Every file of the model is in `out` as the hub has it, and recorded.
    fn check(&self, out: &str) {
        let record: Value = serde_json::from_str(&std::fs::read_to_string(self.out(out).join("source.json")).unwrap()).unwrap();
        assert_eq!((&record["name"], &record["commit"]), (&json!("owner/model"), &json!(COMMIT)));
        let state = self.state.lock().unwrap();
        let wanted = state.files.iter().filter(|(name, _)| !name.starts_with("golden"));
        for (name, bytes) in wanted {
            assert!(std::fs::read(self.out(out).join(name)).unwrap() == *bytes, "{name}");
            assert_eq!(record["files"][name], hex(&Sha256::digest(bytes)), "{name}");
        }
        assert!(!self.out(out).join("golden.json").exists(), "what nobody needs is not fetched");
    }
}

fn respond(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8], announced: usize) {
    let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {announced}\r\n{headers}\r\n");
    let _ = stream.write_all(body);
}

fn answer(mut stream: TcpStream, state: &Mutex<State>, address: &str) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    let headers: BTreeMap<String, String> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": ").map(|(key, value)| (key.to_lowercase(), value.to_owned())))
        .collect();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let range = headers.get("range").cloned().unwrap_or_default();
    let mut state = state.lock().unwrap();
    state.seen.push((path.clone(), range.clone()));
    let refuse = |stream: &mut TcpStream, status: &str| respond(stream, status, "", b"{}", 2);
    let authorised = state.token.as_ref().is_none_or(|token| headers.get("authorization") == Some(&format!("Bearer {token}")));
    if path.contains("private/") || !authorised {
        return refuse(&mut stream, "401 Unauthorized");
    }
    if let Some(rest) = path.strip_prefix("/api/models/") {
        if !rest.ends_with("/revision/main") || rest.starts_with("gone/") {
            return refuse(&mut stream, "404 Not Found");
        }
        let siblings: Vec<Value> = state.files.keys().map(|name| json!({"rfilename": name})).collect();
        let body = json!({"sha": COMMIT, "siblings": siblings}).to_string();
        return respond(&mut stream, "200 OK", "", body.as_bytes(), body.len());
    }
    if path.contains("gated/") {
        return refuse(&mut stream, "403 Forbidden");
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some(bytes) = state.files.get(name).cloned() else { return refuse(&mut stream, "404 Not Found") };
    let large = Path::new(name).extension().is_some_and(|extension| extension == "safetensors" || extension == "bin");
    let tag = if large { hex(&Sha256::digest(&bytes)) } else { format!("{:x}", bytes.len()) };
    if large && !path.starts_with("/cdn/") {
        let headers = format!("Location: {address}/cdn/{name}\r\nX-Linked-Etag: \"{tag}\"\r\nETag: \"x\"\r\nX-Repo-Commit: {COMMIT}\r\n");
        return respond(&mut stream, "302 Found", &headers, b"", 0);
    }
    send(&mut stream, &mut state.fault, &bytes, &range, &tag);
}

/// A part of a file, or the whole of it, with the fault of the day.
fn send(stream: &mut TcpStream, fault: &mut Fault, bytes: &[u8], range: &str, tag: &str) {
    let (from, to) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).unwrap_or(("0", ""));
    let from: usize = from.parse().unwrap();
    let to = to.parse::<usize>().map_or(bytes.len(), |to| to + 1).min(bytes.len());
    if from >= bytes.len() {
        return respond(stream, "416 Range Not Satisfiable", "", b"", 0);
    }
    let headers = format!("ETag: \"{tag}\"\r\nX-Repo-Commit: {COMMIT}\r\nContent-Range: bytes {from}-{}/{}\r\n", to - 1, bytes.len());
    let mut body = bytes[from..to].to_vec();
    let announced = body.len();
    if tag.len() == 64 && announced > 1 {
        match fault {
            Fault::Drop(times) if *times > 0 => {
                *times -= 1;
                body.truncate(announced / 2);
            }
            Fault::Damage(times) if *times > 0 => {
                *times -= 1;
                body[announced / 2] ^= 1;
            }
            _ => {}
        }
    }
    respond(stream, "206 Partial Content", &headers, &body, announced);
}

#[test]
fn a_model_is_fetched_recorded_and_found_again_offline() {
    let hub = Hub::new("deberta-v3");
    let out = hub.succeeds("owner/model", "first", &[]);
    assert!(out.contains(COMMIT) && out.contains("hearken train"), "{out}");
    hub.check("first");
    hub.set(|state| state.files.clear());
    let hub_seen = || hub.state.lock().unwrap().seen.len();
    hub.succeeds("owner/model", "second", &["--offline"]);
    assert_eq!(hub_seen(), 0, "offline asks nobody");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        assert_eq!(std::fs::read(hub.out("first").join(file)).unwrap(), std::fs::read(hub.out("second").join(file)).unwrap());
    }
    // What is imported from it keeps the commit.
    let mut import = Command::new(env!("CARGO_BIN_EXE_hearken"));
    let output = import.args(["model", "import"]).arg(hub.out("first")).arg("--out").arg(hub.out("base")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let config: Value = serde_json::from_str(&std::fs::read_to_string(hub.out("base").join("config.json")).unwrap()).unwrap();
    assert_eq!((&config["hearken"]["name"], &config["hearken"]["commit"]), (&json!("owner/model"), &json!(COMMIT)));
}

#[test]
fn shards_and_pickles_are_fetched() {
    let hub = Hub::new("modernbert");
    hub.succeeds("owner/model", "out", &[]);
    hub.check("out");
    let hub = Hub::new("xlm-roberta");
    hub.succeeds("owner/model", "out", &[]);
    hub.check("out");
}

#[test]
fn a_broken_connection_is_gone_on_from() {
    let hub = Hub::new("deberta-v3");
    hub.set(|state| state.fault = Fault::Drop(1));
    hub.succeeds("owner/model", "out", &[]);
    hub.check("out");
    let resumed = |hub: &Hub| {
        let state = hub.state.lock().unwrap();
        state.seen.iter().any(|(path, range)| path.contains("model.safetensors") && range.ends_with('-') && range != "bytes=0-")
    };
    assert!(resumed(&hub), "{:?}", hub.state.lock().unwrap().seen);

    // Broken off for good: the same command goes on later.
    let hub = Hub::new("deberta-v3");
    hub.set(|state| state.fault = Fault::Drop(1000));
    let error = hub.fails("owner/model", &[]);
    assert!(error.contains("same command"), "{error}");
    hub.set(|state| state.fault = Fault::None);
    hub.succeeds("owner/model", "out", &[]);
    hub.check("out");
    assert!(resumed(&hub), "{:?}", hub.state.lock().unwrap().seen);
}

#[test]
fn a_part_that_is_too_long_or_whole_is_no_obstacle() {
    let hub = Hub::new("deberta-v3");
    let weights = hub.state.lock().unwrap().files["model.safetensors"].clone();
    let blobs = hub.out("cache/hub/models--owner--model/blobs");
    std::fs::create_dir_all(&blobs).unwrap();
    let part = blobs.join(format!("{}.part", hex(&Sha256::digest(&weights))));
    for bytes in [&weights[..], &[&weights[..], b"more"].concat()] {
        std::fs::write(&part, bytes).unwrap();
        hub.succeeds("owner/model", "out", &["--force"]);
        hub.check("out");
        std::fs::remove_dir_all(hub.out("cache/hub/models--owner--model/snapshots")).unwrap();
    }
}

#[test]
fn damaged_bytes_are_fetched_again_and_then_refused() {
    let hub = Hub::new("deberta-v3");
    hub.set(|state| state.fault = Fault::Damage(1));
    hub.succeeds("owner/model", "out", &[]);
    hub.check("out");
    let hub = Hub::new("deberta-v3");
    hub.set(|state| state.fault = Fault::Damage(1000));
    let error = hub.fails("owner/model", &[]);
    assert!(error.contains("model.safetensors") && error.contains("sha256"), "{error}");
}

#[test]
fn refusals_name_the_way_out() {
    let hub = Hub::new("bert");
    for (name, parts) in [
        ("private/x", vec!["private/x", "401", "HF_TOKEN"]),
        ("gated/x", vec!["gated/x", "403", "conditions", "HF_TOKEN"]),
        ("gone/x", vec!["gone/x", "404", "--revision"]),
        ("../x", vec!["../x", "OWNER/NAME"]),
    ] {
        let error = hub.fails(name, &[]);
        for part in parts {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }
    let error = hub.fails("owner/model", &["--revision", "v9"]);
    assert!(error.contains("v9") && error.contains("404"), "{error}");
    let error = hub.fails("owner/model", &["--offline"]);
    assert!(error.contains("cache") && error.contains("without --offline"), "{error}");
    hub.set(|state| drop(state.files.remove("tokenizer.json")));
    let error = hub.fails("owner/model", &[]);
    assert!(error.contains("tokenizer.json") && error.contains("save_pretrained"), "{error}");
}

fn with(hub: &Hub, key: &str, value: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearken"));
    command.args(["model", "pull", "owner/model", "--out"]).arg(hub.out("out"));
    command.env("HF_ENDPOINT", format!("{}/", hub.address)).env("HF_HOME", hub.out("cache")).env(key, value).output().unwrap()
}

#[test]
fn the_environment_is_heard() {
    let hub = Hub::new("bert");
    hub.set(|state| state.token = Some("secret".to_owned()));
    let output = with(&hub, "HF_TOKEN", Path::new("wrong"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("401"));
    assert!(with(&hub, "HF_TOKEN", Path::new("secret")).status.success());
    hub.check("out");
    let file = hub.out("file");
    std::fs::write(&file, "").unwrap();
    let output = with(&hub, "HF_HOME", &file);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && !error.contains("panicked"), "{error}");
    // Nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = with(&hub, "HF_ENDPOINT", Path::new(&format!("http://{closed}")));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("cannot be reached") && error.contains("--offline"), "{error}");
}

#[test]
fn what_is_there_is_not_written_over() {
    let hub = Hub::new("bert");
    std::fs::create_dir_all(hub.out("refused")).unwrap();
    std::fs::write(hub.out("refused/precious.txt"), "keep").unwrap();
    assert!(hub.fails("owner/model", &[]).contains("--force"));
    hub.succeeds("owner/model", "again", &[]);
    hub.succeeds("owner/model", "again", &[]);
    hub.check("again");
}
