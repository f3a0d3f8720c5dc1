//! How near a backend's vectors are to those of the same kernels in f32.

use super::workload::Workload;
use crate::backend::cpu::{CpuRunner, Precision};
use crate::backend::{Cores, Runner};
use crate::batch::PackedBatch;
use crate::model::LoadedModel;
use hearken_kernels::{Element, best};
use ndarray::Array2;
use serde::Serialize;

/// Messages that are compared.
const MESSAGES: usize = 200;

/// Cosine of the angle between two vectors of a message.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Cosine {
    pub mean: f32,
    pub worst: f32,
    pub messages: usize,
}

/// Compares the first messages of a workload.
pub fn compare(runner: &mut dyn Runner, model: &LoadedModel, workload: &Workload) -> anyhow::Result<Cosine> {
    let mut reference = CpuRunner::new(model, best(), Precision::uniform(Element::F32), 1)?;
    let mut cosines = Vec::new();
    for encoded in workload.encoded.iter().take(MESSAGES) {
        let batch = PackedBatch::new([encoded]);
        cosines.push(cosine(&runner.encode(&batch, Cores::One)?, &reference.encode(&batch, Cores::One)?));
    }
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let mean = cosines.iter().sum::<f32>() / cosines.len().max(1) as f32;
    anyhow::ensure!(cosines.iter().all(|cosine| cosine.is_finite()), "a vector has no direction; the model's weights are not sound");
    let worst = cosines.iter().copied().fold(1.0, f32::min);
    Ok(Cosine { mean: rounded(mean), worst: rounded(worst), messages: cosines.len() })
}

fn cosine(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    let product = |a: &Array2<f32>, b: &Array2<f32>| (a * b).sum();
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

/// Five decimals.
fn rounded(x: f32) -> f32 {
    (x * 1e5).round() / 1e5
}
