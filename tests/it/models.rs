//! Model directories that contradict themselves are refused by file and key.

use crate::shop::repository;
use candle_core::{DType, Device, Tensor};
use hearken::backend::cpu::measure_channels;
use hearken::backend::{Options, choose};
use hearken::model::{LoadedModel, file_sha256, write_channels};
use hearken::text::Utterance;
use std::path::{Path, PathBuf};

fn copy(folder: &Path) -> PathBuf {
    let to = folder.join("model");
    std::fs::create_dir_all(&to).unwrap();
    for file in ["config.json", "tokenizer.json", "model.safetensors", "hearken.toml", "CARD.md"] {
        std::fs::copy(repository("models/tiny").join(file), to.join(file)).unwrap();
    }
    to
}

/// Replaces text in a file and, but for the manifest, mends its checksum.
fn change(model: &Path, file: &str, from: &str, to: &str) {
    let before = file_sha256(&model.join(file)).unwrap();
    let text = std::fs::read_to_string(model.join(file)).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(model.join(file), text.replacen(from, to, 1)).unwrap();
    if file != "hearken.toml" {
        let after = file_sha256(&model.join(file)).unwrap();
        change(model, "hearken.toml", &before, &after);
    }
}

fn refusal(model: &Path) -> String {
    LoadedModel::open(model).map(drop).unwrap_err().to_string()
}

#[test]
fn contradictions_name_file_and_key() {
    let cases = [
        ("config.json", "\"hidden_size\": 32", "\"hidden_size\": 48", vec!["model.safetensors", "heads.intent.weight"]),
        ("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", vec!["model.safetensors", "encoder.layer.2"]),
        ("config.json", "\"vocab_size\": ", "\"vocab_size\": 9", vec!["model.safetensors", "word_embeddings"]),
        ("config.json", "\"gelu\"", "\"relu\"", vec!["config.json", "hidden_act"]),
        ("hearken.toml", "max_tokens = 64", "max_tokens = 65", vec!["hearken.toml", "max_tokens", "max_position_embeddings"]),
        ("hearken.toml", "context_tokens = 24", "context_tokens = 64", vec!["hearken.toml", "context_tokens"]),
        ("hearken.toml", "rejection = true", "rejection = false", vec!["model.safetensors", "heads.intent.weight", "[6, 32]", "[5, 32]"]),
        ("hearken.toml", "\"track_order\"", "\"thanks\"", vec!["hearken.toml", "heads.intent.labels", "thanks"]),
        ("hearken.toml", "thresholds = [0.5, 0.5]", "thresholds = [0.5]", vec!["hearken.toml", "heads.emotions.thresholds"]),
        ("hearken.toml", "temperature = 1.0", "temperature = 0.0", vec!["hearken.toml", "heads.intent.calibration.temperature"]),
        ("hearken.toml", "pooling = \"mean\"", "pooling = \"max\"", vec!["hearken.toml", "pooling"]),
        ("hearken.toml", "language = \"en\"", "langauge = \"en\"", vec!["hearken.toml", "langauge"]),
        ("hearken.toml", "format = 1", "format = 2", vec!["hearken.toml", "format"]),
        ("hearken.toml", "\"tokenizer.json\" = ", "\"other.json\" = ", vec!["hearken.toml", "tokenizer.json"]),
        ("tokenizer.json", "[CLS]", "[BOS]", vec!["tokenizer.json"]),
        ("tokenizer.json", "{", "", vec!["tokenizer.json"]),
    ];
    for (file, from, to, wanted) in cases {
        let folder = tempfile::tempdir().unwrap();
        let model = copy(folder.path());
        change(&model, file, from, to);
        let error = refusal(&model);
        for part in wanted {
            assert!(error.contains(part), "{file}, {from} to {to}: `{part}` is not in: {error}");
        }
    }
}

#[test]
fn missing_changed_and_cut_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(refusal(folder.path()).contains("hearken.toml"));
    let model = copy(folder.path());
    std::fs::write(model.join("config.json"), "{}").unwrap();
    let error = refusal(&model);
    assert!(error.contains("config.json") && error.contains("sha256") && error.contains("fetch the model again"), "{error}");
    let model = copy(folder.path());
    let weights = std::fs::read(model.join("model.safetensors")).unwrap();
    let before = file_sha256(&model.join("model.safetensors")).unwrap();
    for cut in [0, 4, 100, weights.len() - 1] {
        std::fs::write(model.join("model.safetensors"), &weights[..cut]).unwrap();
        let after = file_sha256(&model.join("model.safetensors")).unwrap();
        std::fs::copy(repository("models/tiny/hearken.toml"), model.join("hearken.toml")).unwrap();
        change(&model, "hearken.toml", &before, &after);
        assert!(refusal(&model).contains("model.safetensors"), "cut at {cut}");
    }
    std::fs::remove_file(model.join("tokenizer.json")).unwrap();
    assert!(refusal(&model).contains("tokenizer.json"));
}

#[test]
fn the_shipped_models_open_and_fit_their_bounds() {
    for (name, version, bytes) in [("tiny", "1.0.0", 200_000), ("storefront-en", "1.3.0", 48_000_000)] {
        let model = crate::shop::model(name);
        assert_eq!(model.id(), format!("{name}@{version}"));
        let folder = repository("models").join(name);
        let size: u64 = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
        assert!(size <= bytes, "{name}: {size} bytes");
        assert!(folder.join("CARD.md").is_file());
    }
}

/// Measured channels are written beside the weights, used, and refused by name when they make no sense.
#[test]
fn measured_channels_are_written_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy(folder.path());
    let model = LoadedModel::open(&path).unwrap();
    assert!(model.channels("layer.0.qkv.mean", 32).unwrap().is_none());
    let messages: Vec<_> = ["where is my order", "thanks", "refund please"]
        .iter()
        .map(|text| model.text.encode(&Utterance::new(*text).unwrap(), &[]).unwrap())
        .collect();
    let channels = measure_channels(&model, &messages).unwrap();
    for _ in 0..2 {
        write_channels(&path, &channels).unwrap();
        let model = LoadedModel::open(&path).unwrap();
        assert_eq!(model.channels("layer.0.qkv.mean", 32).unwrap().unwrap().len(), 32);
        choose("cpu").unwrap().prepare(&model, Options::default()).unwrap();
    }

    let prepared = |name: &str, values: &[f32]| {
        let mut wrong = channels.clone();
        wrong.insert(name.to_owned(), Tensor::new(values, &Device::Cpu).unwrap());
        write_channels(&path, &wrong).unwrap();
        choose("cpu").unwrap().prepare(&LoadedModel::open(&path).unwrap(), Options::default()).map(drop).unwrap_err().to_string()
    };
    for (name, values) in
        [("layer.1.up.mean", &[f32::NAN; 32][..]), ("layer.1.up.mean", &[1e30; 32]), ("layer.0.down.deviation", &[0.5; 7])]
    {
        let error = prepared(name, values);
        assert!(error.contains("channels.safetensors") && error.contains(name), "{error}");
    }

    // Killed between the two files: the old manifest without the channels loads, the old checksum is named.
    std::fs::write(path.join("channels.safetensors"), b"cut").unwrap();
    assert!(refusal(&path).contains("channels.safetensors"));
}

/// Weights that are no numbers are refused rather than quantised to something that looks like an answer.
#[test]
fn weights_that_are_no_numbers_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy(folder.path());
    let file = path.join("model.safetensors");
    let before = file_sha256(&file).unwrap();
    let mut tensors = candle_core::safetensors::load(&file, &Device::Cpu).unwrap();
    let name = "encoder.layer.1.output.dense.weight";
    let shape = tensors[name].shape().clone();
    tensors.insert(name.to_owned(), Tensor::full(f32::NAN, shape, &Device::Cpu).unwrap().to_dtype(DType::F16).unwrap());
    candle_core::safetensors::save(&tensors, &file).unwrap();
    change(&path, "hearken.toml", &before, &file_sha256(&file).unwrap());
    let model = LoadedModel::open(&path).unwrap();
    let error = choose("cpu").unwrap().prepare(&model, Options::default()).map(drop).unwrap_err().to_string();
    assert!(error.contains(name) && error.contains("not a finite number"), "{error}");
}
