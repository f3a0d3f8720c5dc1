//! The specification: every operation in f64, slow and obvious. Not for use outside tests.

mod forward;

pub use forward::{attend, embed, exp, finish, half, integer_product, product, shifted_bias, softmax, tanh};

use crate::table::{AdamW, Attention, LayerNorm};

/// erf by its Maclaurin series for |x| < 3 and by the continued fraction of erfc beyond (Abramowitz and Stegun 7.1.5, 7.1.14).
#[must_use]
pub fn erf(x: f64) -> f64 {
    let z = x.abs();
    let value = if z < 3.0 {
        let mut term = z;
        let mut total = z;
        for n in 1..100 {
            let n = f64::from(n);
            term *= -z * z / n;
            total += term / (2.0 * n + 1.0);
        }
        total * 2.0 / std::f64::consts::PI.sqrt()
    } else {
        let mut fraction = 0.0;
        for n in (1..=60).rev() {
            fraction = f64::from(n) / 2.0 / (z + fraction);
        }
        1.0 - (-z * z).exp() / (std::f64::consts::PI.sqrt() * (z + fraction))
    };
    value.copysign(x)
}

fn normal_cdf(x: f64) -> f64 {
    0.5 * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

/// See [`Kernels::gelu`](crate::Kernels::gelu).
#[must_use]
pub fn gelu(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x) * normal_cdf(f64::from(x))).collect()
}

/// See [`Kernels::gelu_backward`](crate::Kernels::gelu_backward).
#[must_use]
pub fn gelu_backward(x: &[f32], dy: &[f32]) -> Vec<f64> {
    let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    x.iter().zip(dy).map(|(&x, &g)| f64::from(g) * (normal_cdf(f64::from(x)) + f64::from(x) * density(f64::from(x)))).collect()
}

fn exact(row: &[f32]) -> Vec<f64> {
    row.iter().map(|&x| f64::from(x)).collect()
}

fn normalise(row: &[f64], epsilon: f32) -> (Vec<f64>, f64) {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    let inverse = 1.0 / (variance + f64::from(epsilon)).sqrt();
    (row.iter().map(|x| (x - mean) * inverse).collect(), inverse)
}

fn layer_norm_row(row: &[f64], norm: LayerNorm<'_>) -> Vec<f64> {
    let (normalised, _) = normalise(row, norm.epsilon);
    normalised.into_iter().zip(norm.gamma).zip(norm.beta).map(|((n, &g), &b)| n * f64::from(g) + f64::from(b)).collect()
}

/// See [`Kernels::layer_norm`](crate::Kernels::layer_norm).
#[must_use]
pub fn layer_norm(x: &[f32], norm: LayerNorm<'_>) -> Vec<f64> {
    x.chunks_exact(norm.gamma.len()).flat_map(|row| layer_norm_row(&exact(row), norm)).collect()
}

/// `dx`, `dgamma`, `dbeta`; see [`Kernels::layer_norm_backward`](crate::Kernels::layer_norm_backward).
#[must_use]
pub fn layer_norm_backward(x: &[f32], norm: LayerNorm<'_>, dy: &[f32]) -> [Vec<f64>; 3] {
    let hidden = norm.gamma.len();
    let mut dx = Vec::new();
    let mut dgamma = vec![0.0; hidden];
    let mut dbeta = vec![0.0; hidden];
    for (x, dy) in x.chunks_exact(hidden).zip(dy.chunks_exact(hidden)) {
        let (normalised, inverse) = normalise(&exact(x), norm.epsilon);
        let g: Vec<f64> = dy.iter().zip(norm.gamma).map(|(&d, &g)| f64::from(d) * f64::from(g)).collect();
        let mean_g = g.iter().sum::<f64>() / hidden as f64;
        let mean_gx = g.iter().zip(&normalised).map(|(g, n)| g * n).sum::<f64>() / hidden as f64;
        for i in 0..hidden {
            dx.push(inverse * (g[i] - mean_g - normalised[i] * mean_gx));
            dgamma[i] += f64::from(dy[i]) * normalised[i];
            dbeta[i] += f64::from(dy[i]);
        }
    }
    [dx, dgamma, dbeta]
}

fn at(values: &[f32], input: Attention<'_>, token: usize, head: usize, i: usize) -> f64 {
    f64::from(values[(token * input.heads + head) * input.head_dim + i])
}

fn score(a: &[f32], token: usize, b: &[f32], other: usize, head: usize, input: Attention<'_>) -> f64 {
    (0..input.head_dim).map(|i| at(a, input, token, head, i) * at(b, input, other, head, i)).sum()
}

fn probabilities(input: Attention<'_>, token: usize, head: usize) -> Vec<f64> {
    let scale = 1.0 / (input.head_dim as f64).sqrt();
    let scores: Vec<f64> = (0..input.length).map(|other| score(input.query, token, input.key, other, head, input) * scale).collect();
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
    scores.iter().map(|s| (s - largest).exp() / total).collect()
}

/// See [`Kernels::attention`](crate::Kernels::attention).
#[must_use]
pub fn attention(input: Attention<'_>) -> Vec<f64> {
    let mut out = vec![0.0; input.query.len()];
    for head in 0..input.heads {
        for token in 0..input.length {
            for (other, p) in probabilities(input, token, head).into_iter().enumerate() {
                for i in 0..input.head_dim {
                    out[(token * input.heads + head) * input.head_dim + i] += p * at(input.value, input, other, head, i);
                }
            }
        }
    }
    out
}

/// `dquery`, `dkey`, `dvalue`; see [`Kernels::attention_backward`](crate::Kernels::attention_backward).
#[must_use]
pub fn attention_backward(input: Attention<'_>, dout: &[f32]) -> [Vec<f64>; 3] {
    let scale = 1.0 / (input.head_dim as f64).sqrt();
    let size = input.query.len();
    let (mut dquery, mut dkey, mut dvalue) = (vec![0.0; size], vec![0.0; size], vec![0.0; size]);
    for head in 0..input.heads {
        for token in 0..input.length {
            let p = probabilities(input, token, head);
            let dp: Vec<f64> = (0..input.length).map(|other| score(dout, token, input.value, other, head, input)).collect();
            let expected: f64 = p.iter().zip(&dp).map(|(p, d)| p * d).sum();
            for other in 0..input.length {
                let dscore = p[other] * (dp[other] - expected) * scale;
                for i in 0..input.head_dim {
                    let here = (token * input.heads + head) * input.head_dim + i;
                    let there = (other * input.heads + head) * input.head_dim + i;
                    dquery[here] += dscore * f64::from(input.key[there]);
                    dkey[there] += dscore * f64::from(input.query[here]);
                    dvalue[there] += p[other] * f64::from(dout[here]);
                }
            }
        }
    }
    [dquery, dkey, dvalue]
}

/// The parameter after one step, and both moments; see [`Kernels::adamw`](crate::Kernels::adamw).
#[must_use]
pub fn adamw(step: AdamW, gradient: f32, parameter: f32, first: f32, second: f32) -> [f64; 3] {
    let g = f64::from(gradient) * f64::from(step.gradient_scale);
    let m = f64::from(step.beta1) * f64::from(first) + (1.0 - f64::from(step.beta1)) * g;
    let v = f64::from(step.beta2) * f64::from(second) + (1.0 - f64::from(step.beta2)) * g * g;
    let update = m / f64::from(step.correction1) / ((v / f64::from(step.correction2)).sqrt() + f64::from(step.epsilon));
    let rate = f64::from(step.learning_rate);
    [f64::from(parameter) * (1.0 - rate * f64::from(step.weight_decay)) - rate * update, m, v]
}
