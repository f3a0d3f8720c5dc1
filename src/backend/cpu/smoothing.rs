//! How the channels of a product's input are brought to one size before they are quantised to int8 (Xiao et al., 2023,
//! "`SmoothQuant`"; Wei et al., 2023, "Outlier Suppression+"). Where a model has measured its channels, they are used; else they are guessed from the
//! weights, which is better than nothing.

use super::network::Norm;
use super::statistics::Site;
use crate::model::{LoadedModel, ModelError};
use hearken_kernels::GELU_LOW;

/// Share of a channel's spread that moves from the activations into the weights.
const STRENGTH: f32 = 0.5;
/// The same for queries, keys and values, whose three matrices share one input: the largest weight of a channel says little of each.
const STRENGTH_OF_QKV: f32 = 0.9;

/// Where the channels of a product's input lie, and how far from there they go.
#[derive(Debug, Clone)]
pub struct Channels {
    /// What is taken from each before it is quantised.
    pub centre: Vec<f32>,
    /// Root mean square of what is left.
    pub spread: Vec<f32>,
    /// Share of the spread that moves into the weights.
    pub strength: f32,
}

impl Channels {
    /// As measured, if the model has that.
    pub fn measured(model: &LoadedModel, layer: usize, site: Site, width: usize) -> Result<Option<Self>, ModelError> {
        let (mean, deviation) = (model.channels(&site.mean(layer), width)?, model.channels(&site.deviation(layer), width)?);
        let (Some(mean), Some(deviation)) = (mean, deviation) else { return Ok(None) };
        Ok(Some(if site == Site::Down {
            let spread = |(mean, deviation): (&f32, &f32)| deviation.hypot(mean - GELU_LOW);
            Self { spread: mean.iter().zip(&deviation).map(spread).collect(), centre: vec![GELU_LOW; width], strength: STRENGTH }
        } else {
            Self { centre: mean, spread: deviation, strength: if site == Site::Qkv { STRENGTH_OF_QKV } else { STRENGTH } }
        }))
    }

    /// Behind a layer-norm, as if every normalised channel had a variance of 1 and a mean near 0.
    pub fn behind(norm: &Norm) -> Self {
        let spread = norm.gamma.iter().zip(&norm.beta).map(|(gamma, beta)| gamma.hypot(*beta)).collect();
        Self { centre: vec![0.0; norm.beta.len()], spread, strength: STRENGTH }
    }

    /// Behind a linear layer, `[outputs, inputs]`, as if its inputs were independent of each other.
    pub fn through(&self, weights: &[f32]) -> Self {
        let spread = |row: &[f32]| row.iter().zip(&self.spread).map(|(w, x)| (w * x).powi(2)).sum::<f32>().sqrt();
        let spread: Vec<f32> = weights.chunks_exact(self.spread.len().max(1)).map(spread).collect();
        Self { centre: vec![0.0; spread.len()], spread, strength: STRENGTH }
    }

    /// `[inputs]`: what activations are multiplied by and weights, `[outputs, inputs]`, divided by: `weight^(1-s) / spread^s`, where
    /// `weight` is the channel's largest weight; with a geometric mean of 1, so that scales stay where they were.
    pub fn smoothing(&self, weights: &[f32]) -> Vec<f32> {
        const LEAST: f32 = 1e-5;
        let mut largest = vec![0.0f32; self.spread.len()];
        for row in weights.chunks_exact(self.spread.len().max(1)) {
            for (largest, w) in largest.iter_mut().zip(row) {
                *largest = largest.max(w.abs());
            }
        }
        let log = |(weight, spread): (&f32, &f32)| (1.0 - self.strength) * weight.max(LEAST).ln() - self.strength * spread.max(LEAST).ln();
        let logs: Vec<f32> = largest.iter().zip(&self.spread).map(log).collect();
        #[expect(clippy::cast_precision_loss, reason = "a number of channels")]
        let mean = logs.iter().sum::<f32>() / logs.len().max(1) as f32;
        logs.into_iter().map(|log| (log - mean).clamp(-4.0, 4.0).exp()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_channel_is_made_small() {
        let channels = Channels { centre: vec![0.0; 3], spread: vec![1.0, 100.0, 1.0], strength: 0.5 };
        let factors = channels.smoothing(&[1.0; 6]);
        assert!(factors[1] < 0.2 * factors[0] && factors[0] == factors[2], "{factors:?}");
        let mean: f32 = factors.iter().map(|f| f.ln()).sum();
        assert!(mean.abs() < 1e-5);
    }
}
