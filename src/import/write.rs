//! A checkpoint translated: read, renamed, checked against what its architecture calls for, and written.

use super::families::FAMILIES;
use super::{Config, Family, ImportError, Origin, Source, pooling, tokenizer};
use crate::model::{EncoderConfig, Pooling};
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What became of a checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Translated {
    /// Where the translation lies.
    pub path: PathBuf,
    /// The `model_type` it had.
    pub from: String,
    /// Its encoder.
    pub config: EncoderConfig,
    /// Its pooling.
    pub pooling: Pooling,
    /// Tensors of the checkpoint that belong to no part of the encoder, such as poolers and heads.
    pub left: usize,
}

/// Translates the checkpoint in `from` into `to`, which is made. Each file is written under another name and renamed, `config.json` last:
/// a directory with one is whole.
///
/// # Errors
/// When the checkpoint is of no family, calls for what hearken cannot do, or a file cannot be read or written.
pub fn translate(from: &Path, to: &Path) -> Result<Translated, ImportError> {
    let source = Source::open(from)?;
    let found = source.config.get("model_type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let family = family(&found)?;
    let mut config = (family.config)(&source.config)?;
    let parsed = EncoderConfig::parse(&Value::from(config.clone()).to_string())?;
    let prefix = prefix(family, &source)?;
    let mut tensors = HashMap::new();
    let mut used = std::collections::HashSet::new();
    for (name, shape) in parsed.tensors() {
        let origin = (family.origin)(&name, &source.config);
        if let Origin::Named(name) | Origin::Rows { name, .. } | Origin::Repeated(name) = &origin {
            used.insert(format!("{prefix}{name}"));
        }
        tensors.insert(name, fetch(&source, &prefix, &origin, &shape)?);
    }
    let pooling = pooling(from)?;
    config.insert("hearken".to_owned(), provenance(&source, &found, pooling)?);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| ImportError::Io { path, source }
    };
    std::fs::create_dir_all(to).map_err(io(to))?;
    let place = |file: &str, write: &dyn Fn(&Path) -> Result<(), ImportError>| {
        let temporary = to.join(format!("{file}.tmp"));
        write(&temporary)?;
        std::fs::rename(&temporary, to.join(file)).map_err(io(&temporary))
    };
    place("tokenizer.json", &|path| tokenizer::write(from, path, parsed.vocab_size))?;
    place("model.safetensors", &|path| {
        let saved = candle_core::safetensors::save(&tensors, path);
        saved.map_err(|error| ImportError::Io { path: path.to_owned(), source: std::io::Error::other(error.to_string()) })?;
        // It is written for its owner alone; somebody else may train from it.
        let permissions = std::fs::metadata(to.join("tokenizer.json")).map_err(io(path))?.permissions();
        std::fs::set_permissions(path, permissions).map_err(io(path))
    })?;
    place("config.json", &|path| {
        let text = serde_json::to_string_pretty(&config).unwrap_or_default();
        std::fs::write(path, text + "\n").map_err(io(path))
    })?;
    let left = source.names().len().saturating_sub(used.len());
    Ok(Translated { path: to.to_owned(), from: found, config: parsed, pooling, left })
}

fn family(model_type: &str) -> Result<&'static Family, ImportError> {
    FAMILIES.iter().find(|family| family.model_types.contains(&model_type)).copied().ok_or_else(|| {
        let known = FAMILIES.iter().flat_map(|family| family.model_types).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        ImportError::UnknownFamily { found: model_type.to_owned(), known }
    })
}

/// What stands before every name of the encoder's tensors: `bert.`, `model.`, nothing.
fn prefix(family: &Family, source: &Source) -> Result<String, ImportError> {
    let names = source.names();
    let prefixes =
        names.iter().filter_map(|name| name.strip_suffix(family.anchor)).filter(|prefix| prefix.is_empty() || prefix.ends_with('.'));
    prefixes.min_by_key(|prefix| prefix.len()).map(str::to_owned).ok_or_else(|| ImportError::Tensor {
        name: family.anchor.to_owned(),
        detail: "is missing in the checkpoint under any prefix; its weights are not those of its config.json".to_owned(),
    })
}

fn fetch(source: &Source, prefix: &str, origin: &Origin, shape: &[usize]) -> Result<Tensor, ImportError> {
    let (name, tensor) = match origin {
        Origin::Zeros => ("", Tensor::zeros(shape, DType::F32, &Device::Cpu)),
        Origin::Named(name) => (name.as_str(), Ok(source.tensor(&format!("{prefix}{name}"))?)),
        Origin::Rows { name, skip } => {
            let whole = source.tensor(&format!("{prefix}{name}"))?;
            let rows = whole.dims().first().map_or(0, |rows| rows.saturating_sub(*skip));
            (name.as_str(), whole.narrow(0, *skip, rows).and_then(|rows| rows.contiguous()))
        }
        Origin::Repeated(name) => {
            let whole = source.tensor(&format!("{prefix}{name}"))?;
            let rows = shape.first().copied().unwrap_or(1);
            (name.as_str(), whole.narrow(0, 0, 1).and_then(|row| Tensor::cat(&vec![row; rows], 0)))
        }
    };
    let wrong = |detail: String| ImportError::Tensor { name: format!("{prefix}{name}"), detail };
    let tensor = tensor.map_err(|error| wrong(error.to_string()))?;
    if tensor.dims() != shape {
        return Err(wrong(format!("gives shape {:?}, but config.json calls for {shape:?}", tensor.dims())));
    }
    Ok(tensor)
}

/// Where the weights come from, for `config.json`.
fn provenance(source: &Source, model_type: &str, pooling: Pooling) -> Result<Value, ImportError> {
    let mut record = Config::new();
    record.insert("translated_from".to_owned(), model_type.into());
    if let Some(pulled) = super::source::read_json(&source.path, "source.json")? {
        record.extend(["name", "revision", "commit"].iter().filter_map(|key| Some(((*key).to_owned(), pulled.get(*key)?.clone()))));
    } else {
        let folder = source.path.file_name().map(|name| name.to_string_lossy().into_owned());
        record.insert("name".to_owned(), folder.into());
    }
    record.insert("sha256".to_owned(), json!(source.checksums()?));
    record.insert("pooling".to_owned(), json!(pooling));
    Ok(record.into())
}
