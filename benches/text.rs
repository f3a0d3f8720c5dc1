//! Text to tokens: this project's word pieces beside the `tokenizers` crate, on messages of 16 tokens and on the realistic mix.
//! `cargo bench --bench text`
#![expect(clippy::unwrap_used, reason = "a bench fails where it stands")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hearken::model::LoadedModel;
use hearken::text::Utterance;
use std::hint::black_box;
use std::path::Path;
use tokenizers::Tokenizer;

const MIX: &str = include_str!("peers/workload.txt");

fn tokens(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/storefront-en");
    let model = LoadedModel::open(&path).unwrap();
    let mut tokenizer = Tokenizer::from_file(path.join("tokenizer.json")).unwrap();
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).unwrap();
    let mix: Vec<Utterance> = MIX.lines().map(|line| Utterance::new(line).unwrap()).collect();
    let sixteen = mix.iter().filter(|text| model.text.encode(text, &[]).unwrap().ids.len() == 16).cloned().collect();
    for (name, texts) in [("16 tokens", sixteen), ("mix", mix)] {
        let mut group = criterion.benchmark_group(format!("text {name}"));
        group.throughput(Throughput::Elements(texts.len() as u64));
        group.bench_function(BenchmarkId::from_parameter("hearken"), |b| {
            b.iter(|| texts.iter().map(|text| black_box(model.text.encode(text, &[]).unwrap()).ids.len()).sum::<usize>());
        });
        group.bench_function(BenchmarkId::from_parameter("tokenizers"), |b| {
            b.iter(|| texts.iter().map(|text| black_box(tokenizer.encode(&**text, true).unwrap()).len()).sum::<usize>());
        });
    }
}

criterion_group!(benches, tokens);
criterion_main!(benches);
