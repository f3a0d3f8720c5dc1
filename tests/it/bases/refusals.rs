//! What cannot be imported, and what a file does not say.

use super::{MOST, fixture, utterance};
use hearken::import::translate;
use hearken::model::EncoderConfig;
use hearken::text::TextEncoder;
use std::path::Path;

/// A copy of a fixture with something changed in it.
fn broken(name: &str, change: impl Fn(&Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from");
    std::fs::create_dir_all(&from).unwrap();
    for entry in std::fs::read_dir(fixture(name)).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), from.join(entry.file_name())).unwrap();
    }
    change(&from);
    let to = folder.path().join("to");
    let error = translate(&from, &to).map(drop).unwrap_err().to_string();
    assert!(!to.join("config.json").exists(), "{error}: what was written looks whole");
    error
}

fn replace(file: &'static str, from: &'static str, to: &'static str) -> impl Fn(&Path) {
    move |folder| {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        std::fs::write(folder.join(file), text.replacen(from, to, 1)).unwrap();
    }
}

#[test]
fn what_cannot_be_imported_says_why_and_what_to_do() {
    let remove = |file: &'static str| move |folder: &Path| std::fs::remove_file(folder.join(file)).unwrap();
    let cut = |file: &'static str| {
        move |folder: &Path| {
            let bytes = std::fs::read(folder.join(file)).unwrap();
            std::fs::write(folder.join(file), &bytes[..bytes.len() / 2]).unwrap();
        }
    };
    let config = "config.json";
    let cases = [
        (broken("bert", replace(config, "\"bert\"", "\"t5\"")), vec!["model_type", "t5", "roberta", "modernbert"]),
        (broken("bert", replace(config, "\"gelu\"", "\"relu\"")), vec!["config.json", "hidden_act"]),
        (broken("bert", replace(config, "\"hidden_size\": 32", "\"hidden_size\": 48")), vec!["embeddings", "[300, 48]"]),
        (broken("bert", replace(config, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3")), vec!["encoder.layer.2", "missing"]),
        (
            broken("roberta", replace(config, "\"max_position_embeddings\": 130", "\"max_position_embeddings\": 140")),
            vec!["position_embeddings", "shape"],
        ),
        (broken("deberta-v3", replace(config, "\"p2c|c2p\"", "\"p2c|p2p\"")), vec!["pos_att_type", "p2p"]),
        (
            broken("deberta-v3", replace(config, "\"position_buckets\"", "\"conv_kernel_size\": 3, \"position_buckets\"")),
            vec!["conv_kernel_size"],
        ),
        (broken("modernbert", replace(config, "\"gelu\"", "\"silu\"")), vec!["hidden_act", "silu"]),
        (broken("bert", remove(config)), vec!["config.json", "hearken model pull"]),
        (broken("bert", remove("tokenizer.json")), vec!["tokenizer.json", "save_pretrained"]),
        (broken("bert", remove("model.safetensors")), vec!["model.safetensors", "pytorch_model.bin"]),
        (broken("bert", cut("model.safetensors")), vec!["model.safetensors"]),
        (broken("xlm-roberta", cut("pytorch_model.bin")), vec!["pytorch_model.bin", "safe_serialization"]),
        (broken("modernbert", remove("model-00002-of-00002.safetensors")), vec!["model-00002-of-00002", "fetch"]),
        (
            broken("modernbert", replace("model.safetensors.index.json", "model-00001", "../model-00001")),
            vec!["index.json", "plain file name"],
        ),
        (broken("bert", replace(config, "\"vocab_size\": 300", "\"vocab_size\": 299")), vec!["299"]),
        (broken("bert", |folder| std::fs::write(folder.join("config.json"), "[1]").unwrap()), vec!["config.json"]),
    ];
    for (error, wanted) in cases {
        for part in wanted {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }
}

/// A `tokenizer.json` that says nothing of special tokens gets them from `tokenizer_config.json`.
#[test]
fn special_tokens_come_from_the_tokenizers_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("from");
    std::fs::create_dir_all(&from).unwrap();
    for entry in std::fs::read_dir(fixture("roberta")).unwrap().map(Result::unwrap) {
        std::fs::copy(entry.path(), from.join(entry.file_name())).unwrap();
    }
    let file = from.join("tokenizer.json");
    let mut tokenizer: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    tokenizer["post_processor"] = serde_json::Value::Null;
    std::fs::write(&file, tokenizer.to_string()).unwrap();
    let made = translate(&from, &folder.path().join("to")).unwrap();
    let text = TextEncoder::open(&made.path.join("tokenizer.json"), MOST, 0).unwrap();
    let encoded = text.encode(&utterance("where"), &[]).unwrap();
    assert_eq!((encoded.ids.first(), encoded.ids.last()), (Some(&0), Some(&2)));
    std::fs::write(from.join("tokenizer_config.json"), "{}").unwrap();
    let error = translate(&from, &folder.path().join("other")).unwrap_err().to_string();
    assert!(error.contains("cls_token") && error.contains("tokenizer_config.json"), "{error}");
}

#[test]
fn a_configuration_that_no_backend_runs_points_to_the_import() {
    let error = EncoderConfig::parse("{\"model_type\": \"roberta\"}").unwrap_err().to_string();
    assert!(error.contains("hearken model import") && error.contains("modernbert"), "{error}");
}
