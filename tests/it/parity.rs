//! The shipped backend against the f32 reference: on its own kernels in f32 near to candle's, and in int8 with the same answers.

use crate::shop::{model, repository};
use hearken::backend::cpu::{CpuRunner, Precision};
use hearken::backend::{BatchLogits, Cores, HeadKind, Options, Runner, choose};
use hearken::batch::PackedBatch;
use hearken::data::{DataDirectory, Split};
use hearken::heads::{Heads, Prediction};
use hearken::model::LoadedModel;
use hearken::text::{Encoded, Utterance};
use hearken_kernels::{Element, TIERS, Tier, best};
use rayon::prelude::*;

/// Every message of the repository, and those that no model was trained on once more in other spellings.
fn messages(model: &LoadedModel) -> Vec<Encoded> {
    let read = |folder: &str, split| DataDirectory::new(&repository("training-data").join(folder)).read(split).unwrap();
    let unseen: Vec<String> =
        [Split::Valid, Split::Test].into_iter().flat_map(|split| read("storefront-en", split)).map(|row| row.text.to_string()).collect();
    let trained = read("storefront-en", Split::Train).into_iter().chain(read("smoke", Split::Train)).map(|row| row.text.to_string());
    let plain = unseen.iter().map(|text| text.chars().filter(|c| !c.is_ascii_punctuation()).collect::<String>());
    let texts = trained.chain(unseen.iter().cloned()).chain(plain.filter(|text| !text.trim().is_empty()));
    texts.map(|text| model.text.encode(&Utterance::new(text).unwrap(), &[]).unwrap()).collect()
}

fn logits(runner: &dyn Runner, messages: &[Encoded]) -> Vec<BatchLogits> {
    let parts: Vec<_> = messages.chunks(messages.len().div_ceil(8).max(1)).map(|part| (runner.another().unwrap(), part)).collect();
    let run = |(mut runner, part): (Box<dyn Runner>, &[Encoded])| {
        part.iter().map(|encoded| runner.run(&PackedBatch::new([encoded]), Cores::One).unwrap()).collect::<Vec<_>>()
    };
    parts.into_par_iter().map(run).collect::<Vec<_>>().concat()
}

/// Largest distance of two logits; infinite when one is not a number.
fn distance(got: &BatchLogits, wanted: &BatchLogits) -> f32 {
    assert_eq!(got.heads.len(), wanted.heads.len());
    let mut worst = 0.0f32;
    for (got, wanted) in got.heads.iter().zip(&wanted.heads) {
        assert_eq!((got.kind, got.values.dim()), (wanted.kind, wanted.values.dim()));
        for (got, wanted) in got.values.iter().zip(&wanted.values) {
            let apart = (got - wanted).abs();
            worst = if apart <= worst {
                worst
            } else if apart.is_nan() {
                f32::INFINITY
            } else {
                apart
            };
        }
    }
    worst
}

fn intent(logits: &BatchLogits) -> usize {
    let row = logits.row(HeadKind::Intent, 0).unwrap();
    row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0
}

fn spans(prediction: &Prediction) -> Vec<(&str, usize, usize)> {
    prediction.entities.iter().flatten().map(|entity| (entity.label.as_str(), entity.span.start, entity.span.end)).collect()
}

#[test]
fn int8_answers_as_f32_does() {
    let model = model("storefront-en");
    let messages = messages(&model);
    assert!(messages.len() >= 5000, "{} messages", messages.len());
    let heads = Heads::of(&model.manifest.heads);
    let run = |precision| logits(&CpuRunner::new(&model, best(), precision, 1).unwrap(), &messages);
    let wanted = run(Precision::uniform(Element::F32));
    let got = run(Precision::uniform(Element::Int8));
    let decode = |logits: &BatchLogits, index: usize| heads.decode(logits, 0, &messages[index]).unwrap();
    let (mut same_intent, mut same_spans, mut sentiment) = (0, 0, Vec::new());
    for (index, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
        same_intent += usize::from(intent(got) == intent(wanted));
        let (got, wanted) = (decode(got, index), decode(wanted, index));
        same_spans += usize::from(spans(&got) == spans(&wanted));
        sentiment.push((got.sentiment.unwrap().score - wanted.sentiment.unwrap().score).abs());
    }
    sentiment.sort_by(f32::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let share = |count: usize| 100.0 * count as f64 / messages.len() as f64;
    let percentile = sentiment[sentiment.len() * 99 / 100];
    let (intents, spans) = (share(same_intent), share(same_spans));
    println!("{} messages: intent {intents:.2} %, spans {spans:.2} %, sentiment p99 {percentile:.4}", messages.len());
    assert!(intents >= 99.7, "the same intent on {intents:.2} %");
    assert!(spans >= 99.0, "the same spans on {spans:.2} %");
    assert!(percentile <= 0.03, "sentiment off by {percentile} at the 99th percentile");
}

/// Every tier in f32, on messages of all lengths, against candle. The kernels' GELU is off by up to 4e-5 a value.
#[test]
fn f32_kernels_are_near_candle() {
    const TOLERANCE: f32 = 4e-3;
    let model = model("storefront-en");
    let messages: Vec<Encoded> = messages(&model).into_iter().step_by(400).collect();
    let candle = choose("candle").unwrap().prepare(&model, Options::default()).unwrap();
    let wanted = logits(candle.as_ref(), &messages);
    for kernels in TIERS.iter().filter_map(Tier::kernels) {
        let got = logits(&CpuRunner::new(&model, kernels, Precision::uniform(Element::F32), 1).unwrap(), &messages);
        let mut worst = 0.0f32;
        for (got, wanted) in got.iter().zip(&wanted) {
            worst = worst.max(distance(got, wanted));
        }
        println!("{}: largest distance of a logit {worst:e}", kernels.name);
        assert!(worst <= TOLERANCE, "{}: a logit is off by {worst}", kernels.name);
    }
}

/// Sums of int8 are exact, so tiers agree but for the rounding of what is around the products: a value that falls on the other side
/// of half a step moves the logits by a share of their size.
#[test]
fn tiers_agree_in_int8() {
    const SHARE: f32 = 0.0125;
    let model = model("storefront-en");
    let messages: Vec<Encoded> = messages(&model).into_iter().step_by(400).collect();
    let tiers: Vec<_> = TIERS.iter().filter_map(Tier::kernels).collect();
    let run = |kernels| logits(&CpuRunner::new(&model, kernels, Precision::uniform(Element::Int8), 1).unwrap(), &messages);
    let wanted = run(tiers[0]);
    let largest = wanted.iter().flat_map(|batch| &batch.heads).flat_map(|head| &head.values).fold(0.0f32, |a, b| a.max(b.abs()));
    for kernels in tiers.into_iter().skip(1) {
        for (got, wanted) in run(kernels).iter().zip(&wanted) {
            let worst = distance(got, wanted);
            assert!(worst <= SHARE * largest, "{}: a logit is off by {worst}, the largest is {largest}", kernels.name);
        }
    }
}
