//! Foreign checkpoints of every family against transformers: the same ids, the same hidden states, and a model that trains.
//! `scripts/bases.py` makes the fixtures.

mod refusals;
mod training;

use crate::shop::repository;
use candle_core::{Device, Tensor};
use hearken::backend::candle::{Dropout, Fused, Network, NetworkShape, Ops, Stock};
use hearken::backend::cpu::{CpuRunner, Precision};
use hearken::backend::{Cores, Options, Runner, able, choose};
use hearken::batch::PackedBatch;
use hearken::import::{FAMILIES, Translated, translate};
use hearken::model::{LoadedModel, Manifest, Pooling, export, map_weights};
use hearken::text::{Encoded, TextEncoder, Utterance};
use hearken_kernels::{Element, best};
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

/// Largest distance of a hidden state, which are around 1, from transformers' in f32.
const TOLERANCE: f32 = 1e-4;

/// The same for the kernels in f32, whose GELU is off by up to 4e-5 a value.
const KERNEL_TOLERANCE: f32 = 1e-3;

/// Tokens that a row may have here.
pub const MOST: usize = 128;

#[derive(Deserialize)]
struct Row {
    text: String,
    context: Vec<String>,
    ids: Vec<u32>,
    segments: Vec<u32>,
}

/// A fixture, imported.
struct Imported {
    folder: tempfile::TempDir,
    made: Translated,
    rows: Vec<(Row, Encoded, Vec<Vec<f32>>)>,
}

pub fn fixture(name: &str) -> PathBuf {
    repository("tests/corpus/bases").join(name)
}

pub fn fixtures() -> Vec<String> {
    let entries = std::fs::read_dir(repository("tests/corpus/bases")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn utterance(text: &str) -> Utterance {
    Utterance::new(text).unwrap()
}

impl Imported {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = translate(&fixture(name), &folder.path().join("base")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let text = TextEncoder::open(&made.path.join("tokenizer.json"), MOST, MOST / 2).unwrap();
        let rows: Vec<Row> = serde_json::from_str(&std::fs::read_to_string(fixture(name).join("golden.json")).unwrap()).unwrap();
        let states = candle_core::safetensors::load(fixture(name).join("golden.safetensors"), &Device::Cpu).unwrap();
        let rows = rows.into_iter().enumerate().map(|(index, row)| {
            let context: Vec<Utterance> = row.context.iter().map(|turn| utterance(turn)).collect();
            let encoded = text.encode(&utterance(&row.text), &context).unwrap();
            let wanted = states[&index.to_string()].to_vec2().unwrap();
            (row, encoded, wanted)
        });
        Self { rows: rows.collect(), folder, made }
    }

    fn network(&self) -> Network {
        let shape = NetworkShape { encoder: self.made.config.clone(), pooling: self.made.pooling, heads: Vec::new() };
        let weights = map_weights(&self.made.path.join("model.safetensors")).unwrap();
        let load = &mut |name: &str, size: &[usize]| {
            let tensor = weights.load(name, &Device::Cpu)?.to_dtype(candle_core::DType::F32)?;
            assert_eq!(tensor.dims(), size, "{name}");
            Ok(tensor)
        };
        Network::load(&shape, load).unwrap()
    }
}

fn distance(got: &[Vec<f32>], wanted: &[Vec<f32>]) -> f32 {
    assert_eq!(got.len(), wanted.len());
    let pairs = got.iter().flatten().zip(wanted.iter().flatten());
    pairs.map(|(got, wanted)| if got.is_nan() { f32::INFINITY } else { (got - wanted).abs() }).fold(0.0, f32::max)
}

#[test]
fn every_family_has_a_fixture() {
    let have: BTreeSet<String> = fixtures()
        .iter()
        .map(|name| {
            let text = std::fs::read_to_string(fixture(name).join("config.json")).unwrap();
            serde_json::from_str::<serde_json::Value>(&text).unwrap()["model_type"].as_str().unwrap().to_owned()
        })
        .collect();
    for family in FAMILIES {
        assert!(
            family.model_types.iter().any(|name| have.contains(*name)),
            "{:?} has no fixture; see adding-a-base.md",
            family.model_types
        );
    }
}

#[test]
fn ids_equal_those_of_transformers() {
    for name in fixtures() {
        let imported = Imported::new(&name);
        for (row, encoded, _) in &imported.rows {
            assert_eq!(encoded.ids, row.ids, "{name}: {}", row.text);
            assert_eq!(encoded.segments, row.segments, "{name}: {}", row.text);
        }
    }
}

#[test]
fn hidden_states_equal_those_of_transformers() {
    for name in fixtures() {
        let imported = Imported::new(&name);
        let network = imported.network();
        for (way, ops) in [("stock", &Stock as &dyn Ops), ("fused", &Fused)] {
            let tolerance = if way == "stock" { TOLERANCE } else { KERNEL_TOLERANCE };
            let mut worst = 0.0f32;
            let states = |batch: &PackedBatch| network.forward(batch, ops, &mut Dropout::none()).unwrap().tokens.to_vec2::<f32>().unwrap();
            for (_, encoded, wanted) in &imported.rows {
                worst = worst.max(distance(&states(&PackedBatch::new([encoded])), wanted));
            }
            // All rows at once: none sees another.
            let together = states(&PackedBatch::new(imported.rows.iter().map(|(_, encoded, _)| encoded)));
            let wanted: Vec<Vec<f32>> = imported.rows.iter().flat_map(|(_, _, wanted)| wanted.clone()).collect();
            worst = worst.max(distance(&together, &wanted));
            println!("{name}, {way}: largest distance of a hidden state {worst:e}");
            assert!(worst <= tolerance, "{name}, {way}: a hidden state is off by {worst}");
        }
    }
}

/// Every gradient of a foreign encoder, by the kernels' operations and by candle's own.
#[test]
fn gradients_reach_every_tensor() {
    for name in fixtures() {
        let imported = Imported::new(&name);
        let weights = map_weights(&imported.made.path.join("model.safetensors")).unwrap();
        let mut vars = HashMap::new();
        let shape = NetworkShape { encoder: imported.made.config.clone(), pooling: Pooling::Mean, heads: Vec::new() };
        let network = Network::load(&shape, &mut |name, _| {
            let var = candle_core::Var::from_tensor(&weights.load(name, &Device::Cpu)?.to_dtype(candle_core::DType::F32)?)?;
            let tensor = var.as_tensor().clone();
            vars.insert(name.to_owned(), var);
            Ok(tensor)
        })
        .unwrap();
        assert_eq!(vars.len(), imported.made.config.tensors().len(), "{name}");
        let batch = PackedBatch::new(imported.rows.iter().map(|(_, encoded, _)| encoded));
        let gradients = |ops: &dyn Ops| {
            let output = network.forward(&batch, ops, &mut Dropout::none()).unwrap();
            output.pooled.sqr().unwrap().mean_all().unwrap().backward().unwrap()
        };
        let (fused, stock) = (gradients(&Fused), gradients(&Stock));
        for (tensor, var) in &vars {
            let flat = |gradients: &candle_core::backprop::GradStore| -> Vec<f32> {
                gradients
                    .get(var.as_tensor())
                    .unwrap_or_else(|| panic!("{name}: {tensor} has no gradient"))
                    .flatten_all()
                    .unwrap()
                    .to_vec1()
                    .unwrap()
            };
            let (fused, stock) = (flat(&fused), flat(&stock));
            let scale = stock.iter().fold(1e-3f32, |most, value| most.max(value.abs()));
            let apart = fused.iter().zip(&stock).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart <= 1e-2 * scale, "{name}: {tensor} differs by {apart} of {scale}");
            assert!(stock.iter().all(|value| value.is_finite()), "{name}: {tensor}");
        }
    }
}

/// The folder of a model of an imported encoder and one head of zeros, in f16, in which every weight of the fixtures is exact.
fn as_model(imported: &Imported) -> PathBuf {
    let mut tensors = candle_core::safetensors::load(imported.made.path.join("model.safetensors"), &Device::Cpu).unwrap();
    let hidden = imported.made.config.hidden_size;
    tensors.insert("heads.sentiment.weight".to_owned(), Tensor::zeros((3, hidden), candle_core::DType::F32, &Device::Cpu).unwrap());
    tensors.insert("heads.sentiment.bias".to_owned(), Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu).unwrap());
    let manifest = "format = 1\nname = \"x\"\nversion = \"1\"\nlanguage = \"en\"\nmax_tokens = 128\ncontext_tokens = 64\npooling = \"mean\"\n[files]\n\
                    [heads.sentiment.calibration]\ntemperature = 1.0\n";
    let out = imported.folder.path().join("model");
    export(&out, &imported.made.path, &tensors, Manifest::parse(manifest).unwrap(), "# x\n").unwrap();
    out
}

#[test]
fn translated_encoders_run_on_the_kernels_and_others_are_refused() {
    for name in fixtures() {
        let imported = Imported::new(&name);
        let model = LoadedModel::open(&as_model(&imported)).unwrap();
        let auto = able(&model.config)[0];
        if imported.made.config.model_type != "bert" {
            let error = choose("cpu").unwrap().prepare(&model, Options::default()).map(drop).unwrap_err().to_string();
            assert!(error.contains("--device candle") && error.contains(&imported.made.config.model_type), "{error}");
            assert_eq!(auto.name(), "candle", "{name}");
            auto.prepare(&model, Options::default()).unwrap();
            continue;
        }
        assert_eq!(auto.name(), "cpu", "{name}");
        let mut cpu = CpuRunner::new(&model, best(), Precision::uniform(Element::F32), 1).unwrap();
        let mut worst = 0.0f32;
        for (_, encoded, wanted) in &imported.rows {
            let got: Vec<f32> = cpu.encode(&PackedBatch::new([encoded]), Cores::One).unwrap().into_iter().collect();
            #[expect(clippy::cast_precision_loss, reason = "a row has some tokens")]
            let mean = (0..got.len()).map(|i| wanted.iter().map(|token| token[i]).sum::<f32>() / wanted.len() as f32);
            worst = worst.max(distance(std::slice::from_ref(&got), &[mean.collect()]));
        }
        println!("{name}: largest distance of a mean on the kernels {worst:e}");
        assert!(worst <= KERNEL_TOLERANCE, "{name}: off by {worst}");
    }
}
