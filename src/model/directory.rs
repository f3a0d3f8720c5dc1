//! Opens a model directory, checks every file against the others, and maps the weights; and writes one.

use super::{EncoderConfig, EvaluationManifest, HeadsManifest, Manifest, ModelError};
use crate::text::TextEncoder;
use candle_core::{DType, Device, Tensor, safetensors::MmapedSafetensors};
use half::{bf16, f16, slice::HalfFloatSliceExt};
use safetensors::{Dtype, tensor::TensorView};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";
const CHANNELS: &str = "channels.safetensors";
const MANIFEST: &str = "hearken.toml";
const CARD: &str = "CARD.md";

/// A checked model: what the files say, and the weights mapped into memory.
pub struct LoadedModel {
    /// Where it lies.
    pub path: PathBuf,
    /// Shape of the encoder.
    pub config: EncoderConfig,
    /// Heads, labels, calibration, provenance.
    pub manifest: Manifest,
    /// The tokenizer.
    pub text: TextEncoder,
    /// Nothing once they are released.
    weights: Option<MmapedSafetensors>,
    channels: Option<MmapedSafetensors>,
}

impl std::fmt::Debug for LoadedModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedModel").field("path", &self.path).field("id", &self.id()).finish_non_exhaustive()
    }
}

impl LoadedModel {
    /// Opens and checks a model directory.
    ///
    /// # Errors
    /// When a file is missing, does not parse, does not match its checksum, or contradicts another.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let manifest = Manifest::parse(&read(path, MANIFEST)?)?;
        check_files(path, &manifest)?;
        let config = EncoderConfig::parse(&read(path, CONFIG)?)?;
        let text = TextEncoder::open(&existing(path, TOKENIZER)?, manifest.max_tokens, manifest.context_tokens)?;
        let weights = map_weights(&existing(path, WEIGHTS)?)?;
        let measured = manifest.files.contains_key(CHANNELS);
        let channels = measured.then(|| map_weights(&existing(path, CHANNELS)?)).transpose()?;
        let model = Self { path: path.to_owned(), config, manifest, text, weights: Some(weights), channels };
        model.check()?;
        Ok(model)
    }

    /// `name@version`, as the wire has it.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}@{}", self.manifest.name, self.manifest.version)
    }

    /// Lets the mapped weights go, once a backend has its own form of them: what the file takes in memory is free again.
    pub fn release_weights(&mut self) {
        self.weights = None;
        self.channels = None;
    }

    fn weights(&self) -> Result<&MmapedSafetensors, ModelError> {
        self.weights.as_ref().ok_or_else(|| ModelError::Weights("they have been released".to_owned()))
    }

    /// One tensor, as f32 on `device`.
    ///
    /// # Errors
    /// When it is missing, of another shape than `shape`, or not a floating-point tensor.
    pub fn tensor(&self, name: &str, shape: &[usize], device: &Device) -> Result<Tensor, ModelError> {
        self.check_shape(name, shape)?;
        let weights = self.weights()?;
        let load = || weights.load(name, device)?.to_dtype(DType::F32);
        load().map_err(|error| ModelError::Weights(format!("tensor `{name}`: {error}")))
    }

    /// One tensor as plain f32, row-major.
    ///
    /// # Errors
    /// As [`LoadedModel::tensor`].
    pub fn values(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, ModelError> {
        let view = self.checked(name, shape)?;
        let values = match view.dtype() {
            Dtype::F16 => {
                let bits: Vec<f16> = view.data().as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes)).collect();
                bits.to_f32_vec()
            }
            Dtype::BF16 => view.data().as_chunks().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect(),
            Dtype::F32 => view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            other => return Err(ModelError::Weights(format!("tensor `{name}`: {other:?} is not f16, bf16 or f32"))),
        };
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(ModelError::Weights(format!("tensor `{name}`: value {at} is not a finite number"))),
            None => Ok(values),
        }
    }

    /// One tensor as the bits of IEEE halves, row-major; exact when it is stored in f16.
    ///
    /// # Errors
    /// As [`LoadedModel::tensor`], and when a value is not finite as a half.
    pub fn halves(&self, name: &str, shape: &[usize]) -> Result<Vec<u16>, ModelError> {
        let view = self.checked(name, shape)?;
        let bits: Vec<u16> = if view.dtype() == Dtype::F16 {
            view.data().as_chunks().0.iter().map(|bytes| u16::from_le_bytes(*bytes)).collect()
        } else {
            self.values(name, shape)?.into_iter().map(|value| f16::from_f32(value).to_bits()).collect()
        };
        match bits.iter().position(|bits| !f16::from_bits(*bits).is_finite()) {
            Some(at) => Err(ModelError::Weights(format!("tensor `{name}`: value {at} is not finite in f16"))),
            None => Ok(bits),
        }
    }

    /// A tensor of `channels.safetensors`, what [`write_channels`] wrote; nothing when the model has no such file.
    ///
    /// # Errors
    /// When the file has no such tensor, or it is not of `width` sensible f32.
    pub fn channels(&self, name: &str, width: usize) -> Result<Option<Vec<f32>>, ModelError> {
        const MOST: f32 = 1e6; // far beyond any activation of a working model
        let Some(file) = &self.channels else { return Ok(None) };
        let wrong = |detail| Err(ModelError::Contradiction { file: CHANNELS, key: name.to_owned(), detail });
        let Ok(view) = file.get(name) else { return wrong("the tensor is missing".to_owned()) };
        if view.dtype() != Dtype::F32 || view.shape() != [width] {
            return wrong(format!("is {:?} of {:?}, but must be F32 of [{width}]", view.dtype(), view.shape()));
        }
        let values: Vec<f32> = view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        match values.iter().position(|value| value.is_nan() || value.abs() > MOST) {
            Some(at) => wrong(format!("value {at} is beyond +-{MOST}")),
            None => Ok(Some(values)),
        }
    }

    /// Name, element type, shape and bytes of every tensor, by name.
    #[must_use]
    pub fn tensors(&self) -> Vec<(String, String, Vec<usize>, usize)> {
        let tensors = self.weights.iter().flat_map(MmapedSafetensors::tensors);
        let mut tensors: Vec<_> =
            tensors.map(|(name, view)| (name, format!("{:?}", view.dtype()), view.shape().to_vec(), view.data().len())).collect();
        tensors.sort();
        tensors
    }

    fn check_shape(&self, name: &str, shape: &[usize]) -> Result<(), ModelError> {
        self.checked(name, shape).map(drop)
    }

    fn checked(&self, name: &str, shape: &[usize]) -> Result<TensorView<'_>, ModelError> {
        let contradiction = |detail| ModelError::Contradiction { file: WEIGHTS, key: name.to_owned(), detail };
        let view = self.weights()?.get(name).map_err(|_| contradiction("the tensor is missing".to_owned()))?;
        if view.shape() != shape {
            return Err(contradiction(format!("has shape {:?}, but config.json and hearken.toml call for {shape:?}", view.shape())));
        }
        Ok(view)
    }

    fn check(&self) -> Result<(), ModelError> {
        let wrong = |key: &str, detail: String| Err(ModelError::Contradiction { file: MANIFEST, key: key.to_owned(), detail });
        let (config, manifest) = (&self.config, &self.manifest);
        if manifest.max_tokens > config.max_position_embeddings {
            return wrong(
                "max_tokens",
                format!("{} exceeds max_position_embeddings {} of config.json", manifest.max_tokens, config.max_position_embeddings),
            );
        }
        if manifest.context_tokens > 0 && config.lacks_context_segment() {
            return wrong("context_tokens", "context needs type_vocab_size of at least 2 in config.json".to_owned());
        }
        if self.text.vocabulary_size() > config.vocab_size {
            let detail = format!("{} is smaller than the {} tokens of tokenizer.json", config.vocab_size, self.text.vocabulary_size());
            return Err(ModelError::Contradiction { file: CONFIG, key: "vocab_size".to_owned(), detail });
        }
        for (name, rows) in manifest.heads.rows() {
            self.check_shape(&format!("heads.{name}.weight"), &[rows, config.hidden_size])?;
            self.check_shape(&format!("heads.{name}.bias"), &[rows])?;
        }
        for (name, shape) in config.tensors() {
            self.check_shape(&name, &shape)?;
        }
        Ok(())
    }
}

fn existing(directory: &Path, file: &'static str) -> Result<PathBuf, ModelError> {
    let path = directory.join(file);
    if path.is_file() { Ok(path) } else { Err(ModelError::Missing { path: directory.to_owned(), file }) }
}

fn read(directory: &Path, file: &'static str) -> Result<String, ModelError> {
    let path = existing(directory, file)?;
    std::fs::read_to_string(&path).map_err(|source| ModelError::Io { path, source })
}

fn check_files(directory: &Path, manifest: &Manifest) -> Result<(), ModelError> {
    for file in [CONFIG, TOKENIZER, WEIGHTS] {
        existing(directory, file)?;
        if !manifest.files.contains_key(file) {
            let detail = "has no checksum; every file of the model needs one".to_owned();
            return Err(ModelError::Contradiction { file: MANIFEST, key: format!("files.\"{file}\""), detail });
        }
    }
    for (file, wanted) in &manifest.files {
        let path = directory.join(file);
        let found = file_sha256(&path).map_err(|source| ModelError::Io { path, source })?;
        if found != *wanted {
            return Err(ModelError::Checksum { file: file.clone(), wanted: wanted.clone(), found });
        }
    }
    Ok(())
}

/// Maps a weights file into memory.
///
/// # Errors
/// When the file cannot be read or is not a safetensors file.
#[expect(unsafe_code, reason = "a memory map is what keeps one copy of the weights for every process")]
pub fn map_weights(path: &Path) -> Result<MmapedSafetensors, ModelError> {
    // SAFETY: a map is sound while nobody changes the file beneath it. Model directories are read-only by contract: hearken
    // writes weights under another name and renames, so a file that is mapped is never written.
    unsafe { MmapedSafetensors::new(path) }.map_err(|error| ModelError::Weights(error.to_string()))
}

/// sha256 of a file, in lower-case hexadecimal.
///
/// # Errors
/// When the file cannot be read.
pub fn file_sha256(path: &Path) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Writes a model directory: the base's `config.json` and `tokenizer.json`, the weights in f16, the card, and the manifest with
/// the checksum of each. Every file is written under another name first and then renamed, the manifest last.
///
/// # Errors
/// When a file cannot be written or a tensor not converted.
#[expect(clippy::implicit_hasher, reason = "candle's own map type")]
pub fn export(to: &Path, base: &Path, tensors: &HashMap<String, Tensor>, mut manifest: Manifest, card: &str) -> anyhow::Result<()> {
    std::fs::create_dir_all(to)?;
    let place = |name: &str, write: &dyn Fn(&Path) -> anyhow::Result<()>| -> anyhow::Result<()> {
        let temporary = to.join(format!("{name}.tmp"));
        write(&temporary)?;
        Ok(std::fs::rename(temporary, to.join(name))?)
    };
    for file in [CONFIG, TOKENIZER] {
        place(file, &|path| std::fs::copy(base.join(file), path).map(drop).map_err(Into::into))?;
    }
    let half: HashMap<String, Tensor> =
        tensors.iter().map(|(name, t)| Ok((name.clone(), t.to_dtype(DType::F16)?))).collect::<candle_core::Result<_>>()?;
    place(WEIGHTS, &|path| {
        candle_core::safetensors::save(&half, path)?;
        // It is written for its owner alone; a server may run as somebody else.
        Ok(std::fs::set_permissions(path, std::fs::metadata(to.join(CONFIG))?.permissions())?)
    })?;
    place(CARD, &|path| Ok(std::fs::write(path, card)?))?;
    manifest.files.clear();
    for file in [CONFIG, TOKENIZER, WEIGHTS] {
        manifest.files.insert(file.to_owned(), file_sha256(&to.join(file))?);
    }
    write_manifest(to, &manifest)
}

/// Writes `channels.safetensors` into a model directory and its checksum into the manifest: where the channels of the encoder's
/// products lie, as the `cpu` backend measures them. Each file is written under another name
/// first and then renamed, the manifest last.
///
/// # Errors
/// When a file cannot be read or written.
#[expect(clippy::implicit_hasher, reason = "candle's own map type")]
pub fn write_channels(directory: &Path, tensors: &HashMap<String, Tensor>) -> anyhow::Result<()> {
    let mut manifest = Manifest::parse(&read(directory, MANIFEST)?)?;
    // Killed at any point, the model loads: without the channels until the manifest names them again.
    if manifest.files.remove(CHANNELS).is_some() {
        write_manifest(directory, &manifest)?;
    }
    let temporary = directory.join(format!("{CHANNELS}.tmp"));
    candle_core::safetensors::save(tensors, &temporary)?;
    std::fs::set_permissions(&temporary, std::fs::metadata(directory.join(CONFIG))?.permissions())?;
    manifest.files.insert(CHANNELS.to_owned(), file_sha256(&temporary)?);
    std::fs::rename(temporary, directory.join(CHANNELS))?;
    write_manifest(directory, &manifest)
}

/// Writes other calibrations and thresholds into a model's manifest.
///
/// # Errors
/// When the manifest cannot be read or written.
pub fn write_heads(directory: &Path, heads: HeadsManifest) -> anyhow::Result<()> {
    let manifest = Manifest::parse(&read(directory, MANIFEST)?)?;
    write_manifest(directory, &Manifest { heads, ..manifest })
}

/// Writes other evaluations into a model's manifest.
///
/// # Errors
/// When the manifest cannot be read or written.
pub fn write_evaluations(directory: &Path, evaluations: Vec<EvaluationManifest>) -> anyhow::Result<()> {
    let manifest = Manifest::parse(&read(directory, MANIFEST)?)?;
    write_manifest(directory, &Manifest { evaluations, ..manifest })
}

/// Writes `CARD.md`, and says whether it differs from the one that was there.
///
/// # Errors
/// When it cannot be written.
pub fn write_card(directory: &Path, card: &str) -> std::io::Result<bool> {
    let file = directory.join(CARD);
    if std::fs::read_to_string(&file).is_ok_and(|before| before == card) {
        return Ok(false);
    }
    let temporary = directory.join(format!("{CARD}.tmp"));
    std::fs::write(&temporary, card)?;
    std::fs::rename(temporary, file).map(|()| true)
}

fn write_manifest(directory: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let temporary = directory.join(format!("{MANIFEST}.tmp"));
    std::fs::write(&temporary, toml::to_string(&shortened(toml::Value::try_from(manifest)?))?)?;
    Ok(std::fs::rename(temporary, directory.join(MANIFEST))?)
}

/// Numbers that came from f32 in their shortest form: 0.7, not 0.699999988079071.
fn shortened(value: toml::Value) -> toml::Value {
    match value {
        toml::Value::Float(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "only a number that f32 holds exactly is shortened")]
            let single = number as f32;
            let short = if f64::from(single) == number { single.to_string().parse().unwrap_or(number) } else { number };
            toml::Value::Float(short)
        }
        toml::Value::Array(values) => toml::Value::Array(values.into_iter().map(shortened).collect()),
        toml::Value::Table(table) => toml::Value::Table(table.into_iter().map(|(key, value)| (key, shortened(value))).collect()),
        other => other,
    }
}
