//! How large each channel of a product's input is likely to be, read from the weights alone, so that int8 needs no calibration
//! data: channels that are large are made small and their weights large in turn (Xiao et al., 2023, "SmoothQuant").

use super::network::Norm;

/// Share of a channel's spread that moves into the weights, for hidden states.
pub const HIDDEN: f32 = 0.65;
/// The same for attention's mixed values.
pub const VALUES: f32 = 0.5;

/// Where the channels of a product's input lie, and how far from there they go.
#[derive(Debug, Clone)]
pub struct Channels {
    /// Expected value of each.
    pub centre: Vec<f32>,
    /// Standard deviation of each.
    pub spread: Vec<f32>,
}

impl Channels {
    /// Behind a layer-norm, whose normalised values have mean 0 and variance 1 over the channels of a token.
    pub fn of(norm: &Norm) -> Self {
        Self { centre: norm.beta.clone(), spread: norm.gamma.iter().map(|gamma| gamma.abs()).collect() }
    }

    /// Behind a linear layer, `[outputs, inputs]`, were its inputs independent of each other.
    pub fn through(&self, weights: &[f32], bias: &[f32]) -> Self {
        let rows = || weights.chunks_exact(self.centre.len().max(1));
        let centre = |(row, bias): (&[f32], &f32)| bias + row.iter().zip(&self.centre).map(|(w, x)| w * x).sum::<f32>();
        let spread = |row: &[f32]| row.iter().zip(&self.spread).map(|(w, x)| (w * x).powi(2)).sum::<f32>().sqrt();
        Self { centre: rows().zip(bias).map(centre).collect(), spread: rows().map(spread).collect() }
    }
}

/// `[inputs]`: what activations are multiplied by and weights, `[outputs, inputs]`, divided by: `weight^(1-s) / spread^s`, where
/// `weight` is the channel's largest weight; with a geometric mean of 1, so that scales stay where they were.
pub fn factors(weights: &[f32], spread: &[f32], strength: f32) -> Vec<f32> {
    const LEAST: f32 = 1e-5;
    let mut largest = vec![0.0f32; spread.len()];
    for row in weights.chunks_exact(spread.len().max(1)) {
        for (largest, w) in largest.iter_mut().zip(row) {
            *largest = largest.max(w.abs());
        }
    }
    let logs: Vec<f32> = largest
        .iter()
        .zip(spread)
        .map(|(weight, spread)| (1.0 - strength) * weight.max(LEAST).ln() - strength * spread.max(LEAST).ln())
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a number of channels")]
    let mean = logs.iter().sum::<f32>() / logs.len().max(1) as f32;
    logs.into_iter().map(|log| (log - mean).clamp(-4.0, 4.0).exp()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_channel_is_made_small() {
        let factors = factors(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0], &[1.0, 100.0, 1.0], 0.5);
        assert!(factors[1] < 0.2 * factors[0] && factors[0] == factors[2], "{factors:?}");
        let mean: f32 = factors.iter().map(|f| f.ln()).sum();
        assert!(mean.abs() < 1e-5);
    }
}
