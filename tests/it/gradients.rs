//! Every operation that training goes through: the fused path equals candle's own, and gradients equal finite differences.

use candle_core::{Device, Tensor, Var};
use hearken::backend::candle::{Dropout, Fused, Network, NetworkShape, Ops, Stock};
use hearken::batch::PackedBatch;
use hearken::text::Utterance;
use std::ops::Range;

const ROWS: [Range<usize>; 3] = [0..3, 3..4, 4..11];
const TOKENS: usize = 11;
const HIDDEN: usize = 16;

fn values(seed: u32, n: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from((state >> 16) as u16) / 32768.0 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

fn var(seed: u32, shape: &[usize]) -> Var {
    Var::from_tensor(&Tensor::from_vec(values(seed, shape.iter().product()), shape, &Device::Cpu).unwrap()).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn close(what: &str, got: &Tensor, wanted: &Tensor, tolerance: f32) {
    for (i, (got, wanted)) in flat(got).iter().zip(flat(wanted)).enumerate() {
        assert!((got - wanted).abs() <= tolerance, "{what}, element {i}: got {got}, wanted {wanted}");
    }
}

type Function<'a> = dyn Fn(&dyn Ops, &[Var]) -> Tensor + 'a;

/// A scalar of the function's result that depends on every element differently.
fn scalar(result: &Tensor) -> Tensor {
    let weights = Tensor::from_vec(values(99, result.elem_count()), result.shape(), &Device::Cpu).unwrap();
    (result * weights).unwrap().sum_all().unwrap()
}

/// Fused against stock, forward and backward, and both against central differences.
fn check(name: &str, inputs: &[Var], function: &Function<'_>) {
    let (fused, stock) = (function(&Fused, inputs), function(&Stock, inputs));
    close(&format!("{name} forward"), &fused, &stock, 1e-5);
    let (fused, stock) = (scalar(&fused).backward().unwrap(), scalar(&stock).backward().unwrap());
    for (i, input) in inputs.iter().enumerate() {
        let gradient = fused.get(input).unwrap_or_else(|| panic!("{name}: input {i} has no gradient"));
        close(&format!("{name} gradient {i}"), gradient, stock.get(input).unwrap(), 1e-4);
        let (values, gradient) = (flat(input), flat(gradient));
        for place in (0..values.len()).step_by(7) {
            let at = |delta: f32| {
                let mut moved = values.clone();
                moved[place] += delta;
                input.set(&Tensor::from_vec(moved, input.shape(), &Device::Cpu).unwrap()).unwrap();
                f64::from(scalar(&function(&Stock, inputs)).to_scalar::<f32>().unwrap())
            };
            let step = 1e-2;
            let difference = (at(step) - at(-step)) / (2.0 * f64::from(step));
            at(0.0);
            let distance = (f64::from(gradient[place]) - difference).abs();
            assert!(
                distance <= 5e-3 * difference.abs().max(1.0),
                "{name} input {i}, element {place}: gradient {}, difference {difference}",
                gradient[place]
            );
        }
    }
}

#[test]
fn gelu() {
    check("gelu", &[var(1, &[TOKENS, HIDDEN])], &|ops, x| ops.gelu(&x[0]).unwrap());
}

#[test]
fn layer_norm() {
    let inputs = [var(1, &[TOKENS, HIDDEN]), var(2, &[HIDDEN]), var(3, &[HIDDEN])];
    check("layer-norm", &inputs, &|ops, x| ops.layer_norm(&x[0], &x[1], &x[2], 1e-5).unwrap());
}

#[test]
fn attention() {
    let inputs = [var(1, &[TOKENS, HIDDEN]), var(2, &[TOKENS, HIDDEN]), var(3, &[TOKENS, HIDDEN])];
    check("attention", &inputs, &|ops, x| ops.attention(&x[0], &x[1], &x[2], &ROWS, 2).unwrap());
}

#[test]
fn the_whole_network() {
    let model = crate::shop::model("tiny");
    let shape = NetworkShape::of(&model);
    let mut vars: Vec<(String, Var)> = Vec::new();
    let network = Network::load(&shape, &mut |name, size| {
        let var = Var::from_tensor(&model.tensor(name, size, &Device::Cpu).map_err(candle_core::Error::wrap)?)?;
        let tensor = var.as_tensor().clone();
        vars.push((name.to_owned(), var));
        Ok(tensor)
    })
    .unwrap();
    let encoded: Vec<_> = ["where is my order?", "thanks", "I want a refund, this is terrible!"]
        .into_iter()
        .map(|text| model.text.encode(&Utterance::new(text).unwrap(), &[]).unwrap())
        .collect();
    let batch = PackedBatch::new(&encoded);
    let loss = |ops: &dyn Ops| {
        let output = network.forward(&batch, ops, &mut Dropout::none()).unwrap();
        let parts = network.kinds().map(|kind| {
            let vectors = if kind == hearken::backend::HeadKind::Entities { &output.tokens } else { &output.pooled };
            let logits = network.head(kind, vectors).unwrap();
            scalar(&candle_nn::ops::log_softmax(&logits, candle_core::D::Minus1).unwrap())
        });
        parts.reduce(|a, b| (a + b).unwrap()).unwrap()
    };
    let (fused, stock) = (loss(&Fused), loss(&Stock));
    close("loss", &fused, &stock, 1e-3);
    let (fused, stock) = (fused.backward().unwrap(), stock.backward().unwrap());
    for (name, var) in &vars {
        let wanted = stock.get(var.as_tensor()).unwrap_or_else(|| panic!("{name} has no gradient"));
        let scale = flat(wanted).iter().fold(1.0f32, |a, b| a.max(b.abs()));
        close(name, fused.get(var.as_tensor()).unwrap(), wanted, 1e-4 * scale);
    }
}

#[test]
fn dropout_keeps_the_expectation_and_repeats_by_seed() {
    let x = Tensor::ones((100, 100), candle_core::DType::F32, &Device::Cpu).unwrap();
    let once = flat(&Dropout::new(0.25, 7).apply(&x).unwrap());
    assert_eq!(once, flat(&Dropout::new(0.25, 7).apply(&x).unwrap()));
    assert_ne!(once, flat(&Dropout::new(0.25, 8).apply(&x).unwrap()));
    let mean = once.iter().sum::<f32>() / 1e4;
    let dropped = once.iter().filter(|value| **value == 0.0).count();
    assert!((mean - 1.0).abs() < 0.03 && (2300..2700).contains(&dropped), "mean {mean}, dropped {dropped}");
}
