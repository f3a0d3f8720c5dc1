//! The candle forward pass against PyTorch's on the same weights: `scripts/golden.py` makes the file.

use crate::shop::{model, repository};
use hearken::backend::{Cores, HeadKind, Options, choose};
use hearken::batch::PackedBatch;
use hearken::text::Utterance;
use serde::Deserialize;

/// Largest distance of a logit.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Row {
    text: String,
    ids: Vec<u32>,
    intent: Vec<Vec<f32>>,
    entities: Vec<Vec<f32>>,
    sentiment: Vec<Vec<f32>>,
    emotions: Vec<Vec<f32>>,
}

#[test]
fn logits_equal_the_reference() {
    let file = std::fs::read_to_string(repository("tests/corpus/golden/storefront-en.json")).unwrap();
    let rows: Vec<Row> = serde_json::from_str(&file).unwrap();
    assert!(rows.len() >= 50, "{} messages", rows.len());
    let model = model("storefront-en");
    let mut runner = choose("candle").unwrap().prepare(&model, Options::default()).unwrap();
    let mut worst = 0.0f32;
    for row in rows {
        let encoded = model.text.encode(&Utterance::new(row.text.clone()).unwrap(), &[]).unwrap();
        assert_eq!(encoded.ids, row.ids, "{}", row.text);
        let logits = runner.run(&PackedBatch::new([&encoded]), Cores::One).unwrap();
        let heads = [
            (HeadKind::Intent, &row.intent),
            (HeadKind::Entities, &row.entities),
            (HeadKind::Sentiment, &row.sentiment),
            (HeadKind::Emotions, &row.emotions),
        ];
        for (kind, wanted) in heads {
            let got = logits.row(kind, 0).unwrap();
            assert_eq!(got.dim(), (wanted.len(), wanted[0].len()), "{kind:?} of {}", row.text);
            for (got, wanted) in got.iter().zip(wanted.iter().flatten()) {
                let distance = (got - wanted).abs();
                worst = worst.max(distance);
                assert!(distance <= TOLERANCE, "{kind:?} of {:?}: got {got}, wanted {wanted}, distance {distance}", row.text);
            }
        }
    }
    println!("largest distance of a logit: {worst:e}");
}
