//! A scale and a bias for each class (vector scaling: Guo et al., 2017), where they are worth having.
//!
//! The fit starts from the temperature and is pulled back to it (L2 on `scale − 1` and `bias`), so a class with few messages stays
//! close to it. Twice as many numbers as classes fit anything: vector scaling is taken only when, fitted on four fifths of the
//! messages, it gives the last fifth a lower loss than the temperature does, by more than the standard error of the difference.

use super::Labelled;
use super::temperature::{fit, loss};
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;

/// Fewer messages than this for each class, on average, are too few to try.
const LEAST_OF_CLASS: usize = 4;
/// More messages than this tell nothing new.
const MOST: usize = 4000;
/// Parts of the cross-validation.
const FOLDS: usize = 5;
/// How hard the fit is pulled back to the temperature.
const PENALTIES: [f32; 2] = [0.05, 0.3];
const STEPS: i32 = 80;
const RATE: f32 = 0.03;
/// Keeps the order of a row's logits.
const LEAST_SCALE: f32 = 0.05;

/// Scale and bias of each class, applied to logits that the temperature has divided.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Scales.
    pub scale: Array1<f32>,
    /// Biases.
    pub bias: Array1<f32>,
}

impl Scaling {
    /// The calibrated logits.
    pub fn apply(&self, logits: &Array1<f32>, temperature: f32) -> Array1<f32> {
        logits / temperature * &self.scale + &self.bias
    }
}

/// The scaling, where it beats the temperature on messages that neither was fitted on.
pub fn choose(known: &[Labelled]) -> Option<Scaling> {
    let classes = known.first()?.0.len();
    if known.len() < LEAST_OF_CLASS * classes.max(25) || classes < 2 {
        return None;
    }
    let known: Vec<Labelled> = known.iter().step_by(known.len().div_ceil(MOST)).cloned().collect();
    // How much each message gains by each penalty, when it is in the part left out.
    let parts: Vec<Vec<[f64; PENALTIES.len()]>> = (0..FOLDS).into_par_iter().map(|part| gains(&known, part)).collect();
    let gains = parts.concat();
    let best = (0..PENALTIES.len()).filter_map(|index| {
        let column: Vec<f64> = gains.iter().filter_map(|row| row.get(index).copied()).collect();
        let (mean, error) = mean_and_error(&column);
        (mean > error).then_some((mean, *PENALTIES.get(index)?))
    });
    let (_, penalty) = best.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(scaling(&known, fit(&known), penalty))
}

fn gains(known: &[Labelled], part: usize) -> Vec<[f64; PENALTIES.len()]> {
    let in_part = |(index, _): &(usize, &Labelled)| index % FOLDS == part;
    let fitted_on: Vec<Labelled> = known.iter().enumerate().filter(|row| !in_part(row)).map(|(_, row)| row.clone()).collect();
    let temperature = fit(&fitted_on);
    let scalings = PENALTIES.map(|penalty| scaling(&fitted_on, temperature, penalty));
    let left_out = known.iter().enumerate().filter(in_part);
    let gain = |(_, (logits, class)): (usize, &Labelled)| {
        let before = loss(logits, temperature, *class);
        scalings.each_ref().map(|scaling| before - loss(&scaling.apply(logits, temperature), 1.0, *class))
    };
    left_out.map(gain).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of examples")]
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(2) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Minimises the mean loss plus the penalty, which weighs as many messages as a class has, by Adam (Kingma and Ba, 2015) on all
/// messages at once.
#[expect(clippy::cast_precision_loss, reason = "counts of examples and classes")]
fn scaling(known: &[Labelled], temperature: f32, penalty: f32) -> Scaling {
    let classes = known.first().map_or(0, |(logits, _)| logits.len());
    let mut inputs = Array2::zeros((known.len(), classes));
    for (mut row, (logits, _)) in inputs.rows_mut().into_iter().zip(known) {
        row.assign(&(logits / temperature));
    }
    let (rows, pull) = (known.len().max(1) as f32, penalty / classes.max(1) as f32);
    let mut scaling = Scaling { scale: Array1::ones(classes), bias: Array1::zeros(classes) };
    let mut moments = [(); 2].map(|()| (Array1::<f32>::zeros(classes), Array1::<f32>::zeros(classes)));
    for step in 1..=STEPS {
        let mut residuals = &inputs * &scaling.scale + &scaling.bias;
        for (mut row, (_, class)) in residuals.rows_mut().into_iter().zip(known) {
            let largest = row.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
            row.mapv_inplace(|logit| (logit - largest).exp());
            let total = row.sum();
            row /= total;
            if let Some(right) = row.get_mut(*class) {
                *right -= 1.0;
            }
        }
        let of_bias = residuals.sum_axis(Axis(0)) / rows + &scaling.bias * pull;
        let of_scale = (&residuals * &inputs).sum_axis(Axis(0)) / rows + (&scaling.scale - 1.0) * pull;
        let [scale, bias] = &mut moments;
        descend(&mut scaling.scale, &of_scale, scale, step);
        descend(&mut scaling.bias, &of_bias, bias, step);
        scaling.scale.mapv_inplace(|scale| scale.max(LEAST_SCALE));
    }
    scaling
}

fn descend(values: &mut Array1<f32>, gradient: &Array1<f32>, moments: &mut (Array1<f32>, Array1<f32>), step: i32) {
    const FIRST: f32 = 0.9;
    const SECOND: f32 = 0.999;
    let (mean, square) = moments;
    *mean = &*mean * FIRST + gradient * (1.0 - FIRST);
    *square = &*square * SECOND + gradient.mapv(|g| g * g) * (1.0 - SECOND);
    let (of_mean, of_square) = (1.0 - FIRST.powi(step), 1.0 - SECOND.powi(step));
    *values -= &(mean.mapv(|m| m / of_mean * RATE) / square.mapv(|v| (v / of_square).sqrt() + 1e-8));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};

    /// Messages whose true log-odds are `truth` of the logits given.
    fn drawn(rows: usize, truth: impl Fn(&Array1<f32>) -> Array1<f32>) -> Vec<Labelled> {
        let mut random = SmallRng::seed_from_u64(5);
        let row = |_| {
            let logits = Array1::from_iter((0..4).map(|_| random.random_range(-3.0..3.0f32)));
            let odds = truth(&logits).mapv(f32::exp);
            let mut point = random.random_range(0.0..odds.sum());
            let class = odds.iter().position(|odds| {
                point -= odds;
                point < 0.0
            });
            (logits, class.unwrap_or(3))
        };
        (0..rows).map(row).collect()
    }

    #[test]
    fn one_temperature_is_kept_where_it_is_the_truth() {
        assert_eq!(choose(&drawn(600, |logits| logits / 2.0)), None);
    }

    #[test]
    fn a_class_that_is_underrated_gets_its_bias() {
        let scaling = choose(&drawn(600, |logits| logits + &ndarray::arr1(&[0.0, 0.0, 0.0, 2.0]))).unwrap();
        let others = scaling.bias.iter().take(3).sum::<f32>() / 3.0;
        assert!((scaling.bias[3] - others - 2.0).abs() < 0.5, "{scaling:?}");
    }

    #[test]
    fn too_few_messages_are_not_tried() {
        assert_eq!(choose(&drawn(80, |logits| logits + &ndarray::arr1(&[0.0, 0.0, 0.0, 9.0]))), None);
        assert_eq!(choose(&[]), None);
    }
}
