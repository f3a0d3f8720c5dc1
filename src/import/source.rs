//! A foreign checkpoint on disk: its configuration, and its tensors by name whatever files they lie in.

use super::{Config, ImportError};
use crate::model::{file_sha256, map_weights};
use candle_core::pickle::PthTensors;
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{DType, Device, Tensor};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const WEIGHTS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const PICKLE: &str = "pytorch_model.bin";

/// A checkpoint opened for reading.
pub struct Source {
    /// Where it lies.
    pub path: PathBuf,
    /// Keys of `config.json`.
    pub config: Config,
    /// The files with the weights.
    pub files: Vec<PathBuf>,
    store: Store,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("path", &self.path).field("files", &self.files).finish_non_exhaustive()
    }
}

enum Store {
    /// Files, and the one that has each tensor.
    Safe(Vec<MmapedSafetensors>, BTreeMap<String, usize>),
    /// A pickle, read as data: nothing in it is run.
    Pickle(PthTensors),
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Source {
    /// Opens a checkpoint.
    ///
    /// # Errors
    /// When `config.json` or the weights are missing or cannot be read.
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        let remedy = "give a directory in Hugging Face's layout, or fetch one with `hearken model pull NAME`";
        let config = read_json(path, "config.json")?.ok_or(ImportError::Missing { path: path.to_owned(), file: "config.json", remedy })?;
        let (files, store) = store(path)?;
        Ok(Self { path: path.to_owned(), config, files, store })
    }

    /// Names of all tensors.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match &self.store {
            Store::Safe(_, places) => places.keys().map(String::as_str).collect(),
            Store::Pickle(tensors) => tensors.tensor_infos().keys().map(String::as_str).collect(),
        }
    }

    /// A tensor by its name, or by the name that the first BERT checkpoints gave to a layer-norm's parts.
    ///
    /// # Errors
    /// When it is missing, damaged, or not of floating-point numbers.
    pub fn tensor(&self, name: &str) -> Result<Tensor, ImportError> {
        let wrong = |detail: String| ImportError::Tensor { name: name.to_owned(), detail };
        let old = name.strip_suffix("LayerNorm.weight").map(|stem| format!("{stem}LayerNorm.gamma"));
        let old = old.or_else(|| name.strip_suffix("LayerNorm.bias").map(|stem| format!("{stem}LayerNorm.beta")));
        for name in std::iter::once(name).chain(old.as_deref()) {
            if let Some(tensor) = self.named(name).map_err(|error| wrong(error.to_string()))? {
                return match tensor.dtype() {
                    DType::F32 | DType::F16 | DType::BF16 => Ok(tensor),
                    other => {
                        Err(wrong(format!("is of {}; hearken imports f32, f16 and bf16: save the model in one of these", other.as_str())))
                    }
                };
            }
        }
        Err(wrong("is missing in the checkpoint".to_owned()))
    }

    fn named(&self, name: &str) -> candle_core::Result<Option<Tensor>> {
        match &self.store {
            Store::Safe(files, places) => {
                places.get(name).and_then(|place| files.get(*place)).map(|file| file.load(name, &Device::Cpu)).transpose()
            }
            Store::Pickle(tensors) => tensors.get(name),
        }
    }

    /// sha256 of each file with weights, by file name.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn checksums(&self) -> Result<BTreeMap<String, String>, ImportError> {
        let sum = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Ok((name, file_sha256(path).map_err(|source| ImportError::Io { path: path.clone(), source })?))
        };
        self.files.iter().map(sum).collect()
    }
}

fn store(path: &Path) -> Result<(Vec<PathBuf>, Store), ImportError> {
    let malformed = |path: PathBuf, detail: String| ImportError::Malformed { path, detail };
    let index = path.join(INDEX);
    let files: Vec<PathBuf> = if index.is_file() {
        let text = std::fs::read_to_string(&index).map_err(|source| ImportError::Io { path: index.clone(), source })?;
        let parsed: Index = serde_json::from_str(&text).map_err(|error| malformed(index.clone(), error.to_string()))?;
        let names: BTreeSet<String> = parsed.weight_map.into_values().collect();
        if let Some(name) = names.iter().find(|name| name.contains(['/', '\\']) || name.starts_with('.')) {
            return Err(malformed(index, format!("`{name}` is no plain file name")));
        }
        names.into_iter().map(|name| path.join(name)).collect()
    } else if path.join(WEIGHTS).is_file() {
        vec![path.join(WEIGHTS)]
    } else if path.join(PICKLE).is_file() {
        let file = path.join(PICKLE);
        let tensors = PthTensors::new(&file, None).map_err(|error| {
            let remedy = "load it in transformers and save it with safe_serialization=True, which writes model.safetensors";
            malformed(file.clone(), format!("{error}; {remedy}"))
        })?;
        return Ok((vec![file], Store::Pickle(tensors)));
    } else {
        let remedy = "the weights must lie beside config.json: model.safetensors, its shards with their index, or pytorch_model.bin";
        return Err(ImportError::Missing { path: path.to_owned(), file: WEIGHTS, remedy });
    };
    let mut maps = Vec::new();
    let mut places = BTreeMap::new();
    for (place, file) in files.iter().enumerate() {
        if !file.is_file() {
            return Err(malformed(file.clone(), "the index names it, but it is not there; fetch the model again".to_owned()));
        }
        let map = map_weights(file).map_err(|error| malformed(file.clone(), error.to_string()))?;
        places.extend(map.tensors().into_iter().map(|(name, _)| (name, place)));
        maps.push(map);
    }
    Ok((files, Store::Safe(maps, places)))
}

/// The object in a JSON file; nothing when there is no such file.
pub fn read_json(path: &Path, file: &str) -> Result<Option<Config>, ImportError> {
    let path = path.join(file);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ImportError::Io { path, source }),
    };
    serde_json::from_str(&text).map(Some).map_err(|error| ImportError::Malformed { path, detail: error.to_string() })
}
