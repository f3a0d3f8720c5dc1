//! What training differentiates, forward and backward, in f32.

use super::math::{exp, normal};
use super::sum;
use crate::table::{AdamW, Attention, LayerNorm, Mask};

#[inline(always)]
pub fn gelu(x: &[f32], out: &mut [f32]) {
    assert_eq!(x.len(), out.len(), "gelu: lengths differ");
    for (o, &x) in out.iter_mut().zip(x) {
        *o = x * normal(x).0;
    }
}

#[inline(always)]
pub fn gelu_backward(x: &[f32], dy: &[f32], dx: &mut [f32]) {
    const INVERSE_SQRT_TWO_PI: f32 = 0.398_942_3;
    assert!(x.len() == dy.len() && x.len() == dx.len(), "gelu_backward: lengths differ");
    for ((d, &x), &g) in dx.iter_mut().zip(x).zip(dy) {
        let (phi, bell) = normal(x);
        *d = g * (phi + x * bell * INVERSE_SQRT_TWO_PI);
    }
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    let (a, b) = (&a[..n], &b[..n]);
    sum(n, |i| a[i] * b[i])
}

/// Mean and reciprocal standard deviation of a row.
#[inline(always)]
pub fn moments(row: &[f32], epsilon: f32) -> (f32, f32) {
    let n = row.len() as f32;
    let mean = sum(row.len(), |i| row[i]) / n;
    let variance = sum(row.len(), |i| (row[i] - mean) * (row[i] - mean)) / n;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

#[inline(always)]
pub fn layer_norm(x: &[f32], norm: LayerNorm<'_>, out: &mut [f32]) {
    let hidden = norm.gamma.len();
    assert!(hidden > 0 && norm.beta.len() == hidden, "layer_norm: gamma and beta differ in length");
    assert!(x.len() == out.len() && x.len().is_multiple_of(hidden), "layer_norm: lengths differ");
    for (row, out) in x.chunks_exact(hidden).zip(out.chunks_exact_mut(hidden)) {
        let (mean, inverse) = moments(row, norm.epsilon);
        for i in 0..hidden {
            out[i] = (row[i] - mean) * inverse * norm.gamma[i] + norm.beta[i];
        }
    }
}

#[inline(always)]
pub fn layer_norm_backward(x: &[f32], norm: LayerNorm<'_>, dy: &[f32], dx: &mut [f32], dgamma: &mut [f32], dbeta: &mut [f32]) {
    let hidden = norm.gamma.len();
    assert!(hidden > 0 && dgamma.len() == hidden && dbeta.len() == hidden, "layer_norm_backward: parameter lengths differ");
    assert!(x.len() == dy.len() && x.len() == dx.len() && x.len().is_multiple_of(hidden), "layer_norm_backward: lengths differ");
    let gamma = norm.gamma;
    let rows = x.chunks_exact(hidden).zip(dy.chunks_exact(hidden)).zip(dx.chunks_exact_mut(hidden));
    for ((x, dy), dx) in rows {
        let (mean, inverse) = moments(x, norm.epsilon);
        let n = hidden as f32;
        let mean_g = sum(hidden, |i| dy[i] * gamma[i]) / n;
        let mean_gx = sum(hidden, |i| dy[i] * gamma[i] * (x[i] - mean) * inverse) / n;
        for i in 0..hidden {
            let normalised = (x[i] - mean) * inverse;
            dx[i] = inverse * (dy[i] * gamma[i] - mean_g - normalised * mean_gx);
            dgamma[i] += dy[i] * normalised;
            dbeta[i] += dy[i];
        }
    }
}

impl Attention<'_> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.heads * self.head_dim
    }

    #[inline(always)]
    fn check(&self, scratch: usize, needed: usize) {
        let size = self.length * self.width();
        assert!(self.query.len() == size && self.key.len() == size && self.value.len() == size, "attention: lengths differ");
        assert!(scratch >= needed, "attention: scratch is too small");
    }

    /// Range of one token's slice in one head.
    #[inline(always)]
    fn slot(&self, token: usize, head: usize) -> std::ops::Range<usize> {
        let start = token * self.width() + head * self.head_dim;
        start..start + self.head_dim
    }

    /// Softmax over the scores of one query, into `probabilities`, `[length]`.
    #[inline(always)]
    fn probabilities(&self, token: usize, head: usize, probabilities: &mut [f32]) {
        let scale = 1.0 / (self.head_dim as f32).sqrt();
        let query = &self.query[self.slot(token, head)];
        let mut largest = f32::NEG_INFINITY;
        for (other, p) in probabilities.iter_mut().enumerate() {
            *p = dot(query, &self.key[self.slot(other, head)]) * scale;
            largest = largest.max(*p);
        }
        for p in probabilities.iter_mut() {
            *p = exp(*p - largest);
        }
        let inverse = 1.0 / sum(probabilities.len(), |i| probabilities[i]);
        for p in probabilities.iter_mut() {
            *p *= inverse;
        }
    }
}

/// `to += factor * from`.
#[inline(always)]
fn add_scaled(to: &mut [f32], factor: f32, from: &[f32]) {
    for (t, f) in to.iter_mut().zip(from) {
        *t += factor * f;
    }
}

#[inline(always)]
pub fn attention(input: Attention<'_>, scratch: &mut [f32], out: &mut [f32]) {
    input.check(scratch.len(), input.length);
    assert_eq!(out.len(), input.query.len(), "attention: lengths differ");
    let probabilities = &mut scratch[..input.length];
    out.fill(0.0);
    for head in 0..input.heads {
        for token in 0..input.length {
            input.probabilities(token, head, probabilities);
            let out = &mut out[input.slot(token, head)];
            for (other, &p) in probabilities.iter().enumerate() {
                add_scaled(out, p, &input.value[input.slot(other, head)]);
            }
        }
    }
}

#[inline(always)]
pub fn attention_backward(
    input: Attention<'_>,
    dout: &[f32],
    scratch: &mut [f32],
    dquery: &mut [f32],
    dkey: &mut [f32],
    dvalue: &mut [f32],
) {
    input.check(scratch.len(), 2 * input.length);
    let size = input.query.len();
    assert!(dout.len() == size && dquery.len() == size && dkey.len() == size && dvalue.len() == size, "attention_backward: lengths differ");
    let scale = 1.0 / (input.head_dim as f32).sqrt();
    let (probabilities, rest) = scratch.split_at_mut(input.length);
    let dprobabilities = &mut rest[..input.length];
    dquery.fill(0.0);
    dkey.fill(0.0);
    dvalue.fill(0.0);
    for head in 0..input.heads {
        for token in 0..input.length {
            input.probabilities(token, head, probabilities);
            let here = input.slot(token, head);
            let dout = &dout[here.clone()];
            for (other, (&p, dp)) in probabilities.iter().zip(dprobabilities.iter_mut()).enumerate() {
                let there = input.slot(other, head);
                *dp = dot(dout, &input.value[there.clone()]);
                add_scaled(&mut dvalue[there], p, dout);
            }
            let expected = sum(input.length, |i| probabilities[i] * dprobabilities[i]);
            for (other, (&p, &dp)) in probabilities.iter().zip(dprobabilities.iter()).enumerate() {
                let there = input.slot(other, head);
                let dscore = p * (dp - expected) * scale;
                add_scaled(&mut dquery[here.clone()], dscore, &input.key[there.clone()]);
                add_scaled(&mut dkey[there], dscore, &input.query[here.clone()]);
            }
        }
    }
}

#[inline(always)]
pub fn adamw(step: AdamW, gradient: &[f32], parameter: &mut [f32], first: &mut [f32], second: &mut [f32]) {
    let n = parameter.len();
    assert!(gradient.len() == n && first.len() == n && second.len() == n, "adamw: lengths differ");
    let keep = 1.0 - step.learning_rate * step.weight_decay;
    let rate = step.learning_rate / step.correction1;
    let inverse_root = 1.0 / step.correction2.sqrt();
    for i in 0..n {
        let g = gradient[i] * step.gradient_scale;
        let m = step.beta1 * first[i] + (1.0 - step.beta1) * g;
        let v = step.beta2 * second[i] + (1.0 - step.beta2) * g * g;
        first[i] = m;
        second[i] = v;
        parameter[i] = parameter[i] * keep - rate * m / (v.sqrt() * inverse_root + step.epsilon);
    }
}

/// Keeps a value where the hash of its place and the seed reaches the threshold. The hash is `MurmurHash3`'s 32-bit finalizer.
#[inline(always)]
pub fn drop(mask: Mask, values: &mut [f32]) {
    for (i, value) in values.iter_mut().enumerate() {
        let mut h = mask.first.wrapping_add(i as u32).wrapping_mul(0x9e37_79b1) ^ mask.seed;
        h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
        h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
        h ^= h >> 16;
        *value *= if h < mask.threshold { 0.0 } else { mask.scale };
    }
}

#[inline(always)]
pub fn add(from: &[f32], to: &mut [f32]) {
    assert_eq!(from.len(), to.len(), "add: lengths differ");
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

#[inline(always)]
pub fn column_sums(x: &[f32], width: usize, first: usize, out: &mut [f32]) {
    assert!(width > 0 && x.len().is_multiple_of(width) && first + out.len() <= width, "column_sums: lengths differ");
    out.fill(0.0);
    for row in x.chunks_exact(width) {
        for (out, x) in out.iter_mut().zip(&row[first..]) {
            *out += x;
        }
    }
}
