//! Every operation that training goes through: the fused path equals candle's own, and gradients equal finite differences.

use candle_core::{DType, Device, Tensor, Var};
use hearken::backend::candle::{Dropout, Fused, Network, NetworkShape, Ops, Stock};
use hearken::backend::cuda::{Cuda, device};
use hearken::backend::training::{Dropping, EncoderGradients, Gradient, GraphEncoder, Incoming, LearningEncoder, TrainingEncoder};
use hearken::backend::{Backend as _, HeadKind};
use hearken::batch::PackedBatch;
use hearken::model::LoadedModel;
use hearken::text::{Encoded, Utterance};
use hearken_kernels::Element;
use std::collections::BTreeMap;
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
            let vectors = if kind == HeadKind::Entities { &output.tokens } else { &output.pooled };
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

/// The weights of `tiny` by name, and the same in f64 as candle's network.
struct Tiny {
    model: LoadedModel,
    values: BTreeMap<String, Vec<f32>>,
}

/// Weights of a sum that depends on every value differently.
fn wave(n: usize) -> Vec<f64> {
    (0..n).map(|i| (f64::from(u32::try_from(i).unwrap()) * 0.7 + 0.3).sin()).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "test values")]
fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|x| *x as f32).collect()
}

impl Tiny {
    fn open() -> Self {
        let model = crate::shop::model("tiny");
        let tensor = |(name, size): (String, Vec<usize>)| {
            let values = flat(&model.tensor(&name, &size, &Device::Cpu).unwrap());
            (name, values)
        };
        let values = model.config.tensors().into_iter().map(tensor).collect();
        Self { model, values }
    }

    /// Gradients of the wave over tokens and pooled vectors, by the encoder on kernels.
    fn on_kernels(&self, batch: &PackedBatch, element: Element, cores: usize, dropping: Dropping) -> BTreeMap<String, Vec<f32>> {
        let encoder = TrainingEncoder::new(&self.model.config, self.model.manifest.pooling, cores).unwrap();
        self.gradients(&mut encoder.with_element(element), batch, dropping)
    }

    /// By the graph on a device.
    fn on_graph(&self, batch: &PackedBatch, device: Device, dtype: DType) -> BTreeMap<String, Vec<f32>> {
        let mut encoder = GraphEncoder::new(&self.model.config, self.model.manifest.pooling, device, dtype);
        self.gradients(&mut encoder, batch, Dropping::NONE)
    }

    fn gradients(&self, encoder: &mut dyn LearningEncoder, batch: &PackedBatch, dropping: Dropping) -> BTreeMap<String, Vec<f32>> {
        let config = &self.model.config;
        let get = |name: &str| self.values.get(name).map(Vec::as_slice).ok_or_else(|| candle_core::Error::Msg(name.to_owned()));
        let mut gradients = EncoderGradients::new(config);
        // A larger batch before: what it left must not matter.
        let larger = PackedBatch::new([&message(&[2, 5, 6, 7, 9, 10, 11, 3]), &message(&[2, 5, 6, 3]), &message(&[2; 9])]);
        encoder.forward(&get, &larger, Dropping::NONE).unwrap();
        let vectors = encoder.forward(&get, batch, dropping).unwrap();
        let (tokens, pooled) = (narrow(&wave(vectors.tokens.len())), narrow(&wave(vectors.pooled.len())));
        encoder.backward(&get, Incoming { tokens: &tokens, pooled: &pooled }, &mut gradients).unwrap();
        let whole = |(name, gradient): (&str, Gradient<'_>)| {
            let values = match gradient {
                Gradient::Dense(values) => values.to_vec(),
                Gradient::Rows(rows) => {
                    let mut values = vec![0.0; self.values[name].len()];
                    let hidden = config.hidden_size;
                    for (index, row) in rows.indices.iter().zip(rows.values.chunks_exact(hidden)) {
                        values[*index as usize * hidden..][..hidden].copy_from_slice(row);
                    }
                    values
                }
            };
            (name.to_owned(), values)
        };
        gradients.iter().map(whole).collect()
    }

    /// The loss in f64 with candle's own operations, with `change` added to one value.
    fn loss(&self, batch: &PackedBatch, change: Option<(&str, usize, f64)>) -> f64 {
        let shape = NetworkShape::new(self.model.config.clone(), self.model.manifest.pooling, &hearken::model::HeadsManifest::default());
        let mut load = |name: &str, size: &[usize]| {
            let mut values: Vec<f64> = self.values[name].iter().map(|x| f64::from(*x)).collect();
            if let Some((_, place, delta)) = change.filter(|(changed, _, _)| *changed == name) {
                values[place] += delta;
            }
            Tensor::from_vec(values, size, &Device::Cpu)
        };
        let output = Network::load(&shape, &mut load).unwrap().forward(batch, &Stock, &mut Dropout::none()).unwrap();
        let sum = |x: &Tensor| -> f64 {
            let x: Vec<f64> = x.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            x.iter().zip(wave(x.len())).map(|(x, w)| x * w).sum()
        };
        sum(&output.tokens) + sum(&output.pooled)
    }
}

fn message(ids: &[u32]) -> Encoded {
    Encoded { ids: ids.to_vec(), segments: vec![0; ids.len()], words: Vec::new(), truncated: false }
}

fn messages() -> PackedBatch {
    PackedBatch::new([&message(&[2, 5, 6, 7, 3]), &message(&[2, 9, 3]), &message(&[2, 10, 11, 5, 12, 13, 14, 3])])
}

#[test]
fn the_encoder_on_kernels_has_the_gradients_of_finite_differences_in_f64() {
    let (tiny, batch) = (Tiny::open(), messages());
    let gradients = tiny.on_kernels(&batch, Element::F32, 2, Dropping::NONE);
    assert_eq!(gradients.keys().collect::<Vec<_>>(), tiny.values.keys().collect::<Vec<_>>(), "every parameter has a gradient");
    for (name, gradient) in &gradients {
        let largest = gradient.iter().fold(0.0f32, |a, b| a.max(b.abs()));
        let most = gradient.iter().position(|x| x.abs() >= largest).unwrap();
        for place in [0, most, gradient.len() / 2, gradient.len() - 1] {
            let step = 1e-5;
            let difference = (tiny.loss(&batch, Some((name, place, step))) - tiny.loss(&batch, Some((name, place, -step)))) / (2.0 * step);
            let distance = (f64::from(gradient[place]) - difference).abs();
            assert!(
                distance <= 2e-5 * f64::from(largest.max(1.0)),
                "{name}[{place}]: gradient {}, difference {difference}",
                gradient[place]
            );
        }
    }
}

/// What a card learns by: the graph in f32 has the gradients of the kernels; in bf16, on a card where there is one, nearly so.
#[test]
fn the_encoder_as_a_graph_has_the_gradients_of_the_kernels() {
    let (tiny, batch) = (Tiny::open(), messages());
    let wanted = tiny.on_kernels(&batch, Element::F32, 1, Dropping::NONE);
    let mut cases = vec![(Device::Cpu, DType::F32, 1e-4)];
    // The emulated driver has none of candle's kernels.
    if Cuda.check().is_ok() && Cuda.device() != "emulated" {
        cases.extend([(device().unwrap(), DType::F32, 1e-3), (device().unwrap(), DType::BF16, 5e-2)]);
    }
    for (device, dtype, tolerance) in cases {
        let gradients = tiny.on_graph(&batch, device, dtype);
        assert_eq!(gradients.keys().collect::<Vec<_>>(), wanted.keys().collect::<Vec<_>>());
        for (name, wanted) in &wanted {
            let length = |values: &mut dyn Iterator<Item = f32>| values.map(|x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            let apart = length(&mut gradients[name].iter().zip(wanted).map(|(got, wanted)| got - wanted));
            let size = length(&mut wanted.iter().copied());
            // The bias of the keys has no gradient but for rounding.
            assert!(apart <= tolerance * size.max(0.1), "{name} in {dtype:?}: off by {apart} of {size}");
        }
    }
}

#[test]
fn the_encoder_on_kernels_has_the_gradients_of_pytorch() {
    let golden: serde_json::Value =
        serde_json::from_slice(&std::fs::read(crate::shop::repository("tests/corpus/golden/tiny-gradients.json")).unwrap()).unwrap();
    let (tiny, batch) = (Tiny::open(), messages());
    assert!((tiny.loss(&batch, None) - golden["loss"].as_f64().unwrap()).abs() < 1e-5, "the losses differ");
    // bf16 has 8 significant bits; the wave's gradient passes two layers of products.
    for (element, tolerance) in [(Element::F32, 2e-5), (Element::Bf16, 3e-2)] {
        let gradients = tiny.on_kernels(&batch, element, 1, Dropping::NONE);
        for (name, wanted) in golden["gradients"].as_object().unwrap() {
            let gradient = &gradients[name];
            let largest = gradient.iter().fold(0.0f32, |a, b| a.max(b.abs()));
            let step = usize::try_from(wanted["step"].as_u64().unwrap()).unwrap();
            for (i, wanted) in wanted["values"].as_array().unwrap().iter().enumerate() {
                let (got, wanted) = (f64::from(gradient[i * step]), wanted.as_f64().unwrap());
                assert!(
                    (got - wanted).abs() <= tolerance * f64::from(largest.max(1.0)),
                    "{element:?} {name}[{}]: got {got}, wanted {wanted}",
                    i * step
                );
            }
            let magnitude: f64 = gradient.iter().map(|x| f64::from(x.abs())).sum();
            let wanted = wanted["magnitude"].as_f64().unwrap();
            assert!(
                (magnitude - wanted).abs() <= tolerance * wanted.max(1.0),
                "{element:?} {name}: magnitude {magnitude}, wanted {wanted}"
            );
        }
    }
}

#[test]
fn gradients_do_not_depend_on_the_cores_and_dropout_repeats() {
    let (tiny, batch) = (Tiny::open(), messages());
    let dropping = |seed| Dropping { probability: 0.3, seed };
    for element in [Element::F32, Element::Bf16] {
        let once = tiny.on_kernels(&batch, element, 1, dropping(1));
        assert_eq!(once, tiny.on_kernels(&batch, element, 3, dropping(1)));
        assert_ne!(once, tiny.on_kernels(&batch, element, 1, dropping(2)));
        assert_ne!(once, tiny.on_kernels(&batch, element, 1, Dropping::NONE));
    }
}
