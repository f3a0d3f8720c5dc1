//! Every tier, every slot, against the f64 reference, over all tail lengths; `products`, `ragged` and `training` have the operations that
//! are cut among a team.

#![expect(clippy::cast_precision_loss, reason = "test values")]

mod harness;

use harness::{close, refusal, same, tiers, values};
use hearken_kernels::{AdamW, Attention, GELU_LOW, LayerNorm, reference};

const TAILS: std::ops::RangeInclusive<usize> = 0..=49; // 3 vectors of 16, and one more

/// A value's result is that of the value alone, whatever surrounds it.
fn each_value_for_itself(what: &str, x: &[f32], slot: impl Fn(&mut [f32])) {
    let mut together = x.to_vec();
    slot(&mut together);
    let mut alone = x.to_vec();
    alone.chunks_mut(1).for_each(&slot);
    same(what, "alone and together", &together, &alone);
}

#[test]
fn exponential() {
    for kernels in tiers() {
        let edges = [-f32::INFINITY, f32::MIN, -1e3, -87.1, -87.0, -86.9, -1e-40, -0.0, 0.0, 1e-40, 87.9, 88.0, 88.1, 1e3, f32::INFINITY];
        let dense: Vec<f32> = (-88_000..89_000).map(|i| i as f32 / 1000.0).collect();
        let tails = TAILS.flat_map(|n| [0.01, 1.0, 20.0, 100.0].map(|scale| values(n as u64 + 1, n, scale)));
        for x in tails.chain([edges.to_vec(), dense]) {
            let mut out = x.clone();
            kernels.exp(&mut out);
            let wanted = reference::exp(&x);
            close("exp", &format!("{} n={} x={x:.9?}", kernels.name, x.len().min(50)), &out, &wanted, |i| 2.5e-7 * wanted[i]);
            each_value_for_itself("exp", &x[..x.len().min(50)], |x| kernels.exp(x));
        }
    }
}

#[test]
fn hyperbolic_tangent() {
    for kernels in tiers() {
        let edges = [-f32::INFINITY, f32::MIN, -100.0, -44.0, -0.25, -1e-40, -0.0, 0.0, 1e-40, 0.249_999, 0.25, 43.5, 88.0, f32::INFINITY];
        let dense: Vec<f32> = (-20_000..20_000).map(|i| i as f32 / 2000.0).collect();
        let tails = TAILS.flat_map(|n| [0.01, 1.0, 20.0, 100.0].map(|scale| values(n as u64 + 1, n, scale)));
        for x in tails.chain([edges.to_vec(), dense]) {
            let mut out = x.clone();
            kernels.tanh(&mut out);
            close("tanh", &format!("{} n={}", kernels.name, x.len()), &out, &reference::tanh(&x), |_| 3e-7);
            each_value_for_itself("tanh", &x[..x.len().min(50)], |x| kernels.tanh(x));
        }
    }
}

#[test]
fn quick_gelu_and_its_least_value() {
    for kernels in tiers() {
        let edges = [-1e30, -1e3, -4.200_001, -4.2, -4.199_999, -0.751_792, -0.0, 0.0, 1e-40, 4.199_999, 4.2, 4.200_001, 1e3, 1e30];
        let dense: Vec<f32> = (-60_000..60_000).map(|i| i as f32 / 10_000.0).collect();
        let tails = TAILS.flat_map(|n| [0.1, 3.0, 40.0].map(|scale| values(n as u64 + 1, n, scale)));
        for x in tails.chain([edges.to_vec(), dense]) {
            let mut out = x.clone();
            kernels.quick_gelu(&mut out);
            let promise = |i: usize| if x[i].abs() > 4.2 { 1.1e-5 * f64::from(x[i].abs()) } else { 4e-5 };
            close("quick_gelu", &format!("{} n={}", kernels.name, x.len()), &out, &reference::gelu(&x), promise);
            let shifted = x.iter().zip(&out).filter(|(x, _)| x.abs() < 100.0);
            shifted.for_each(|(x, out)| assert!(*out >= GELU_LOW, "{} x={x}: {out} is below the least value of GELU", kernels.name));
            each_value_for_itself("quick_gelu", &x[..x.len().min(50)], |x| kernels.quick_gelu(x));
        }
    }
}

#[test]
fn softmax_of_rows() {
    for kernels in tiers() {
        for width in TAILS.skip(1) {
            for (scale, offset) in [(1.0, 0.0), (10.0, -500.0), (300.0, 0.0), (1e30, 1e30), (0.0, 7.0)] {
                let rows = 1 + width % 5;
                let x: Vec<f32> = values(width as u64, rows * width, scale).iter().map(|x| x + offset).collect();
                let input = format!("{} rows={rows} width={width} scale={scale} offset={offset}", kernels.name);
                let mut out = x.clone();
                kernels.softmax(&mut out, width);
                close("softmax", &input, &out, &reference::softmax(&x, width), |_| 1e-6);
                let mut alone = x.clone();
                alone.chunks_exact_mut(width).for_each(|row| kernels.softmax(row, width));
                same("softmax of a row alone", &input, &alone, &out);
            }
        }
        kernels.softmax(&mut [], 0);
        kernels.softmax(&mut [], 3);
        for (length, width) in [(1, 0), (4, 3), (2, 3)] {
            let message = refusal("a width that does not divide", || kernels.softmax(&mut vec![0.0; length], width));
            assert!(message.contains("softmax"), "{message}");
        }
    }
}

#[test]
fn gelu_and_its_gradient() {
    for kernels in tiers() {
        for n in TAILS {
            for scale in [0.1, 3.0, 40.0] {
                let x = values(n as u64 + 1, n, scale);
                let dy = values(n as u64 + 77, n, 2.0);
                let input = format!("{} n={n} scale={scale}", kernels.name);
                let mut out = vec![0.0; n];
                kernels.gelu(&x, &mut out);
                close("gelu", &input, &out, &reference::gelu(&x), |i| 1e-6 * f64::from(x[i].abs().max(1.0)));
                kernels.gelu_backward(&x, &dy, &mut out);
                close("gelu_backward", &input, &out, &reference::gelu_backward(&x, &dy), |i| 2e-6 * f64::from(dy[i].abs().max(1e-3)));
            }
        }
    }
}

#[test]
fn layer_norm_and_its_gradient() {
    for kernels in tiers() {
        for hidden in TAILS.skip(2) {
            let rows = hidden % 4;
            let x = values(hidden as u64, rows * hidden, 2.0);
            let dy = values(hidden as u64 + 5, rows * hidden, 1.0);
            let (gamma, beta) = (values(3, hidden, 1.5), values(4, hidden, 1.0));
            let norm = LayerNorm { gamma: &gamma, beta: &beta, epsilon: 1e-3 };
            let input = format!("{} rows={rows} hidden={hidden}", kernels.name);
            let mut out = vec![0.0; x.len()];
            kernels.layer_norm(&x, norm, &mut out);
            close("layer_norm", &input, &out, &reference::layer_norm(&x, norm), |_| 2e-5);
            let (mut dgamma, mut dbeta) = (vec![0.0; hidden], vec![0.0; hidden]);
            kernels.layer_norm_backward(&x, norm, &dy, &mut out, &mut dgamma, &mut dbeta);
            let [dx, dg, db] = reference::layer_norm_backward(&x, norm, &dy);
            close("dx", &input, &out, &dx, |i| 1e-4 * dx[i].abs().max(1.0));
            close("dgamma", &input, &dgamma, &dg, |_| 5e-5);
            close("dbeta", &input, &dbeta, &db, |_| 5e-5);
        }
    }
}

#[test]
fn attention_and_its_gradient() {
    for kernels in tiers() {
        for length in [1, 2, 3, 7, 15, 16, 17, 33, 50] {
            for (heads, head_dim) in [(1, 8), (3, 16), (2, 32)] {
                let n = length * heads * head_dim;
                let (query, key, value) = (values(1, n, 2.0), values(2, n, 2.0), values(3, n, 1.0));
                let dout = values(4, n, 1.0);
                let attention = Attention { query: &query, key: &key, value: &value, length, heads, head_dim };
                let input = format!("{} length={length} heads={heads} head_dim={head_dim}", kernels.name);
                let mut scratch = vec![0.0; 2 * length];
                let mut out = vec![0.0; n];
                kernels.attention(attention, &mut scratch, &mut out);
                close("attention", &input, &out, &reference::attention(attention), |_| 1e-5);
                let (mut dq, mut dk, mut dv) = (vec![9.0; n], vec![9.0; n], vec![9.0; n]);
                kernels.attention_backward(attention, &dout, &mut scratch, &mut dq, &mut dk, &mut dv);
                let [wq, wk, wv] = reference::attention_backward(attention, &dout);
                close("dquery", &input, &dq, &wq, |_| 5e-5);
                close("dkey", &input, &dk, &wk, |_| 5e-5);
                close("dvalue", &input, &dv, &wv, |_| 5e-5);
            }
        }
    }
}

#[test]
fn adamw_steps() {
    for kernels in tiers() {
        for n in TAILS {
            let gradient = values(1, n, 0.1);
            let (parameter, first) = (values(2, n, 1.0), values(3, n, 0.05));
            let second: Vec<f32> = values(4, n, 0.01).iter().map(|v| v.abs()).collect();
            let step = AdamW {
                learning_rate: 1e-3,
                beta1: 0.9,
                beta2: 0.999,
                epsilon: 1e-8,
                weight_decay: 0.01,
                correction1: 0.19,
                correction2: 0.002,
                gradient_scale: 0.7,
            };
            let (mut p, mut m, mut v) = (parameter.clone(), first.clone(), second.clone());
            kernels.adamw(step, &gradient, &mut p, &mut m, &mut v);
            let input = format!("{} n={n}", kernels.name);
            let wanted: Vec<[f64; 3]> = (0..n).map(|i| reference::adamw(step, gradient[i], parameter[i], first[i], second[i])).collect();
            close("parameter", &input, &p, &wanted.iter().map(|w| w[0]).collect::<Vec<_>>(), |_| 1e-6);
            close("first", &input, &m, &wanted.iter().map(|w| w[1]).collect::<Vec<_>>(), |_| 1e-7);
            close("second", &input, &v, &wanted.iter().map(|w| w[2]).collect::<Vec<_>>(), |_| 1e-7);
        }
    }
}
