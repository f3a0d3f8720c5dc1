//! Dropout with a generator of our own, so that a seed decides every mask and a checkpoint can carry on with the next one.

use candle_core::{Result, Tensor};
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Zeroes elements at random and scales the others, so that the expectation stays (Srivastava et al., 2014).
#[derive(Debug)]
pub struct Dropout {
    probability: f32,
    generator: ChaCha8Rng,
}

impl Dropout {
    /// Drops nothing: the forward pass of inference.
    #[must_use]
    pub fn none() -> Self {
        Self::new(0.0, 0)
    }

    /// Drops elements with `probability`, deterministically by `seed`.
    #[must_use]
    pub fn new(probability: f32, seed: u64) -> Self {
        Self { probability, generator: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// A tensor of the same shape with elements dropped.
    ///
    /// # Errors
    /// When the device fails.
    pub fn apply(&mut self, x: &Tensor) -> Result<Tensor> {
        if self.probability <= 0.0 {
            return Ok(x.clone());
        }
        // One random byte decides an element, so the probability is a multiple of 1/256.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a probability below 1 times 256")]
        let limit = (self.probability * 256.0).round().clamp(0.0, 255.0) as u8;
        let kept = 256.0 / (256.0 - f32::from(limit));
        let mut bytes = vec![0u8; x.elem_count()];
        self.generator.fill_bytes(&mut bytes);
        let mask: Vec<f32> = bytes.into_iter().map(|byte| if byte < limit { 0.0 } else { kept }).collect();
        x * Tensor::from_vec(mask, x.shape(), x.device())?.to_dtype(x.dtype())?
    }
}
