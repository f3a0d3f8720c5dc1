//! The CUDA backend's operations and the encoder on them: on the processor their twins, and on a card, where there is one, its kernels.

use crate::shop::model;
use candle_core::{DType, Device, Tensor};
use hearken::backend::candle::{Ops as _, Stock};
use hearken::backend::cuda::ops::{AddNorm, Attention, BiasGelu, EmbedNorm, Operation, Pool, Product, Tile, apply};
use hearken::backend::cuda::{Cuda, FusedRunner, device};
use hearken::backend::{Backend as _, BatchLogits, Cores, HeadKind, Options, Runner as _, choose};
use hearken::batch::PackedBatch;
use hearken::model::LoadedModel;
use hearken::text::{Encoded, Utterance};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// Largest error of one operation, relative to values above 1: a few units in the last place of the element.
const F16: f32 = 4e-3;
const BF16: f32 = 3e-2;

/// The processor, and a card if there is one.
fn devices() -> Vec<Device> {
    let card = Cuda.check().is_ok().then(|| device().unwrap());
    std::iter::once(Device::Cpu).chain(card).collect()
}

fn random(shape: &[usize], scale: f32, seed: u64) -> Tensor {
    let mut random = SmallRng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| random.random_range(-scale..scale)).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.to_device(&Device::Cpu).unwrap().to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// A source of an operation: whole numbers and what is f32 in every case stay as they are.
enum Source {
    Kept(Tensor),
    Half(Tensor),
}

/// Runs an operation in f32 on the processor and compares it with `wanted`; then in half precision everywhere, and compares it with the
/// twin in f32 on the same rounded values.
fn check<const N: usize>(operation: &impl Operation<N>, out: &Tensor, sources: &[Source; N], wanted: &Tensor) {
    let run = |device: &Device, dtype: DType, rounded: DType| {
        let there = |tensor: &Tensor| tensor.to_dtype(rounded).unwrap().to_dtype(dtype).unwrap().to_device(device).unwrap();
        let tensors = sources.each_ref().map(|source| match source {
            Source::Kept(tensor) => tensor.to_device(device).unwrap(),
            Source::Half(tensor) => there(tensor),
        });
        // What pooling gives is f32 for any source.
        let out = if operation.name().contains("pool") { out.to_device(device).unwrap() } else { there(out) };
        let out = out.copy().unwrap();
        apply(&out, tensors.each_ref(), operation).unwrap();
        values(&out)
    };
    let worst = |got: &[f32], wanted: &[f32]| {
        got.iter()
            .zip(wanted)
            .map(|(got, wanted)| (got - wanted).abs() / wanted.abs().max(1.0))
            .fold(0.0, |a: f32, b| if b.is_nan() { f32::INFINITY } else { a.max(b) })
    };
    let name = operation.name();
    let off = worst(&run(&Device::Cpu, DType::F32, DType::F32), &values(wanted));
    assert!(off <= 1e-4, "{name} in f32 is off by {off}");
    for device in devices() {
        for (dtype, tolerance) in [(DType::F16, F16), (DType::BF16, BF16)] {
            let off = worst(&run(&device, dtype, DType::F32), &run(&Device::Cpu, DType::F32, dtype));
            println!("{name} in {dtype:?} on {:?}: off by {off:e}", device.location());
            assert!(off <= tolerance, "{name} in {dtype:?} on {:?} is off by {off}", device.location());
        }
    }
}

fn whole(numbers: &[u32]) -> Source {
    Source::Kept(Tensor::new(numbers, &Device::Cpu).unwrap())
}

#[test]
fn embeddings_are_added_and_normalised() {
    for (tokens, hidden) in [(1, 32), (37, 384), (5, 1024)] {
        let tables = [random(&[50, hidden], 1.0, 1), random(&[40, hidden], 0.5, 2), random(&[2, hidden], 0.5, 3)];
        let indices: Vec<Vec<u32>> = [50, 40, 2].map(|rows| (0..tokens).map(|token| token * 7 % rows).collect()).to_vec();
        let rows = |table: usize| tables[table].index_select(&Tensor::new(indices[table].as_slice(), &Device::Cpu).unwrap(), 0).unwrap();
        let sum = (rows(0) + rows(1)).unwrap().add(&rows(2)).unwrap();
        let (gamma, beta) = (random(&[hidden], 1.0, 4), random(&[hidden], 1.0, 5));
        let wanted = Stock.layer_norm(&sum, &gamma, &beta, 1e-12).unwrap();
        let [words, positions, segments] = tables.map(Source::Half);
        let [ids, at, of] = [0, 1, 2].map(|table: usize| whole(&indices[table]));
        let sources = [ids, at, of, words, positions, segments, Source::Kept(gamma), Source::Kept(beta)];
        check(&EmbedNorm { epsilon: 1e-12 }, &sum.zeros_like().unwrap(), &sources, &wanted);
    }
}

#[test]
fn a_block_is_closed_by_bias_residual_and_layer_norm() {
    for (tokens, hidden) in [(1, 384), (6, 32), (33, 768)] {
        let (product, residual) = (random(&[tokens, hidden], 2.0, 1), random(&[tokens, hidden], 2.0, 2));
        let [bias, gamma, beta] = [3, 4, 5].map(|seed| random(&[hidden], 1.0, seed));
        let sum = product.broadcast_add(&bias).unwrap().add(&residual).unwrap();
        let wanted = Stock.layer_norm(&sum, &gamma, &beta, 1e-12).unwrap();
        let sources = [Source::Half(product), Source::Kept(bias), Source::Half(residual), Source::Kept(gamma), Source::Kept(beta)];
        check(&AddNorm { epsilon: 1e-12 }, &sum.zeros_like().unwrap(), &sources, &wanted);
    }
}

#[test]
fn feed_forward_opens_with_bias_and_gelu() {
    for (tokens, width) in [(1, 8), (3, 1536), (40, 96)] {
        let (x, bias) = (random(&[tokens, width], 4.0, 1), random(&[width], 1.0, 2));
        let wanted = Stock.gelu(&x.broadcast_add(&bias).unwrap()).unwrap();
        check(&BiasGelu, &x, &[Source::Kept(bias)], &wanted);
    }
}

#[test]
fn products_are_of_the_transposed_weight() {
    for (rows, columns, depth) in [(1, 3, 8), (17, 1152, 384), (33, 91, 40)] {
        let (x, weight) = (random(&[rows, depth], 1.0, 1), random(&[columns, depth], 0.1, 2));
        let wanted = x.matmul(&weight.t().unwrap()).unwrap();
        check(&Product, &wanted.zeros_like().unwrap(), &[Source::Half(x), Source::Half(weight)], &wanted);
    }
}

#[test]
fn heads_read_tokens_and_pooled_rows() {
    let x = random(&[9, 64], 2.0, 1);
    // Rows of 4, 1 and 2 tokens, one that is empty, and two tokens that are in no row.
    let starts = [0u32, 4, 5, 7, 7];
    for first_only in [false, true] {
        let mut rows = vec![x.clone()];
        for bounds in starts.windows(2) {
            let (start, length) = (bounds[0] as usize, (bounds[1] - bounds[0]) as usize);
            let length = if first_only { length.min(1) } else { length };
            let row = x.narrow(0, start, length).unwrap();
            rows.push(if length == 0 { Tensor::zeros((1, 64), DType::F32, &Device::Cpu).unwrap() } else { row.mean_keepdim(0).unwrap() });
        }
        let wanted = Tensor::cat(&rows, 0).unwrap();
        check(&Pool { first_only }, &wanted.zeros_like().unwrap(), &[Source::Half(x.clone()), whole(&starts)], &wanted);
    }
}

#[test]
fn attention_stays_within_its_row() {
    for (heads, lengths) in [(1, vec![1]), (12, vec![7, 1, 16, 17, 40]), (2, vec![130, 2]), (3, vec![512])] {
        let (hidden, tokens): (usize, usize) = (heads * 32, lengths.iter().sum());
        // Two more tokens, which are in no row.
        let (qkv, bias) = (random(&[tokens + 2, 3 * hidden], 3.0, 1), random(&[3 * hidden], 1.0, 2));
        let shifted = qkv.broadcast_add(&bias).unwrap().narrow(0, 0, tokens).unwrap();
        let [query, key, value] = [0, 1, 2].map(|part| shifted.narrow(1, part * hidden, hidden).unwrap().contiguous().unwrap());
        let mut end = 0;
        let rows: Vec<_> = lengths
            .iter()
            .map(|length| {
                end += length;
                end - length..end
            })
            .collect();
        let attended = Stock.attention(&query, &key, &value, &rows, heads).unwrap();
        let outside = bias.narrow(0, 2 * hidden, hidden).unwrap().reshape((1, hidden)).unwrap().repeat((2, 1)).unwrap();
        let wanted = Tensor::cat(&[attended, outside], 0).unwrap();
        let cut = |range: std::ops::Range<usize>, keys: usize| {
            let tile = move |first: usize| {
                let sizes = [range.start, keys, first, (range.end - first).min(16)];
                sizes.map(|size| u32::try_from(size).unwrap())
            };
            (tile(0)[0] as usize..).step_by(16).map(tile).take(keys.max(1).div_ceil(16)).collect::<Vec<_>>()
        };
        let tiles = rows.into_iter().flat_map(|range| cut(range.clone(), range.len())).chain(cut(tokens..tokens + 2, 0));
        let tiles: Vec<u32> = tiles.chain([Tile::NONE.words()]).flatten().collect();
        let tiles = Tensor::new(tiles.as_slice(), &Device::Cpu).unwrap().reshape(((), 4)).unwrap();
        check(&Attention { heads }, &wanted.zeros_like().unwrap(), &[Source::Half(qkv), Source::Kept(bias), Source::Kept(tiles)], &wanted);
    }
}

fn encode(model: &LoadedModel, texts: &[&str]) -> Vec<Encoded> {
    texts.iter().map(|text| model.text.encode(&Utterance::new(*text).unwrap(), &[]).unwrap()).collect()
}

/// Messages of many lengths.
fn messages(model: &LoadedModel) -> Vec<Encoded> {
    let long = "I ordered two lamps on Monday and one of them came broken, the other is fine. ".repeat(12);
    encode(model, &["hi", "Where is my order #A-10293? This is the THIRD time I ask!!", "?", "do you ship to Malta", &long, "refund pls"])
}

fn distance(got: &BatchLogits, wanted: &BatchLogits) -> f32 {
    assert_eq!(got.ranges, wanted.ranges);
    let kinds = |logits: &BatchLogits| logits.heads.iter().map(|head| (head.kind, head.values.dim())).collect::<Vec<_>>();
    assert_eq!(kinds(got), kinds(wanted));
    let pairs = got.heads.iter().zip(&wanted.heads).flat_map(|(got, wanted)| got.values.iter().zip(&wanted.values));
    pairs.map(|(got, wanted)| (got - wanted).abs()).fold(0.0, |a: f32, b| if b.is_nan() { f32::INFINITY } else { a.max(b) })
}

#[test]
fn the_fused_encoder_is_the_reference() {
    let model = model("storefront-en");
    let batch = PackedBatch::new(&messages(&model));
    let reference = choose("candle").unwrap().prepare(&model, Options::default()).unwrap().run(&batch, Cores::One).unwrap();
    let mut twins = FusedRunner::new(&model, DType::F32, &Device::Cpu).unwrap();
    let off = distance(&twins.run(&batch, Cores::One).unwrap(), &reference);
    assert!(off <= 1e-3, "f32 twins are off by {off}");
    for device in devices() {
        for (dtype, tolerance) in [(DType::F16, 2e-2), (DType::BF16, 2e-1)] {
            let mut runner = FusedRunner::new(&model, dtype, &device).unwrap();
            // A card records the first pass and launches the second as a graph.
            for pass in 1..=if device.is_cpu() { 1 } else { 2 } {
                let off = distance(&runner.run(&batch, Cores::One).unwrap(), &reference);
                println!("{dtype:?} on {:?}, pass {pass}: a logit is off by {off}", device.location());
                assert!(off <= tolerance, "{dtype:?} on {:?}, pass {pass}: a logit is off by {off}", device.location());
            }
        }
    }
}

#[test]
fn a_row_alone_is_the_row_in_a_batch() {
    let model = model("storefront-en");
    let messages = messages(&model);
    for device in devices() {
        let mut runner = FusedRunner::new(&model, DType::F16, &device).unwrap();
        let together = runner.run(&PackedBatch::new(&messages), Cores::One).unwrap();
        let vectors = runner.encode(&PackedBatch::new(&messages), Cores::One).unwrap();
        let mut another = runner.another().unwrap();
        for (row, message) in messages.iter().enumerate() {
            let alone = another.run(&PackedBatch::new([message]), Cores::One).unwrap();
            for kind in HeadKind::ALL {
                let (Some(alone), Some(together)) = (alone.row(kind, 0), together.row(kind, row)) else { panic!("no logits of {kind:?}") };
                let off = alone.iter().zip(together).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(off <= 2e-2, "row {row} of {kind:?} on {:?} is off by {off}", device.location());
            }
            if row > 1 {
                continue;
            }
            let vector = another.encode(&PackedBatch::new([message]), Cores::One).unwrap();
            let off = vector.iter().zip(vectors.row(row)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off <= 2e-3, "the vector of row {row} on {:?} is off by {off}", device.location());
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let wrong = |ids: Vec<u32>| PackedBatch::new(&[Encoded { segments: vec![0; ids.len()], ids, words: Vec::new(), truncated: false }]);
    for device in devices() {
        let mut runner = FusedRunner::new(&model("storefront-en"), DType::F16, &device).unwrap();
        assert!(runner.run(&wrong(vec![9_999_999]), Cores::One).unwrap_err().to_string().contains("9999999"));
        assert!(runner.run(&wrong(vec![7; 600]), Cores::One).unwrap_err().to_string().contains("600 tokens"));
        assert!(FusedRunner::new(&model("tiny"), DType::F16, &device).is_err(), "its heads are 8 wide");
    }
}
