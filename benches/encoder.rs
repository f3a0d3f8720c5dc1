//! One message through the encoder, alone, on the same weights: candle-transformers' `BertModel`, hearken's backends, and
//! the graph that training uses; and batches through the shipped backend. `cargo bench --bench encoder`
#![expect(
    clippy::unwrap_used,
    clippy::semicolon_if_nothing_returned,
    reason = "a bench fails where it stands, and its closures give what they measured"
)]

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hearken::backend::candle::{Fused, Network, NetworkShape};
use hearken::backend::{Cores, Options, Runner, choose};
use hearken::batch::PackedBatch;
use hearken::heads::Heads;
use hearken::model::LoadedModel;
use hearken::text::Utterance;
use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;

const SENTENCE: &str = "where is my order it should have been here last week and i need it now please tell me when it comes ";

fn peer(model: &LoadedModel) -> BertModel {
    let config: Config = serde_json::from_str(&std::fs::read_to_string(model.path.join("config.json")).unwrap()).unwrap();
    let tensors: HashMap<String, Tensor> = model
        .config
        .tensors()
        .into_iter()
        .map(|(name, shape)| (name.clone(), model.tensor(&name, &shape, &Device::Cpu).unwrap()))
        .collect();
    BertModel::load(VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu), &config).unwrap()
}

fn encoder(criterion: &mut Criterion) {
    let model = LoadedModel::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/storefront-en")).unwrap();
    let peer = peer(&model);
    let mut reference = choose("candle").unwrap().prepare(&model, Options::default()).unwrap();
    let load = &mut |name: &str, shape: &[usize]| model.tensor(name, shape, &Device::Cpu).map_err(candle_core::Error::wrap);
    let network = Network::load(&NetworkShape::of(&model), load).unwrap();
    let mut cpu = choose("cpu").unwrap().prepare(&model, Options::default()).unwrap();
    let heads = Heads::of(&model.manifest.heads);
    let mut group = criterion.benchmark_group("alone");
    group.sample_size(20);
    for tokens in [8, 16, 64] {
        let text: String = SENTENCE.repeat(4).split_inclusive(' ').take(tokens - 2).collect();
        let encoded = model.text.encode(&Utterance::new(text).unwrap(), &[]).unwrap();
        assert_eq!(encoded.ids.len(), tokens, "every word of the sentence is one token");
        let batch = PackedBatch::new([&encoded]);
        let ids = Tensor::new(encoded.ids.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let segments = ids.zeros_like().unwrap();
        group.bench_function(BenchmarkId::new("candle-transformers", tokens), |b| {
            b.iter(|| black_box(peer.forward(&ids, &segments, None).unwrap()))
        });
        group.bench_function(BenchmarkId::new("hearken candle", tokens), |b| {
            b.iter(|| black_box(reference.run(&batch, Cores::One).unwrap()))
        });
        for (name, cores) in [("hearken cpu, one core", Cores::One), ("hearken cpu, all cores", Cores::All)] {
            group.bench_function(BenchmarkId::new(name, tokens), |b| b.iter(|| black_box(cpu.run(&batch, cores).unwrap())));
        }
        let logits = cpu.run(&batch, Cores::One).unwrap();
        group.bench_function(BenchmarkId::new("heads", tokens), |b| b.iter(|| black_box(heads.decode(&logits, 0, &encoded).unwrap())));
        group.bench_function(BenchmarkId::new("hearken fused", tokens), |b| b.iter(|| black_box(network.logits(&batch, &Fused).unwrap())));
    }
    group.finish();
    batches(criterion, &model, cpu.as_mut());
}

/// Messages of one length together, by their number.
fn batches(criterion: &mut Criterion, model: &LoadedModel, cpu: &mut dyn Runner) {
    let mut group = criterion.benchmark_group("together");
    group.sample_size(20);
    for tokens in [8, 16, 64] {
        let text: String = SENTENCE.repeat(4).split_inclusive(' ').take(tokens - 2).collect();
        let encoded = model.text.encode(&Utterance::new(text).unwrap(), &[]).unwrap();
        for rows in [2, 8, 32] {
            let batch = PackedBatch::new(std::iter::repeat_n(&encoded, rows));
            group.throughput(Throughput::Elements(rows as u64));
            group.bench_function(BenchmarkId::new(format!("{tokens} tokens"), rows), |b| {
                b.iter(|| black_box(cpu.run(&batch, Cores::One).unwrap()))
            });
        }
    }
    group.finish();
}

criterion_group!(benches, encoder);
criterion_main!(benches);
