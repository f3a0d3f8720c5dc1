//! What an encoder makes of whole messages: one unit vector each, to tell which say nearly the same.

use super::device::TrainingDevice;
use super::learner::Learner;
use super::parameters::Parameters;
use super::validate::ROWS;
use crate::backend::candle::NetworkShape;
use crate::batch::PackedBatch;
use crate::import;
use crate::model::{EncoderConfig, HeadsManifest};
use crate::text::{Encoded, TextEncoder, Utterance};
use anyhow::Context as _;
use ndarray::Array2;
use std::path::Path;

/// Most tokens of a message.
const TOKENS: usize = 128;

/// The unit vector of each text, `[texts, hidden size]`, by the encoder of a model or base. A foreign checkpoint is translated into `work`.
///
/// # Errors
/// When the base cannot be read or the device fails.
pub fn embed<'a>(base: &Path, work: &Path, texts: impl Iterator<Item = &'a Utterance>) -> anyhow::Result<Array2<f32>> {
    let base = import::base(base, work).with_context(|| format!("`{}` cannot be read as an encoder", base.display()))?;
    let config = EncoderConfig::parse(&std::fs::read_to_string(base.path.join("config.json")).context("config.json cannot be read")?)?;
    let text = TextEncoder::open(&base.path.join("tokenizer.json"), TOKENS.min(config.max_position_embeddings), 0)?;
    let hidden = config.hidden_size;
    let shape = NetworkShape::new(config, base.pooling, &HeadsManifest::default());
    let parameters = Parameters::from_base(&shape, &base.path, 0)?;
    let mut learner = Learner::new(&shape, &parameters, TrainingDevice::Cpu)?;
    let encoded: Vec<Encoded> = texts.map(|message| text.encode(message, std::iter::empty())).collect::<Result<_, _>>()?;
    let mut values = Vec::with_capacity(encoded.len() * hidden);
    for chunk in encoded.chunks(ROWS) {
        values.extend(learner.pooled(&parameters, &PackedBatch::new(chunk))?);
    }
    let mut vectors = Array2::from_shape_vec((encoded.len(), hidden), values)?;
    for mut row in vectors.rows_mut() {
        let length = row.dot(&row).sqrt().max(1e-12);
        row /= length;
    }
    Ok(vectors)
}
