//! Every tier, every slot, against the f64 reference, over all tail lengths. A tier this processor lacks is printed, and
//! fails the run when `HEARKEN_EXPECT_TIERS` (comma-separated) names it.

#![expect(clippy::cast_precision_loss, reason = "test values")]

use hearken_kernels::{AdamW, Attention, Kernels, LayerNorm, TIERS, reference};

/// Values in [-scale, scale] from a fixed sequence (Knuth's 64-bit linear congruential constants).
fn values(seed: u64, n: usize, scale: f32) -> Vec<f32> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 40) as f32 / (1u64 << 24) as f32 * 2.0 - 1.0) * scale
        })
        .collect()
}

fn close(what: &str, input: &str, got: &[f32], wanted: &[f64], tolerance: impl Fn(usize) -> f64) {
    assert_eq!(got.len(), wanted.len(), "{what}: {input}");
    for (i, (&g, &w)) in got.iter().zip(wanted).enumerate() {
        let distance = (f64::from(g) - w).abs();
        assert!(distance <= tolerance(i), "{what}: {input}, element {i}: got {g}, wanted {w}, distance {distance}");
    }
}

fn each_tier(test: impl Fn(&'static Kernels)) {
    let expected = std::env::var("HEARKEN_EXPECT_TIERS").unwrap_or_default();
    for tier in TIERS {
        if let Some(kernels) = tier.kernels() {
            test(kernels);
        } else {
            println!("skipped tier {}: this processor lacks it", tier.name);
            assert!(!expected.split(',').any(|name| name == tier.name), "tier {} was expected here", tier.name);
        }
    }
}

const TAILS: std::ops::RangeInclusive<usize> = 0..=49; // 3 vectors of 16, and one more

#[test]
fn gelu_and_its_gradient() {
    each_tier(|kernels| {
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
    });
}

#[test]
fn layer_norm_and_its_gradient() {
    each_tier(|kernels| {
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
    });
}

#[test]
fn attention_and_its_gradient() {
    each_tier(|kernels| {
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
    });
}

#[test]
fn adamw_steps() {
    each_tier(|kernels| {
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
    });
}
