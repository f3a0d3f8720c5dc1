//! The intent head before the first step: each intent's row points where its messages lie already (Snell et al., 2017,
//! "Prototypical Networks"), so that few examples need not teach the head what the encoder knows.

use super::corpus::Item;
use super::learner::Learner;
use super::parameters::Parameters;
use super::validate::ROWS;
use crate::batch::PackedBatch;
use candle_core::{Device, Result, Tensor};
use std::collections::BTreeSet;

/// Messages of an intent that its prototype is made of, at most.
const MESSAGES: usize = 50;

/// Sets the intent head: row `c` is the mean of the unit vectors of class `c`, less the mean of all classes, times `scale` over the
/// mean length of a vector; the bias is zero. A class of `kept` or without messages stays as it is.
///
/// # Errors
/// When the device fails.
pub fn start(learner: &mut Learner, parameters: &Parameters, items: &[Item], scale: f64, kept: &BTreeSet<usize>) -> Result<()> {
    let (Some(weight), Some(bias)) = (parameters.get("heads.intent.weight"), parameters.get("heads.intent.bias")) else { return Ok(()) };
    let (classes, hidden) = weight.dims2()?;
    let mut sums = Means { sums: vec![vec![0.0; hidden]; classes], counts: vec![0; classes], length: 0.0, messages: 0 };
    for chunk in sums.pick(items).chunks(ROWS) {
        let pooled = learner.pooled(parameters, &PackedBatch::new(chunk.iter().map(|(_, item)| &item.input)))?;
        for ((class, _), vector) in chunk.iter().zip(pooled.chunks_exact(hidden)) {
            sums.add(*class, vector);
        }
    }
    let mut rows: Vec<Vec<f32>> = weight.to_vec2()?;
    sums.write(scale, &mut rows, kept);
    weight.set(&Tensor::new(rows, &Device::Cpu)?)?;
    let mut biases: Vec<f32> = bias.to_vec1()?;
    biases.iter_mut().enumerate().filter(|(class, _)| !kept.contains(class)).for_each(|(_, bias)| *bias = 0.0);
    bias.set(&Tensor::new(biases, &Device::Cpu)?)
}

struct Means {
    sums: Vec<Vec<f64>>,
    counts: Vec<u32>,
    /// Sum of the vectors' lengths.
    length: f64,
    messages: u32,
}

impl Means {
    /// The first messages of each class, with their class.
    fn pick<'a>(&self, items: &'a [Item]) -> Vec<(usize, &'a Item)> {
        let mut left = vec![MESSAGES; self.counts.len()];
        let picked = items.iter().filter_map(|item| {
            let class = item.targets.intent?;
            let left = left.get_mut(class)?;
            *left = left.checked_sub(1)?;
            Some((class, item))
        });
        picked.collect()
    }

    fn add(&mut self, class: usize, vector: &[f32]) {
        let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt().max(1e-12);
        self.length += length;
        self.messages += 1;
        if let (Some(sum), Some(count)) = (self.sums.get_mut(class), self.counts.get_mut(class)) {
            sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += f64::from(*x) / length);
            *count += 1;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    fn write(&self, scale: f64, rows: &mut [Vec<f32>], kept: &BTreeSet<usize>) {
        let scale = scale * f64::from(self.messages) / self.length.max(1e-12);
        let known: Vec<(usize, Vec<f64>)> = self
            .sums
            .iter()
            .zip(&self.counts)
            .enumerate()
            .filter(|(_, (_, count))| **count > 0)
            .map(|(class, (sum, count))| (class, sum.iter().map(|x| x / f64::from(*count)).collect()))
            .collect();
        let classes = f64::from(u32::try_from(known.len()).unwrap_or(u32::MAX)).max(1.0);
        let mut centre = vec![0.0; known.first().map_or(0, |(_, mean)| mean.len())];
        for (_, mean) in &known {
            centre.iter_mut().zip(mean).for_each(|(centre, x)| *centre += x / classes);
        }
        for (class, mean) in known.iter().filter(|(class, _)| !kept.contains(class)) {
            let Some(row) = rows.get_mut(*class) else { continue };
            for ((to, x), centre) in row.iter_mut().zip(mean).zip(&centre) {
                *to = ((x - centre) * scale) as f32;
            }
        }
    }
}
