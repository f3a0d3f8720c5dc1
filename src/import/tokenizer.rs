//! The tokenizer of a checkpoint, with the special tokens that stand around a text written into it.

use super::source::read_json;
use super::{Config, ImportError};
use crate::text::{TextEncoder, TokenizerError};
use serde_json::{Value, json};
use std::path::Path;

const FILE: &str = "tokenizer.json";

/// Writes `tokenizer.json` of a checkpoint to `to`: as it is where its post-processor says what stands around a text, with a
/// post-processor from `tokenizer_config.json` or `special_tokens_map.json` where it does not.
///
/// # Errors
/// When the file is missing or unreadable, no file names the special tokens, or there are more than `vocabulary` tokens.
pub fn write(from: &Path, to: &Path, vocabulary: usize) -> Result<(), ImportError> {
    let file = from.join(FILE);
    let remedy = "save the fast tokenizer there: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR) in transformers writes it";
    if !file.is_file() {
        return Err(ImportError::Missing { path: from.to_owned(), file: FILE, remedy });
    }
    let refused = |error: TokenizerError| ImportError::Tokenizer(error.to_string());
    let io = |source| ImportError::Io { path: file.clone(), source };
    std::fs::copy(&file, to).map_err(io)?;
    let encoder = match TextEncoder::open(to, 64, 0) {
        Err(TokenizerError::MissingToken(_)) => {
            let text = std::fs::read_to_string(&file).map_err(io)?;
            let mut tokenizer: Config = serde_json::from_str(&text).map_err(|error| ImportError::Tokenizer(error.to_string()))?;
            let processor = post_processor(from, &tokenizer)?;
            tokenizer.insert("post_processor".to_owned(), processor);
            std::fs::write(to, Value::from(tokenizer).to_string()).map_err(|source| ImportError::Io { path: to.to_owned(), source })?;
            TextEncoder::open(to, 64, 0).map_err(refused)?
        }
        opened => opened.map_err(refused)?,
    };
    if encoder.vocabulary_size() > vocabulary {
        let detail = format!("it has {} tokens, but config.json has vocab_size {vocabulary}", encoder.vocabulary_size());
        return Err(ImportError::Tokenizer(format!("{detail}; resize the model's embeddings to the tokenizer and save both")));
    }
    Ok(())
}

/// `first text end`, in the words of `tokenizer.json`.
fn post_processor(from: &Path, tokenizer: &Config) -> Result<Value, ImportError> {
    let files = [read_json(from, "tokenizer_config.json")?, read_json(from, "special_tokens_map.json")?];
    let named = |keys: [&str; 2]| {
        let tokens = keys.iter().flat_map(|key| files.iter().flatten().filter_map(|file| content(file.get(*key)?)));
        let found = tokens.into_iter().find_map(|token| Some((token.clone(), id(tokenizer, &token)?)));
        found.ok_or_else(|| {
            let detail =
                format!("it has no post_processor, and tokenizer_config.json names no `{}` of its vocabulary", keys.join("` or `"));
            ImportError::Tokenizer(format!("{detail}; add the special token there"))
        })
    };
    let (first, end) = (named(["cls_token", "bos_token"])?, named(["sep_token", "eos_token"])?);
    let token = |(token, _): &(String, u64), segment: u32| json!({"SpecialToken": {"id": token, "type_id": segment}});
    let text = |id: &str, segment: u32| json!({"Sequence": {"id": id, "type_id": segment}});
    let entry = |(token, id): &(String, u64)| json!({"id": token, "ids": [id], "tokens": [token]});
    let mut specials = Config::new();
    specials.insert(first.0.clone(), entry(&first));
    specials.insert(end.0.clone(), entry(&end));
    Ok(json!({
        "type": "TemplateProcessing",
        "single": [token(&first, 0), text("A", 0), token(&end, 0)],
        "pair": [token(&first, 0), text("A", 0), token(&end, 0), text("B", 1), token(&end, 1)],
        "special_tokens": specials,
    }))
}

/// A special token as a string or as an object with its content.
fn content(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("content")?.as_str()).map(str::to_owned)
}

/// Id of a token, among the added ones or in the vocabulary.
fn id(tokenizer: &Config, token: &str) -> Option<u64> {
    let added = tokenizer.get("added_tokens").and_then(Value::as_array).into_iter().flatten();
    let added =
        added.filter(|entry| entry.get("content").and_then(Value::as_str) == Some(token)).find_map(|entry| entry.get("id")?.as_u64());
    added.or_else(|| match tokenizer.get("model")?.get("vocab")? {
        Value::Object(vocab) => vocab.get(token)?.as_u64(),
        Value::Array(vocab) => {
            let place = vocab.iter().position(|entry| entry.get(0).and_then(Value::as_str) == Some(token))?;
            u64::try_from(place).ok()
        }
        _ => None,
    })
}
